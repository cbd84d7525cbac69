//===- LinearGroupsTest.cpp - Which linears run as one ---------------------------------------===//
#include "Engine/LinearGroups.h"
#include "TinyModel.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

namespace {

/// Linears of 8 x 32 in 4 bits, one buffer per result, at places the tests choose.
struct Schedule {
  Program program;

  Schedule() {
    program.values.push_back({.kind = ValueKind::Ids});
    TensorEntry entry;
    entry.packed = true;
    entry.shape = {8, 32};
    entry.weight = {kernels::WeightFormat::U4, 8, 32, 32, true, kernels::ScaleType::F16};
    program.tensors.push_back(entry);
    entry.weight.format = kernels::WeightFormat::U8;
    program.tensors.push_back(entry);
  }
  int32_t buffer(int64_t offset, int64_t width) {
    Value value;
    value.kind = ValueKind::Buffer;
    value.width = width;
    value.arenaOffset = offset;
    program.values.push_back(value);
    return int32_t(program.values.size() - 1);
  }
  int32_t emit(OpCode op, std::vector<int32_t> inputs, int64_t offset, int64_t width,
               std::vector<Attr> attrs = {}) {
    const int32_t out = buffer(offset, width);
    program.instructions.push_back({op, std::move(inputs), {out}, std::move(attrs), ""});
    return out;
  }
  int32_t linear(int32_t x, int64_t offset, int32_t tensor = 0, const char *activation = "a16") {
    Value weight;
    weight.kind = ValueKind::Tensor;
    weight.tensorIndex = tensor;
    program.values.push_back(weight);
    const auto number = int32_t(program.values.size() - 1);
    return emit(OpCode::Linear, {x, number}, offset, 8, {{"activation", activation}});
  }
  std::vector<size_t> leaders() const { return linearGroupLeaders(program); }
};

using Leaders = std::vector<size_t>;

} // namespace

TEST(LinearGroups, AcrossNormsOfTheirResults) {
  Schedule s;
  const int32_t x = s.buffer(0, 32);
  const int32_t q = s.linear(x, 32);
  s.emit(OpCode::Unary, {q}, 32, 8); // in place
  s.linear(x, 40);
  s.linear(x, 48);
  EXPECT_EQ(s.leaders(), (Leaders{0, 1, 0, 0}));
}

TEST(LinearGroups, NotOverMemoryInUseBetween) {
  Schedule s;
  const int32_t x = s.buffer(0, 32), old = s.buffer(44, 8);
  const int32_t q = s.linear(x, 32);
  s.emit(OpCode::Binary, {q, old}, 32, 8); // reads what the next result overwrites
  s.linear(x, 40);
  s.linear(x, 56);
  EXPECT_EQ(s.leaders(), (Leaders{0, 1, 2, 0}));
}

TEST(LinearGroups, NotOnceTheirInputChanged) {
  Schedule s;
  const int32_t x = s.buffer(0, 32);
  const int32_t q = s.linear(x, 32);
  s.emit(OpCode::Unary, {q}, 24, 8);
  s.linear(x, 40);
  EXPECT_EQ(s.leaders(), (Leaders{0, 1, 2}));
}

TEST(LinearGroups, OnlyAlike) {
  Schedule s;
  const int32_t x = s.buffer(0, 32), y = s.buffer(96, 32);
  s.linear(x, 32);
  s.linear(x, 40, 1);       // another format
  s.linear(x, 48, 0, "a8"); // another activation
  s.linear(y, 56);          // another input
  s.linear(x, 64, 1);
  EXPECT_EQ(s.leaders(), (Leaders{0, 1, 2, 3, 1}));
}

TEST(LinearGroups, NoMoreThanTheKernelTakes) {
  Schedule s;
  const int32_t x = s.buffer(0, 32);
  for (int i = 0; i < kernels::maxLinearParts + 2; ++i)
    s.linear(x, 32 + 8 * i);
  const Leaders leaders = s.leaders();
  EXPECT_EQ(leaders[kernels::maxLinearParts - 1], 0u);
  EXPECT_EQ(leaders[kernels::maxLinearParts], size_t(kernels::maxLinearParts));
  EXPECT_EQ(leaders[kernels::maxLinearParts + 1], size_t(kernels::maxLinearParts));
}

TEST(LinearGroups, QueryKeyValueAndGateUpOfAModel) {
  TinyConfig config;
  config.layers = 1;
  config.format = kernels::WeightFormat::U4;
  config.activation = "a8";
  const auto model = TinyModel(config).load();
  const Program &program = model->program();
  const Leaders leaders = linearGroupLeaders(program);
  int linears = 0, calls = 0;
  for (size_t i = 0; i < leaders.size(); ++i) {
    linears += program.instructions[i].op == OpCode::Linear;
    calls += program.instructions[i].op == OpCode::Linear && leaders[i] == i;
  }
  EXPECT_EQ(linears, 8); // q, k, v, o, gate, up, down, head
  EXPECT_EQ(calls, 5);
}
