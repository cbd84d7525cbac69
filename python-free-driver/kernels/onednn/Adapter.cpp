//===- Adapter.cpp - the one place that sees oneDNN --------------------------===//
//
// dnnl_sgemm has the same signature in every version from 1.0 on. Its OpenMP thread count belongs
// to the calling thread, so each of our workers sets it to one the first time it comes here:
// libgomp then starts no threads that would spin beside ours.
//
//===----------------------------------------------------------------------===//

#include "kernels/onednn/Adapter.h"

#if defined(QRT_WITH_ONEDNN)

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

#include <string>

namespace qrt::kernels::onednn {

bool available() { return true; }

Status matmul(const MatmulF32 &args) {
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  dnnl_status_t status =
      dnnl_sgemm('N', 'T', args.m, args.n, args.k, 1.0f, args.src, args.srcStride, args.weight,
                 args.weightStride, 0.0f, args.dst, args.dstStride);
  omp_set_num_threads(threads);
  if (status != dnnl_success)
    return Status::error(StatusCode::Internal,
                         "oneDNN: sgemm failed with status " + std::to_string(status));
  return Status::ok();
}

} // namespace qrt::kernels::onednn

#else

namespace qrt::kernels::onednn {

bool available() { return false; }

Status matmul(const MatmulF32 &) {
  return Status::error(StatusCode::Unsupported, "this build has no oneDNN");
}

} // namespace qrt::kernels::onednn

#endif
