//===- CudaWeights.h - The weights of a model in device memory -------------------------------===//
// Packed tensors that products or lookups read are copied as they lie in the file and brought into
// fragment order on the device; scales, zero points and vectors stay as they are. Each stored
// tensor is there once, however many instructions use it.
#ifndef QRT_ENGINE_CUDAWEIGHTS_H
#define QRT_ENGINE_CUDAWEIGHTS_H

#include "Device/CudaDevice.h"
#include "qrt/Model.h"

#include <vector>

namespace qrt {

class CudaWeights {
public:
  /// Device memory that upload() will take, and the largest that it takes on the way. Unsupported:
  /// a format that no kernel reads, naming the tensor.
  struct Sizes {
    int64_t bytes = 0, staging = 0;
  };
  static Result<Sizes> measure(const Model &model, const CudaDevice &device, bool alternates);

  /// `alternates`: with the second weight set.
  Status upload(const Model &model, CudaDevice &device, bool alternates);

  /// Of a packed tensor that an instruction uses.
  const cuda::Weight &weight(int32_t tensorIndex) const { return weights[tensorIndex]; }
  /// Of a plain tensor that an instruction uses; of an f32 one.
  const void *plain(int32_t tensorIndex) const { return plains[tensorIndex]; }
  const float *vector(int32_t tensorIndex) const {
    return static_cast<const float *>(plains[tensorIndex]);
  }

private:
  std::vector<CudaDevice::Memory> memory;
  std::vector<cuda::Weight> weights;
  std::vector<const void *> plains;
};

} // namespace qrt

#endif // QRT_ENGINE_CUDAWEIGHTS_H
