//===- Adapter.h - the one place that sees oneDNN ----------------------------===//
//
// Hides the library's version (2.6 to 3.x have different APIs) and its threading: every call
// runs on the calling thread alone, since our own pool has already split the work. Builds
// without oneDNN keep this interface, and available() is false.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_ONEDNN_ADAPTER_H
#define QRT_KERNELS_ONEDNN_ADAPTER_H

#include "qrt/Status.h"

#include <cstdint>

namespace qrt::kernels::onednn {

/// Whether this build has oneDNN.
bool available();

/// Row-major operands of dst[m, n] = src[m, k] * weight[n, k] transposed; strides in floats.
struct MatmulF32 {
  const float *src;
  int64_t srcStride;
  const float *weight;
  int64_t weightStride;
  float *dst;
  int64_t dstStride;
  int64_t m, n, k;
};

/// f32 arithmetic. For given sizes the same bits on every call; another m or n may change the
/// order of summation. Re-entrant. Unsupported without oneDNN, Internal if the library fails.
Status matmul(const MatmulF32 &args);

} // namespace qrt::kernels::onednn

#endif // QRT_KERNELS_ONEDNN_ADAPTER_H
