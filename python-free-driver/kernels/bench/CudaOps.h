//===- CudaOps.h - Time of what is not a product on a device ----------------------------------===//
// Attention with append, norms, rotation, gated activations, the sampler, as a decode step launches
// them: in a graph of many launches, so that what a launch overlaps with the one before counts.
// Caches of short contexts stay in the L2 cache.
#ifndef QRT_KERNELS_BENCH_CUDAOPS_H
#define QRT_KERNELS_BENCH_CUDAOPS_H

#include "Device/CudaDevice.h"
#include "Support/Json.h"

namespace qrt::bench {

/// One object per case: op, shape, microseconds, spread, bytes, and the share of the copy rate
/// (bytes per second) that the bytes were moved at.
Result<OrderedJson> timeOperations(CudaDevice &device, double copyRate, int64_t samples);

} // namespace qrt::bench

#endif // QRT_KERNELS_BENCH_CUDAOPS_H
