//===- VariantAvx2.cpp - Kernels for AVX2 with fused multiply-add -----------------------------===//
#include "LaneKernels.h"
#include "MatrixKernels.h"

#define QOPT_VECTOR_BYTES 32

namespace qopt::quantization {
namespace {
#include "LaneKernels.inc"
#include "MatrixKernels.inc"
} // namespace

const MatrixKernels avx2MatrixKernels = matrixTable;
const LaneKernels avx2LaneKernels = laneTable;

} // namespace qopt::quantization
