//===- CudaOperands.h - Random operands of products on a device -------------------------------===//
// For the benchmark and the check. Memory lives as long as the object. Random bytes are made once
// and repeated: large weights would take longer to make than to multiply.
#ifndef QRT_KERNELS_BENCH_CUDAOPERANDS_H
#define QRT_KERNELS_BENCH_CUDAOPERANDS_H

#include "Device/CudaDevice.h"
#include "qrt/Half.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace qrt::bench {

/// What is multiplied: a weight and the type of the activations.
struct ProductCase {
  std::string name; ///< of the format: "w4"
  kernels::WeightDesc desc;
  DType type = DType::F16;
};

inline uint16_t roundTo(DType type, float value) {
  return type == DType::BF16 ? f32ToBf16(value) : f32ToF16(value);
}
inline float widen(DType type, uint16_t bits) {
  return type == DType::BF16 ? bf16ToF32(bits) : f16ToF32(bits);
}

class CudaOperands {
public:
  explicit CudaOperands(CudaDevice &device, uint32_t seed = 1) : device(device), generator(seed) {}

  std::mt19937 &random() { return generator; }

  /// `bytes` of device memory, all 0xff: NaN in every type.
  Result<void *> poisoned(int64_t bytes, const std::string &what) {
    QRT_ASSIGN_OR_RETURN(auto piece, device.allocate(std::max<int64_t>(bytes, 16), what));
    QRT_RETURN_IF_ERROR(device.fill(piece.get(), 0xff, std::max<int64_t>(bytes, 16)));
    memory.push_back(std::move(piece));
    return memory.back().get();
  }
  template <class T>
  Result<void *> upload(const std::vector<T> &host, const std::string &what) {
    return repeat(host, int64_t(host.size() * sizeof(T)), what);
  }
  /// `bytes` that repeat up to 1 MiB and a bit of what make() gives.
  template <class Make>
  Result<void *> halves(int64_t bytes, const std::string &what, Make make) {
    std::vector<uint16_t> host(size_t(std::min<int64_t>((bytes + 1) / 2, (1 << 19) + 2056)));
    for (uint16_t &v : host)
      v = make();
    return repeat(host, bytes, what);
  }

  /// Any codes; scales of both sizes within a factor of four; any zero points.
  Result<cuda::Weight> weight(const kernels::WeightDesc &desc) {
    cuda::Weight weight;
    weight.desc = desc;
    QRT_ASSIGN_OR_RETURN(const kernels::PackedSizes sizes, kernels::packedSizes(desc));
    const int64_t bytes = device.table().repackedBytes(desc);
    if (bytes < 0)
      return Status::error(StatusCode::InvalidArgument, "no kernel reads this format");
    const DType stored = desc.format == kernels::WeightFormat::BF16 ? DType::BF16 : DType::F16;
    std::normal_distribution<float> normal(0.0f, 0.02f);
    std::uniform_real_distribution<float> exponent(-8.0f, -6.0f);
    const bool codes = kernels::isQuantized(desc.format);
    auto element = [&] {
      return codes ? uint16_t(generator()) : roundTo(stored, normal(generator));
    };
    QRT_ASSIGN_OR_RETURN(weight.data, halves(bytes, "weight", element));
    if (sizes.scales > 0) {
      auto scale = [&] { return f32ToF16(std::exp2(exponent(generator))); };
      QRT_ASSIGN_OR_RETURN(weight.scales, halves(int64_t(sizes.scales), "scales", scale));
    }
    if (sizes.zeroPoints > 0) {
      const uint32_t most = (1u << kernels::weightBits(desc.format)) - 1;
      auto pair = [&] { return uint16_t((generator() & most) | (generator() & most) << 8); };
      QRT_ASSIGN_OR_RETURN(void *zero, halves(int64_t(sizes.zeroPoints), "zero points", pair));
      weight.zeroPoints = static_cast<const uint8_t *>(zero);
    }
    return weight;
  }

private:
  template <class T>
  Result<void *> repeat(const std::vector<T> &host, int64_t bytes, const std::string &what) {
    QRT_ASSIGN_OR_RETURN(void *to, poisoned(bytes, what));
    const auto period = int64_t(host.size() * sizeof(T));
    for (int64_t at = 0; at < bytes; at += period)
      QRT_RETURN_IF_ERROR(device.copyToDevice(static_cast<uint8_t *>(to) + at, host.data(),
                                              std::min(period, bytes - at)));
    return to;
  }

  CudaDevice &device;
  std::mt19937 generator;
  std::vector<CudaDevice::Memory> memory;
};

} // namespace qrt::bench

#endif // QRT_KERNELS_BENCH_CUDAOPERANDS_H
