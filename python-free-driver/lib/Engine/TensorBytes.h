//===- TensorBytes.h - Making and cutting tensors for the generic engine ---------------------===//
#ifndef QRT_ENGINE_TENSORBYTES_H
#define QRT_ENGINE_TENSORBYTES_H

#include "Tensor/Evaluate.h"
#include "Tensor/Tensor.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qrt {

int64_t elementCount(const tensor::Tensor &value);
int64_t byteSize(const tensor::Tensor &value);

/// An owned tensor of uninitialized elements and the place to fill them.
struct FreshTensor {
  tensor::Tensor tensor;
  void *data;
};
FreshTensor freshTensor(DType dtype, std::vector<int64_t> shape);

/// Integers as a tensor of an integer, float or bool dtype.
Result<tensor::Tensor> integerTensor(DType dtype, std::vector<int64_t> shape,
                                     std::span<const int64_t> values);

/// The first `length` entries along `axis`.
tensor::Tensor leadingPart(const tensor::Tensor &value, size_t axis, int64_t length);

/// The same values in another dtype (the value itself where it is of that dtype).
Result<tensor::Tensor> convertTensor(const tensor::Tensor &value, DType dtype);
inline Result<tensor::Tensor> toF32(const tensor::Tensor &value) {
  return convertTensor(value, DType::F32);
}

} // namespace qrt

#endif // QRT_ENGINE_TENSORBYTES_H
