//===- DeviceWeight.cpp --------------------------------------------------------===//

#include "DeviceWeight.h"

#include "qrt/Half.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

namespace qrt::cuda::test {

Device::Device(uint64_t seed) {
  stream.options.seed = seed;
  launch.stream = &stream;
  launch.capability = 90;
  launch.multiprocessors = 132;
  launch.sharedBytesPerBlock = 227 * 1024;
  launch.faults = &faults;
}

static constexpr size_t guard = 256;

Memory::Memory(size_t bytes) : buffer(bytes + 3 * guard, 0xff), size(bytes) {
  base = reinterpret_cast<uint8_t *>((reinterpret_cast<uintptr_t>(buffer.data()) + 2 * guard - 1) /
                                     guard * guard);
}
Memory::Memory(const Memory &other) : Memory(other.size) { std::memcpy(base, other.base, size); }
bool Memory::guardsIntact() const {
  for (const uint8_t *p = buffer.data(); p < base; ++p)
    if (*p != 0xff)
      return false;
  for (const uint8_t *p = base + size; p < buffer.data() + buffer.size(); ++p)
    if (*p != 0xff)
      return false;
  return true;
}

DeviceMatrix::DeviceMatrix(int64_t rows, int64_t width, DType type, int64_t padding)
    : rows(rows), width(width), stride((width + 7) / 8 * 8 + padding), type(type),
      memory(size_t(rows * stride) * byteWidth(type)) {}

void DeviceMatrix::set(const std::vector<float> &values) {
  for (int64_t i = 0; i < rows * width; ++i) {
    int64_t at = i / width * stride + i % width;
    if (type == DType::F32)
      memory.data<float>()[at] = values[size_t(i)];
    else
      memory.data<uint16_t>()[at] =
          type == DType::F16 ? f32ToF16(values[size_t(i)]) : f32ToBf16(values[size_t(i)]);
  }
}

std::vector<float> DeviceMatrix::get() const {
  std::vector<float> values(size_t(rows * width));
  for (int64_t i = 0; i < rows * width; ++i) {
    int64_t at = i / width * stride + i % width;
    values[size_t(i)] = type == DType::F32   ? memory.data<float>()[at]
                        : type == DType::F16 ? f16ToF32(memory.data<uint16_t>()[at])
                                             : bf16ToF32(memory.data<uint16_t>()[at]);
  }
  return values;
}

Matrix DeviceMatrix::view() const { return {memory.data(), stride, type}; }

DeviceWeight::DeviceWeight(const kernels::WeightDesc &desc, uint32_t seed)
    : host(kernels::test::randomWeight(desc, seed)), data(size_t(repackedBytes(desc))) {
  Device device;
  if (launchRepack(device.launch, {desc, host.view().data, data.data()}) || !data.guardsIntact()) {
    std::fprintf(stderr, "repacking failed: %s\n", device.stream.error.c_str());
    std::abort();
  }
}

Weight DeviceWeight::view() const {
  Weight view = host.view();
  view.data = data.data();
  return view;
}

std::vector<float> randomValues(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> values(count);
  for (float &v : values)
    v = static_cast<float>(int32_t(random())) * 0x1p-31f;
  return values;
}

double relativeError(const std::vector<float> &a, const std::vector<double> &b) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  double error = std::sqrt(difference / std::max(norm, 1e-30));
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

} // namespace qrt::cuda::test
