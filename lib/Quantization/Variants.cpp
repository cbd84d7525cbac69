//===- Variants.cpp - The kernels for this processor ------------------------------------------===//
#include "LaneKernels.h"
#include "MatrixKernels.h"

namespace qopt::quantization {

namespace {

bool haveAvx2() {
#ifdef QOPT_BUILD_X86
  static const bool have = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return have;
#else
  return false;
#endif
}

bool haveAvx512() {
#ifdef QOPT_BUILD_X86
  static const bool have =
      haveAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vnni");
  return have;
#else
  return false;
#endif
}

} // namespace

const MatrixKernels &matrixKernels() {
#ifdef QOPT_BUILD_X86
  if (haveAvx512())
    return avx512MatrixKernels;
  if (haveAvx2())
    return avx2MatrixKernels;
#endif
  return baselineMatrixKernels;
}

const LaneKernels &laneKernels() {
#ifdef QOPT_BUILD_X86
  if (haveAvx512())
    return avx512LaneKernels;
  if (haveAvx2())
    return avx2LaneKernels;
#endif
  return baselineLaneKernels;
}

} // namespace qopt::quantization
