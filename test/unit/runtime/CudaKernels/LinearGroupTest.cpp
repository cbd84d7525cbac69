//===- LinearGroupTest.cpp - several products in one launch, on the emulator ----------------===//
//
// Reference: the same products launched one by one (which LinearTest.cpp and Int8Test.cpp compare
// with exact ones).
//
//===----------------------------------------------------------------------===//

#include "DeviceWeight.h"
#include "kernels/cuda/layout/Int8Layout.h"
#include "kernels/cuda/linear/LinearPlan.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;
using kernels::ScaleType;

namespace {

struct Workspace {
  Memory memory;
  explicit Workspace(int64_t bytes) : memory(size_t(std::max<int64_t>(bytes, 16))) {
    std::fill_n(memory.data<uint8_t>(), std::min(bytes, ticketCounters * 4), 0);
  }
};

std::vector<float> alone(Device &device, const Matrix &src, const LinearPart &part, int64_t rows) {
  DeviceMatrix dst(rows, part.weight.desc.n, DType::F32);
  LinearParams params;
  params.src = src;
  params.weight = part.weight;
  params.bias = part.bias;
  params.add = part.add;
  params.dst = dst.view();
  params.rows = rows;
  Workspace workspace(linearWorkspaceBytes(device.launch, params));
  params.workspace = workspace.memory.data();
  EXPECT_EQ(launchLinear(device.launch, params), 0) << device.stream.error;
  return dst.get();
}

/// Random activations of f16, or of f32 rounded to 8 bits.
struct Input {
  DeviceMatrix values;
  Memory rounded;
  Matrix view;

