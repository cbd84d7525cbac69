//===- VariantBaseline.cpp - Kernels for any machine ------------------------------------------===//
#include "LaneKernels.h"
#include "MatrixKernels.h"

#define QOPT_VECTOR_BYTES 32

namespace qopt::quantization {
namespace {
#include "LaneKernels.inc"
#include "MatrixKernels.inc"
} // namespace

const MatrixKernels baselineMatrixKernels = matrixTable;
const LaneKernels baselineLaneKernels = laneTable;

} // namespace qopt::quantization
