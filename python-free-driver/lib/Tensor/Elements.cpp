//===- Elements.cpp - Typed access to the elements of tensors ---------------------------------===//
#include "Tensor/Elements.h"

#include "qrt/Half.h"

#include <algorithm>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace qrt::tensor {

Result<FreshTensor> makeTensor(DType dtype, Shape shape) {
  QRT_ASSIGN_OR_RETURN(int64_t count, checkShape(dtype, shape));
  FreshTensor fresh;
  const auto bytes = static_cast<size_t>(count) * byteWidth(dtype);
  fresh.data = std::aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
  if (!fresh.data)
    return resourceExhausted("no memory for a tensor of shape " + shapeText(shape));
  fresh.tensor.dtype = dtype;
  fresh.tensor.shape = std::move(shape);
  fresh.tensor.data = std::shared_ptr<const void>(
      fresh.data, [](const void *p) { std::free(const_cast<void *>(p)); });
  return fresh;
}

Result<Tensor> abstractTensor(DType dtype, Shape shape) {
  QRT_RETURN_IF_ERROR(checkShape(dtype, shape).status());
  return Tensor{dtype, std::move(shape), nullptr};
}

Tensor withShape(const Tensor &x, Shape shape) { return {x.dtype, std::move(shape), x.data}; }

std::string describe(const Tensor &x) {
  return std::string(name(x.dtype)) + " " + shapeText(x.shape);
}

namespace {

/// The float between `value` and 0 with its last bit set where it is inexact: rounding it further
/// to at most 22 bits gives what rounding `value` would.
float roundToOdd(double value) {
  float result = static_cast<float>(value);
  if (!std::isfinite(result) || static_cast<double>(result) == value)
    return std::isnan(value) || std::isinf(value) || std::isfinite(result)
               ? result
               : std::copysign(std::numeric_limits<float>::max(), result);
  if (std::abs(static_cast<double>(result)) > std::abs(value))
    result = std::nextafter(result, 0.0f);
  return std::bit_cast<float>(std::bit_cast<uint32_t>(result) | 1u);
}

template <class To, class From>
To convert(From value) {
  if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    // The bounds as floats: 2^(n-1) and 2^n are exact, the largest integers may not be.
    constexpr From low = static_cast<From>(std::numeric_limits<To>::min());
    constexpr int bits = std::numeric_limits<To>::digits;
    const From high = std::ldexp(From(1), bits);
    if (std::isnan(value))
      return 0;
    if (value <= low)
      return std::numeric_limits<To>::min();
    return value >= high ? std::numeric_limits<To>::max() : static_cast<To>(value);
  } else {
    return static_cast<To>(value); // integers wrap, floats round
  }
}

template <class From>
float towardsHalf(From value) {
  if constexpr (std::is_same_v<From, float>)
    return value;
  else
    return roundToOdd(static_cast<double>(value));
}

/// Saturation of sub-byte types is that of their own width.
template <class C>
uint8_t narrow(C value, int bits, bool isSigned) {
  const int64_t low = isSigned ? -(int64_t(1) << (bits - 1)) : 0;
  const int64_t high = low + (int64_t(1) << bits) - 1;
  auto wide = convert<int64_t>(value);
  if constexpr (std::is_floating_point_v<C>)
    return static_cast<uint8_t>(std::clamp(wide, low, high));
  const int64_t wrapped =
      static_cast<int64_t>(static_cast<uint64_t>(wide - low) & ((uint64_t(1) << bits) - 1)) + low;
  return static_cast<uint8_t>(wrapped);
}

template <class T, class C>
void storeAs(const C *values, int64_t count, void *out) {
  T *to = static_cast<T *>(out);
  for (int64_t i = 0; i < count; ++i)
    to[i] = convert<T>(values[i]);
}

template <class C>
void store(DType dtype, const C *values, int64_t count, void *out) {
  switch (dtype) {
  case DType::F32:
    return storeAs<float>(values, count, out);
  case DType::F64:
    return storeAs<double>(values, count, out);
  case DType::I8:
    return storeAs<int8_t>(values, count, out);
  case DType::U8:
    return storeAs<uint8_t>(values, count, out);
  case DType::I16:
    return storeAs<int16_t>(values, count, out);
  case DType::U16:
    return storeAs<uint16_t>(values, count, out);
  case DType::I32:
    return storeAs<int32_t>(values, count, out);
  case DType::U32:
    return storeAs<uint32_t>(values, count, out);
  case DType::I64:
    return storeAs<int64_t>(values, count, out);
  case DType::U64:
    return storeAs<uint64_t>(values, count, out);
  case DType::F16:
    for (int64_t i = 0; i < count; ++i)
      static_cast<uint16_t *>(out)[i] = f32ToF16(towardsHalf(values[i]));
    return;
  case DType::BF16:
    for (int64_t i = 0; i < count; ++i)
      static_cast<uint16_t *>(out)[i] = f32ToBf16(towardsHalf(values[i]));
    return;
  case DType::Bool:
    for (int64_t i = 0; i < count; ++i)
      static_cast<uint8_t *>(out)[i] = values[i] != C(0);
    return;
  case DType::I4:
  case DType::U4:
  case DType::I2:
  case DType::U2:
    for (int64_t i = 0; i < count; ++i)
      static_cast<uint8_t *>(out)[i] = narrow(values[i], bitWidth(dtype), isSigned(dtype));
    return;
  }
}

