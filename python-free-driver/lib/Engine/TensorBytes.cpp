//===- TensorBytes.cpp - Making and cutting tensors for the generic engine -------------------===//
#include "Engine/TensorBytes.h"

#include <cstdlib>
#include <cstring>

namespace qrt {

int64_t elementCount(const tensor::Tensor &value) {
  int64_t count = 1;
  for (int64_t dim : value.shape)
    count *= dim; // shapes of evaluated tensors have passed the checks of lib/Tensor
  return count;
}

int64_t byteSize(const tensor::Tensor &value) {
  return elementCount(value) * byteWidth(value.dtype);
}

FreshTensor freshTensor(DType dtype, std::vector<int64_t> shape) {
  FreshTensor fresh;
  fresh.tensor.dtype = dtype;
  fresh.tensor.shape = std::move(shape);
  auto bytes = static_cast<size_t>(byteSize(fresh.tensor));
  fresh.data = std::aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
  fresh.tensor.data = std::shared_ptr<const void>(
      fresh.data, [](const void *p) { std::free(const_cast<void *>(p)); });
  return fresh;
}

Result<tensor::Tensor> integerTensor(DType dtype, std::vector<int64_t> shape,
                                     std::span<const int64_t> values) {
  FreshTensor fresh = freshTensor(DType::I64, std::move(shape));
  if (!values.empty())
    std::memcpy(fresh.data, values.data(), values.size_bytes());
  return convertTensor(fresh.tensor, dtype);
}

tensor::Tensor leadingPart(const tensor::Tensor &value, size_t axis, int64_t length) {
  std::vector<int64_t> shape = value.shape;
  int64_t outer = 1, inner = byteWidth(value.dtype);
  for (size_t i = 0; i < axis; ++i)
    outer *= shape[i];
  for (size_t i = axis + 1; i < shape.size(); ++i)
    inner *= shape[i];
  const int64_t fromBytes = shape[axis] * inner, toBytes = length * inner;
  shape[axis] = length;
  FreshTensor fresh = freshTensor(value.dtype, std::move(shape));
  for (int64_t i = 0; i < outer; ++i)
    std::memcpy(static_cast<char *>(fresh.data) + i * toBytes,
                static_cast<const char *>(value.data.get()) + i * fromBytes, size_t(toBytes));
  return fresh.tensor;
}

Result<tensor::Tensor> convertTensor(const tensor::Tensor &value, DType dtype) {
  if (value.dtype == dtype)
    return value;
  tensor::OpCall cast;
  cast.name = "cast";
  cast.attrs["to"] = std::string(name(dtype));
  const tensor::Tensor *operand = &value;
  QRT_ASSIGN_OR_RETURN(std::vector<tensor::Tensor> results, tensor::evaluate(cast, {&operand, 1}));
  return std::move(results[0]);
}

} // namespace qrt
