//===- WideElements.cpp - Runs of elements as doubles or 64-bit integers ----------------------===//
#include "Tensor/WideElements.h"

#include "qrt/Half.h"

#include <bit>

namespace qrt::tensor {
namespace {

/// f16 to f32 without branches, which compilers vectorize: exact, subnormals included.
float halfToFloat(uint16_t half) {
  uint32_t magnitude = uint32_t(half & 0x7fffu) << 13;
  float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
  uint32_t special = (half & 0x7c00u) == 0x7c00u ? 0x7f800000u | magnitude : 0;
  uint32_t bits = std::bit_cast<uint32_t>(scaled) | special | uint32_t(half & 0x8000u) << 16;
  return std::bit_cast<float>(bits);
}

template <typename Stored, typename Wide, typename Convert>
void readRun(const Tensor &tensor, int64_t first, int64_t count, Wide *out, Convert convert) {
  const Stored *source = static_cast<const Stored *>(tensor.data.get()) + first;
  for (int64_t i = 0; i < count; ++i)
    out[i] = static_cast<Wide>(convert(source[i]));
}

template <typename Wide>
void readIntegers(const Tensor &tensor, int64_t first, int64_t count, Wide *out) {
  auto same = [](auto value) { return value; };
  switch (tensor.dtype) {
  case DType::I8:
  case DType::I4:
  case DType::I2:
    return readRun<int8_t>(tensor, first, count, out, same);
  case DType::I16:
    return readRun<int16_t>(tensor, first, count, out, same);
  case DType::U16:
    return readRun<uint16_t>(tensor, first, count, out, same);
  case DType::I32:
    return readRun<int32_t>(tensor, first, count, out, same);
  case DType::U32:
    return readRun<uint32_t>(tensor, first, count, out, same);
  case DType::I64:
    return readRun<int64_t>(tensor, first, count, out, same);
  case DType::U64:
    return readRun<uint64_t>(tensor, first, count, out, same);
  default: // Bool and the unsigned types of one byte
    return readRun<uint8_t>(tensor, first, count, out, same);
  }
}

template <typename Stored, typename Wide, typename Convert>
void writeRun(void *data, int64_t first, int64_t count, const Wide *values, Convert convert) {
  Stored *target = static_cast<Stored *>(data) + first;
  for (int64_t i = 0; i < count; ++i)
    target[i] = convert(values[i]);
}

} // namespace

void widen(const Tensor &tensor, int64_t first, int64_t count, double *out) {
  switch (tensor.dtype) {
  case DType::F32:
    return readRun<float>(tensor, first, count, out, [](float value) { return value; });
  case DType::F64:
    return readRun<double>(tensor, first, count, out, [](double value) { return value; });
  case DType::F16:
    return readRun<uint16_t>(tensor, first, count, out, halfToFloat);
  case DType::BF16:
    return readRun<uint16_t>(tensor, first, count, out, bf16ToF32);
  default:
    return readIntegers(tensor, first, count, out);
  }
}

void widen(const Tensor &tensor, int64_t first, int64_t count, int64_t *out) {
  readIntegers(tensor, first, count, out);
}

void narrow(DType dtype, void *data, int64_t first, int64_t count, const double *values) {
  switch (dtype) {
  case DType::F64:
    return writeRun<double>(data, first, count, values, [](double value) { return value; });
  case DType::F16:
    return writeRun<uint16_t>(data, first, count, values,
                              [](double value) { return f32ToF16(static_cast<float>(value)); });
  case DType::BF16:
    return writeRun<uint16_t>(data, first, count, values,
                              [](double value) { return f32ToBf16(static_cast<float>(value)); });
  default:
    return writeRun<float>(data, first, count, values,
                           [](double value) { return static_cast<float>(value); });
  }
}

void narrow(DType dtype, void *data, int64_t first, int64_t count, const int64_t *values) {
  auto wrap = [&]<typename Stored>(Stored) {
    writeRun<Stored>(data, first, count, values,
                     [](int64_t value) { return static_cast<Stored>(value); });
  };
  switch (byteWidth(dtype)) {
  case 1:
    return wrap(uint8_t{});
  case 2:
    return wrap(uint16_t{});
  case 4:
    return wrap(uint32_t{});
  default:
    return wrap(uint64_t{});
  }
}

} // namespace qrt::tensor
