//===- VariantAvx512.cpp - Kernels for AVX-512 with VNNI --------------------------------------===//
// The lanes stay eight wide.
#include "LaneKernels.h"
#include "MatrixKernels.h"

#define QOPT_VECTOR_BYTES 64
#define QOPT_BYTE_DOTS

namespace qopt::quantization {
namespace {
#include "LaneKernels.inc"
#include "MatrixKernels.inc"
} // namespace

const MatrixKernels avx512MatrixKernels = matrixTable;
const LaneKernels avx512LaneKernels = laneTable;

} // namespace qopt::quantization
