//===- LinearCase.cpp - one product on the emulator, against float64 -------------------------===//
#include "LinearCase.h"

#include "kernels/cuda/device/Tickets.h"

#include <gtest/gtest.h>

namespace qrt::cuda::test {

static std::vector<double> reference(const LinearCase &c, const DeviceWeight &weight,
                                     const std::vector<float> &x, const std::vector<float> &bias,
                                     const std::vector<float> &add) {
  std::vector<double> out(size_t(c.rows * c.desc.n));
  for (int64_t row = 0; row < c.rows; ++row)
    for (int64_t n = 0; n < c.desc.n; ++n) {
      double sum = c.bias ? bias[size_t(n)] : 0.0;
      if (c.add)
        sum += add[size_t(row * c.desc.n + n)];
      for (int64_t k = 0; k < c.desc.k; ++k)
        sum += double(weight.host.values[size_t(n * c.desc.k + k)]) * x[size_t(row * c.desc.k + k)];
      out[size_t(row * c.desc.n + n)] = sum;
    }
  return out;
}

void checkLinearOn(int sharedKilobytes, const LinearCase &c, int multiprocessors,
                   const std::vector<uint64_t> &seeds) {
  SCOPED_TRACE(testing::Message() << sharedKilobytes << " KB, format " << int(c.desc.format)
                                  << " n " << c.desc.n << " k " << c.desc.k << " group "
                                  << c.desc.groupSize << " symmetric " << c.desc.symmetric
                                  << " rows " << c.rows << " src " << int(c.src) << " SMs "
                                  << multiprocessors);
  DeviceWeight weight(c.desc, uint32_t(c.rows + c.desc.n));
  DeviceMatrix src(c.rows, c.desc.k, c.src, 8), dst(c.rows, c.desc.n, c.dst),
      add(c.rows, c.desc.n, DType::F32);
  src.set(randomValues(size_t(c.rows * c.desc.k), 1));
  std::vector<float> bias = randomValues(size_t(c.desc.n), 2),
                     addValues = randomValues(size_t(c.rows * c.desc.n), 3);
  add.set(addValues);
  std::vector<double> expected = reference(c, weight, src.get(), bias, addValues);
  std::vector<float> first;
  for (uint64_t seed : seeds) {
    Device device(seed);
    device.launch.multiprocessors = multiprocessors;
    device.launch.sharedBytesPerBlock = sharedKilobytes * 1024;
    LinearParams params;
    params.src = src.view();
    params.weight = weight.view();
    params.bias = c.bias ? bias.data() : nullptr;
    if (c.add)
      params.add = add.view();
    params.dst = dst.view();
    params.rows = c.rows;
    const int64_t bytes = linearWorkspaceBytes(device.launch, params);
    Memory workspace{size_t(bytes)};
    std::fill_n(workspace.data<uint8_t>(), std::min(bytes, ticketCounters * 4), 0);
    params.workspace = workspace.data();
    ASSERT_EQ(launchLinear(device.launch, params), 0) << device.stream.error;
    EXPECT_TRUE(dst.guardsIntact() && workspace.guardsIntact());
    for (int64_t i = 0; i < std::min(bytes / 4, ticketCounters); ++i)
      ASSERT_EQ(workspace.data<uint32_t>()[i], 0u);
    std::vector<float> got = dst.get();
    const double bound = c.dst == DType::BF16 ? 4e-3 : c.dst == DType::F16 ? 6e-4 : 2e-6;
    EXPECT_LT(relativeError(got, expected), bound);
    if (first.empty())
      first = got;
    EXPECT_EQ(got, first) << "seed " << seed;
  }
}

void checkLinear(const LinearCase &c, int multiprocessors, const std::vector<uint64_t> &seeds) {
  checkLinearOn(227, c, multiprocessors, seeds);
  checkLinearOn(99, c, multiprocessors, {seeds.back()});
}

} // namespace qrt::cuda::test