template <class T, class C>
void loadAs(const Tensor &x, C *to) {
  const T *from = static_cast<const T *>(x.data.get());
  const int64_t count = countOf(x);
  for (int64_t i = 0; i < count; ++i)
    to[i] = convert<C>(from[i]);
}

template <class C>
void load(const Tensor &x, C *to) {
  const int64_t count = countOf(x);
  const auto *halves = static_cast<const uint16_t *>(x.data.get());
  switch (x.dtype) {
  case DType::F32:
    return loadAs<float>(x, to);
  case DType::F64:
    return loadAs<double>(x, to);
  case DType::I8:
  case DType::I4:
  case DType::I2:
    return loadAs<int8_t>(x, to);
  case DType::U8:
  case DType::U4:
  case DType::U2:
    return loadAs<uint8_t>(x, to);
  case DType::I16:
    return loadAs<int16_t>(x, to);
  case DType::U16:
    return loadAs<uint16_t>(x, to);
  case DType::I32:
    return loadAs<int32_t>(x, to);
  case DType::U32:
    return loadAs<uint32_t>(x, to);
  case DType::I64:
    return loadAs<int64_t>(x, to);
  case DType::U64:
    return loadAs<uint64_t>(x, to);
  case DType::F16:
    for (int64_t i = 0; i < count; ++i)
      to[i] = convert<C>(f16ToF32(halves[i]));
    return;
  case DType::BF16:
    for (int64_t i = 0; i < count; ++i)
      to[i] = convert<C>(bf16ToF32(halves[i]));
    return;
  case DType::Bool:
    for (int64_t i = 0; i < count; ++i)
      to[i] = C(static_cast<const uint8_t *>(x.data.get())[i] != 0);
    return;
  }
}

template <class C>
Result<Tensor> packValues(DType dtype, Shape shape, std::vector<C> values) {
  if (dtype == dtypeOfCompute<C>()) {
    QRT_ASSIGN_OR_RETURN(Tensor result, abstractTensor(dtype, std::move(shape)));
    if (values.capacity() == 0)
      values.reserve(1); // data is not null
    auto owner = std::make_shared<const std::vector<C>>(std::move(values));
    result.data = std::shared_ptr<const void>(owner, owner->data());
    return result;
  }
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(dtype, std::move(shape)));
  store(dtype, values.data(), countOf(fresh.tensor), fresh.data);
  return std::move(fresh.tensor);
}

template <class T>
void copyRows(const Tensor &x, int64_t base, const std::vector<int64_t> &strides,
              const Shape &shape, void *out) {
  const T *from = static_cast<const T *>(x.data.get()) + base;
  T *to = static_cast<T *>(out);
  forEachRow<1>(shape, {strides},
                [&](int64_t at, const auto &offsets, int64_t length, const auto &steps) {
                  const T *row = from + offsets[0];
                  const int64_t step = steps[0];
                  if (step == 1) {
                    std::memcpy(to + at, row, static_cast<size_t>(length) * sizeof(T));
                    return;
                  }
                  for (int64_t i = 0; i < length; ++i)
                    to[at + i] = row[i * step];
                });
}

} // namespace

void loadElements(const Tensor &x, float *to) { load(x, to); }
void loadElements(const Tensor &x, double *to) { load(x, to); }
void loadElements(const Tensor &x, int64_t *to) { load(x, to); }
void loadElements(const Tensor &x, uint64_t *to) { load(x, to); }

Result<Tensor> pack(DType dtype, Shape shape, std::vector<float> values) {
  return packValues(dtype, std::move(shape), std::move(values));
}
Result<Tensor> pack(DType dtype, Shape shape, std::vector<double> values) {
  return packValues(dtype, std::move(shape), std::move(values));
}
Result<Tensor> pack(DType dtype, Shape shape, std::vector<int64_t> values) {
  return packValues(dtype, std::move(shape), std::move(values));
}
Result<Tensor> pack(DType dtype, Shape shape, std::vector<uint64_t> values) {
  return packValues(dtype, std::move(shape), std::move(values));
}

Result<std::vector<int64_t>> integersOf(const Tensor &x, const char *what) {
  if (isAbstract(x))
    return unsupported(std::string("the result depends on the values of '") + what +
                       "', which are not known");
  if (!isInteger(x.dtype))
    return invalidArgument(std::string("'") + what + "' is " + describe(x) + ", not integer");
  Elements<int64_t> elements(x);
  return std::vector<int64_t>(elements.begin(), elements.end());
}

Result<int64_t> integerOf(const Tensor &x, const char *what) {
  QRT_ASSIGN_OR_RETURN(std::vector<int64_t> values, integersOf(x, what));
  if (values.size() != 1)
    return invalidArgument(std::string("'") + what + "' has shape " + shapeText(x.shape) +
                           ", not one element");
  return values[0];
}

Result<Tensor> copyStrided(const Tensor &x, int64_t base, const std::vector<int64_t> &strides,
                           Shape shape) {
  if (isAbstract(x))
    return abstractTensor(x.dtype, std::move(shape));
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(x.dtype, std::move(shape)));
  const Shape &to = fresh.tensor.shape;
  switch (byteWidth(x.dtype)) {
  case 1:
    copyRows<uint8_t>(x, base, strides, to, fresh.data);
    break;
  case 2:
    copyRows<uint16_t>(x, base, strides, to, fresh.data);
    break;
  case 4:
    copyRows<uint32_t>(x, base, strides, to, fresh.data);
    break;
  default:
    copyRows<uint64_t>(x, base, strides, to, fresh.data);
  }
  return std::move(fresh.tensor);
}

} // namespace qrt::tensor
