//===- avx512bf16.cpp - vector kernels for AVX-512 with BF16 -----------------===//
//
// Attention with products of bf16 pairs; all else is that of AVX-512.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/simd/VecAvx512Bf16.h"

#include "kernels/cpu/attention/AttentionKernel.h"

namespace qrt::kernels {

namespace QRT_VARIANT(avx512vnni) {
extern const VectorKernels vectorKernels;
}

namespace QRT_VARIANT(avx512bf16) {

namespace wide = QRT_VARIANT(avx512vnni);

// The other table may not be filled yet when this one is.
#define QRT_WIDE(op, Args)                                                                         \
  [](const Args &args, int64_t begin, int64_t end) { wide::vectorKernels.op(args, begin, end); }

extern const VectorKernels vectorKernels;
const VectorKernels vectorKernels = {
    .name = "avx512bf16",
    .isa = Isa::Avx512Bf16,
    .rmsNorm = QRT_WIDE(rmsNorm, NormArgs),
    .layerNorm = QRT_WIDE(layerNorm, NormArgs),
    .rope = QRT_WIDE(rope, RopeArgs),
    .unary = QRT_WIDE(unary, UnaryArgs),
    .gated = QRT_WIDE(gated, GatedArgs),
    .binary = QRT_WIDE(binary, BinaryArgs),
    .hadamard = QRT_WIDE(hadamard, HadamardArgs),
    .attentionTile = attentionTileKernel<VecAvx512Bf16, 8>,
    .sparseRows = QRT_WIDE(sparseRows, SparseArgs),
    .sparseTile = QRT_WIDE(sparseTile, SparseTile),
};

#undef QRT_WIDE

} // namespace QRT_VARIANT(avx512bf16)

} // namespace qrt::kernels