  Input(const WeightDesc &desc, int64_t rows, bool is8Bit)
      : values(rows, desc.k, is8Bit ? DType::F32 : DType::F16),
        rounded(size_t(int8Bytes(rows, desc.k, int8Block(desc)))), view(values.view()) {
    values.set(randomValues(size_t(rows * desc.k), 1));
    if (!is8Bit)
      return;
    Device device;
    EXPECT_EQ(launchQuantize(device.launch, {view, rows, desc.k, int8Block(desc), rounded.data()}),
              0);
    view = {rounded.data(), 0, DType::I8};
  }
};

std::vector<double> wide(const std::vector<float> &values) {
  return {values.begin(), values.end()};
}

/// Parts of ns[i] outputs.
void checkGroup(WeightDesc desc, std::vector<int64_t> ns, int64_t rows, int multiprocessors,
                int sharedKilobytes, bool is8Bit = false) {
  SCOPED_TRACE(testing::Message() << "format " << int(desc.format) << " k " << desc.k << " rows "
                                  << rows << " SMs " << multiprocessors << " 8 bits " << is8Bit);
  const Input input(desc, rows, is8Bit);
  std::vector<DeviceWeight> weights;
  std::vector<DeviceMatrix> results, added;
  std::vector<std::vector<float>> biases;
  for (size_t i = 0; i < ns.size(); ++i) {
    desc.n = ns[i];
    weights.emplace_back(desc, uint32_t(i + 1));
    results.emplace_back(rows, desc.n, DType::F32);
    added.emplace_back(rows, desc.n, DType::F32);
    added.back().set(randomValues(size_t(rows * desc.n), uint32_t(i + 10)));
    biases.push_back(randomValues(size_t(desc.n), uint32_t(i + 20)));
  }
  for (uint64_t seed : {0, 2}) {
    Device device(seed);
    device.launch.multiprocessors = multiprocessors;
    device.launch.sharedBytesPerBlock = sharedKilobytes * 1024;
    LinearGroupParams params;
    params.src = input.view;
    params.count = int32_t(ns.size());
    params.rows = rows;
    for (size_t i = 0; i < ns.size(); ++i) {
      params.parts[i].weight = weights[i].view();
      if (i != 1)
        params.parts[i].bias = biases[i].data();
      if (i == 2)
        params.parts[i].add = added[i].view();
      params.parts[i].dst = results[i].view();
    }
    const int64_t bytes = linearGroupWorkspaceBytes(device.launch, params);
    ASSERT_GT(bytes, 0);
    Workspace workspace(bytes);
    params.workspace = workspace.memory.data();
    ASSERT_EQ(launchLinearGroup(device.launch, params), 0) << device.stream.error;
    EXPECT_TRUE(workspace.memory.guardsIntact());
    for (size_t i = 0; i < ns.size(); ++i) {
      EXPECT_TRUE(results[i].guardsIntact());
      EXPECT_LT(
          relativeError(results[i].get(), wide(alone(device, params.src, params.parts[i], rows))),
          1e-6)
          << "part " << i;
    }
  }
}

void checkGated(const WeightDesc &desc, int64_t rows, int multiprocessors, DType type,
                bool is8Bit = false) {
  SCOPED_TRACE(testing::Message() << "format " << int(desc.format) << " k " << desc.k << " rows "
                                  << rows << " SMs " << multiprocessors << " 8 bits " << is8Bit);
  const Input input(desc, rows, is8Bit);
  DeviceMatrix dst(rows, desc.n, type);
  const DeviceWeight gate(desc, 5), up(desc, 6);
  const std::vector<float> bias = randomValues(size_t(desc.n), 7);
  for (uint64_t seed : {0, 2}) {
    Device device(seed);
    device.launch.multiprocessors = multiprocessors;
    LinearGroupParams params;
    params.src = input.view;
    params.count = 2;
    params.gated = true;
    params.rows = rows;
    params.parts[0].weight = gate.view();
    params.parts[1].weight = up.view();
    params.parts[1].bias = bias.data();
    params.parts[0].dst = dst.view();
    Workspace workspace(linearGroupWorkspaceBytes(device.launch, params));
    params.workspace = workspace.memory.data();
    ASSERT_EQ(launchLinearGroup(device.launch, params), 0) << device.stream.error;
    EXPECT_TRUE(dst.guardsIntact() && workspace.memory.guardsIntact());
    const std::vector<float> g = alone(device, params.src, params.parts[0], rows),
                             u = alone(device, params.src, params.parts[1], rows);
    std::vector<double> expected;
    for (size_t i = 0; i < g.size(); ++i)
      expected.push_back(double(g[i]) / (1 + std::exp(-double(g[i]))) * u[i]);
    EXPECT_LT(relativeError(dst.get(), expected), type == DType::F32 ? 2e-6 : 1e-3);
  }
}

const WeightDesc anyDesc = {WeightFormat::U4, 16, 384, 128, true, ScaleType::F16};

TEST(LinearGroup, PartsOfOddSizes) {
  for (WeightFormat format : {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3,
                              WeightFormat::U2, WeightFormat::F16}) {
    WeightDesc desc = anyDesc;
    desc.format = format;
    desc.symmetric = false;
    desc.groupSize = format == WeightFormat::F16 ? 0 : 64;
    checkGroup(desc, {100, 17, 48}, 3, 132, 227);
    checkGroup(desc, {32, 16}, 9, 2, 99);
  }
}

TEST(LinearGroup, BlocksWithManyItemsAndItemsWithManyBlocks) {
  WeightDesc desc = anyDesc;
  checkGroup(desc, {300, 64, 64}, 1, 1, 227);
  checkGroup(desc, {300, 64, 64}, 16, 3, 227);
  desc.k = 20480;
  checkGroup(desc, {40, 8, 24}, 2, 132, 227);
  EXPECT_GT(planStream(Device().launch, desc, 5).splits, 1);
}

TEST(LinearGroup, GateAndUp) {
  WeightDesc desc = anyDesc;
  desc.n = 70;
  for (int64_t rows : {1, 8, 13})
    for (int multiprocessors : {1, 4, 132})
      checkGated(desc, rows, multiprocessors, rows == 8 ? DType::F16 : DType::F32);
  desc = {WeightFormat::U8, 33, 20480, 32, false, ScaleType::F16}; // with splits
  checkGated(desc, 2, 132, DType::F32);
}

TEST(LinearGroup, EightBitActivations) {
  for (WeightFormat format :
       {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
    for (int group : {0, 32, 64, 128}) {
      const WeightDesc desc = {format, 16, 384, group, group == 64, ScaleType::F16};
      checkGroup(desc, {100, 17, 48}, 3, 132, 227, true);
      checkGroup(desc, {32, 16}, 9, 2, 99, true);
      checkGated({format, 70, 200, group, group != 64, ScaleType::F16}, group ? 2 : 13, 4,
                 format == WeightFormat::U2 ? DType::F16 : DType::F32, true);
    }
  WeightDesc desc = anyDesc;
  checkGroup(desc, {300, 64, 64}, 16, 3, 227, true);
  desc.k = 20480; // with splits
  checkGroup(desc, {40, 8, 24}, 2, 132, 227, true);
  checkGated({WeightFormat::U8, 33, 20480, 32, false, ScaleType::F16}, 2, 132, DType::F32, true);
}

/// RmsNorm and the group in one launch are those in two.
void checkNormed(WeightDesc desc, std::vector<int64_t> ns, int64_t rows, int multiprocessors) {
  SCOPED_TRACE(testing::Message() << "format " << int(desc.format) << " k " << desc.k << " rows "
                                  << rows << " SMs " << multiprocessors);
  const DType type = desc.format == WeightFormat::BF16 ? DType::BF16 : DType::F16;
  DeviceMatrix src(rows, desc.k, DType::F32), normed(rows, desc.k, type);
  src.set(randomValues(size_t(rows * desc.k), 1));
  const std::vector<float> weight = randomValues(size_t(desc.k), 4);
  Memory aligned(weight.size() * 4);
  std::copy(weight.begin(), weight.end(), aligned.data<float>());
  std::vector<DeviceWeight> weights;
  std::vector<DeviceMatrix> results;
  for (size_t i = 0; i < ns.size(); ++i) {
    desc.n = ns[i];
    weights.emplace_back(desc, uint32_t(i + 1));
    results.emplace_back(rows, desc.n, DType::F32);
  }
  for (uint64_t seed : {0, 2}) {
    Device device(seed);
    device.launch.multiprocessors = multiprocessors;
    NormParams norm;
    norm.src = src.view();
    norm.dst = normed.view();
    norm.weight = aligned.data<float>();
    norm.rows = rows;
    norm.width = norm.chunk = desc.k;
    norm.epsilon = 1e-5f;
    ASSERT_EQ(launchNorm(device.launch, norm), 0) << device.stream.error;
    LinearGroupParams params;
    params.src = src.view();
    params.normWeight = aligned.data<float>();
    params.epsilon = norm.epsilon;
    params.count = int32_t(ns.size());
    params.rows = rows;
    for (size_t i = 0; i < ns.size(); ++i) {
      params.parts[i].weight = weights[i].view();
      params.parts[i].dst = results[i].view();
    }
    const int64_t bytes = linearGroupWorkspaceBytes(device.launch, params);
    ASSERT_GT(bytes, 0);
    Workspace workspace(bytes);
    params.workspace = workspace.memory.data();
    ASSERT_EQ(launchLinearGroup(device.launch, params), 0) << device.stream.error;
    for (size_t i = 0; i < ns.size(); ++i) {
      EXPECT_TRUE(results[i].guardsIntact());
      // A value at the edge of rounding may fall to the other side.
      EXPECT_LT(relativeError(results[i].get(),
                              wide(alone(device, normed.view(), params.parts[i], rows))),
                type == DType::F16 ? 2e-4 : 2e-3)
          << "part " << i;
    }
  }
}

TEST(LinearGroup, NormBeforeIt) {
  for (WeightFormat format : {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3,
                              WeightFormat::U2, WeightFormat::F16, WeightFormat::BF16}) {
    const bool coded = kernels::isQuantized(format);
    checkNormed({format, 16, 200, coded ? 32 : 0, false, ScaleType::F16}, {100, 17}, 3, 4);
    checkNormed({format, 16, 384, 0, true, ScaleType::F16}, {33}, 8, 132);
  }
  checkNormed({WeightFormat::U4, 16, 2100, 128, true, ScaleType::F16}, {48, 16, 16}, 1, 2);
}

TEST(LinearGroup, WhatIsNotTaken) {
  Device device;
  LinearGroupParams params;
  params.count = 2;
  params.rows = 1;
  params.src.type = DType::F16;
  params.parts[0].weight.desc = params.parts[1].weight.desc = anyDesc;
  EXPECT_GT(linearGroupWorkspaceBytes(device.launch, params), 0);
  auto refused = [&](auto change) {
    LinearGroupParams other = params;
    change(other);
    return linearGroupWorkspaceBytes(device.launch, other) == -1 &&
           launchLinearGroup(device.launch, other) != 0;
  };
  EXPECT_TRUE(refused([](LinearGroupParams &p) { p.rows = maxGroupRows + 1; }));
  EXPECT_TRUE(refused([](LinearGroupParams &p) { p.count = 4; }));
  const float weight = 1;
  EXPECT_TRUE(refused([&](LinearGroupParams &p) { p.normWeight = &weight; })); // of f16
  EXPECT_TRUE(refused([&](LinearGroupParams &p) {
    p.normWeight = &weight;
    p.src.type = DType::F32;
    p.rows = 9;
  }));
  EXPECT_TRUE(refused([](LinearGroupParams &p) { p.src.type = DType::F32; }));
  EXPECT_TRUE(refused([](LinearGroupParams &p) {
    p.src.type = DType::I8;
    p.parts[0].weight.desc.scaleType = p.parts[1].weight.desc.scaleType = ScaleType::F32;
  }));
  EXPECT_TRUE(refused([](LinearGroupParams &p) {
    p.src.type = DType::I8;
    for (int i : {0, 1}) {
      p.parts[i].weight.desc.format = WeightFormat::F16;
      p.parts[i].weight.desc.groupSize = 0;
    }
  }));
  EXPECT_TRUE(refused([](LinearGroupParams &p) { p.parts[1].weight.desc.k = 256; }));
  EXPECT_TRUE(refused([](LinearGroupParams &p) { p.parts[1].weight.desc.groupSize = 32; }));
  EXPECT_TRUE(refused([](LinearGroupParams &p) {
    p.gated = true;
    p.parts[1].weight.desc.n = 32;
  }));
}

} // namespace
