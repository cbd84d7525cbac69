//===- DeviceWeight.h - what tests of the device's kernels share ---------------===//

#ifndef QRT_TEST_CUDAKERNELS_DEVICEWEIGHT_H
#define QRT_TEST_CUDAKERNELS_DEVICEWEIGHT_H

#include "LinearFixture.h"
#include "kernels/cuda/Ops.h"
#include "kernels/cuda/emulator/Stream.h"

#include <vector>

namespace qrt::cuda::test {

/// A device of the emulator with the limits of an H100, unless told otherwise. The orders of
/// threads to try: ascending, descending, random.
struct Device {
  emulator::Stream stream;
  uint32_t faults = 0;
  Launch launch;

  explicit Device(uint64_t seed = 0);
};
inline constexpr uint64_t allSeeds[] = {0, 1, 2, 3};

/// 256-byte aligned memory filled with 0xff (NaN), with guard bands that check() inspects.
class Memory {
public:
  explicit Memory(size_t bytes);
  Memory(const Memory &other); ///< memory of its own with the same content
  Memory(Memory &&) = default;
  template <class T = void>
  T *data() const {
    return reinterpret_cast<T *>(base);
  }
  bool guardsIntact() const;

private:
  std::vector<uint8_t> buffer;
  uint8_t *base;
  size_t size;
};

/// f32 values as a matrix of another type, and back.
class DeviceMatrix {
public:
  DeviceMatrix(int64_t rows, int64_t width, DType type, int64_t padding = 0);
  void set(const std::vector<float> &values); ///< [rows, width]
  std::vector<float> get() const;
  Matrix view() const;
  bool guardsIntact() const { return memory.guardsIntact(); }

private:
  int64_t rows, width, stride;
  DType type;
  Memory memory;
};

/// A packed weight, repacked by the emulated kernel.
struct DeviceWeight {
  kernels::test::RandomWeight host;
  Memory data;

  DeviceWeight(const kernels::WeightDesc &desc, uint32_t seed);
  Weight view() const;
};

/// Uniform in [-1, 1].
std::vector<float> randomValues(size_t count, uint32_t seed);
/// ||a - b|| / ||b||; NaN in `a` gives infinity.
double relativeError(const std::vector<float> &a, const std::vector<double> &b);

} // namespace qrt::cuda::test

#endif // QRT_TEST_CUDAKERNELS_DEVICEWEIGHT_H
