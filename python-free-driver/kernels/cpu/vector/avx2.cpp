//===- avx2.cpp - vector kernels for AVX2, FMA and F16C --------===//
//
// Instantiates the templates; compiled with this instruction set's flags, and a second time through
// SIMDe for the test.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/simd/VecAvx2.h"

#include "kernels/cpu/attention/AttentionKernel.h"
#include "kernels/cpu/elementwise/ElementwiseKernel.h"
#include "kernels/cpu/hadamard/HadamardKernel.h"
#include "kernels/cpu/norm/NormKernel.h"
#include "kernels/cpu/rope/RopeKernel.h"
#include "kernels/cpu/sparse/SparseKernel.h"

namespace qrt::kernels::QRT_VARIANT(avx2) {

extern const VectorKernels vectorKernels;
const VectorKernels vectorKernels = {
    .name = "avx2",
    .isa = Isa::Avx2,
    .rmsNorm = rmsNormKernel<VecAvx2>,
    .layerNorm = layerNormKernel<VecAvx2>,
    .rope = ropeKernel<VecAvx2>,
    .unary = unaryKernel<VecAvx2>,
    .gated = gatedKernel<VecAvx2>,
    .binary = binaryKernel<VecAvx2>,
    .hadamard = hadamardKernel<VecAvx2, 2>,
    .attentionTile = attentionTileKernel<VecAvx2, 4>,
    .sparseRows = sparseRowsKernel<VecAvx2>,
    .sparseTile = sparseTileKernel<VecAvx2>,
};

} // namespace qrt::kernels::QRT_VARIANT(avx2)
