//===- avx512vnni.cpp - vector kernels for AVX-512 --------===//
//
// Instantiates the templates; compiled with this instruction set's flags, and a second time through
// SIMDe for the test.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/simd/VecAvx512.h"

#include "kernels/cpu/attention/AttentionKernel.h"
#include "kernels/cpu/elementwise/ElementwiseKernel.h"
#include "kernels/cpu/hadamard/HadamardKernel.h"
#include "kernels/cpu/norm/NormKernel.h"
#include "kernels/cpu/rope/RopeKernel.h"
#include "kernels/cpu/sparse/SparseKernel.h"

namespace qrt::kernels::QRT_VARIANT(avx512vnni) {

extern const VectorKernels vectorKernels;
const VectorKernels vectorKernels = {
    .name = "avx512vnni",
    .isa = Isa::Avx512Vnni,
    .rmsNorm = rmsNormKernel<VecAvx512>,
    .layerNorm = layerNormKernel<VecAvx512>,
    .rope = ropeKernel<VecAvx512>,
    .unary = unaryKernel<VecAvx512>,
    .gated = gatedKernel<VecAvx512>,
    .binary = binaryKernel<VecAvx512>,
    .hadamard = hadamardKernel<VecAvx512, 4>,
    .attentionTile = attentionTileKernel<VecAvx512, 8>,
    .sparseRows = sparseRowsKernel<VecAvx512>,
    .sparseTile = sparseTileKernel<VecAvx512>,
};

} // namespace qrt::kernels::QRT_VARIANT(avx512vnni)
