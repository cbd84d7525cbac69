//===- StoredWeights.h - a file's weights in the order of tensor cores --------===//
//
// qopt --target cuda stores data streams in the order of WeightOrder.h, which a device then reads
// as they are. Host code. Pure functions.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LAYOUT_STOREDWEIGHTS_H
#define QRT_KERNELS_CUDA_LAYOUT_STOREDWEIGHTS_H

#include "kernels/cpu/linear/linear.h"

namespace qrt::cuda {

/// Bytes of the data stream in that order; -1: f32 weights have no such order. n, k > 0.
int64_t storedFragmentBytes(const kernels::WeightDesc &desc);

/// From the data stream for the CPU, kernels::packedSizes(desc).data bytes, and back: what neither
/// order defines becomes zero.
void storeAsFragments(const kernels::WeightDesc &desc, const void *data, void *fragments);
void loadFromFragments(const kernels::WeightDesc &desc, const void *fragments, void *data);

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LAYOUT_STOREDWEIGHTS_H
