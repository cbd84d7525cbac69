//===- RulesTest.cpp - One violated rule after the other -------------------------------------===//
// Takes a good program, breaks one thing, and expects the verifier to name the rule and the place.
#include "Format/SparseOutliers.h"
#include "Format/Verifier.h"
#include "TinyModel.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <utility>

using namespace qrt;
using namespace qrt::test;

namespace {

class Rules : public ::testing::Test {
protected:
  Rules() : tiny({}), model(tiny.load()) {}

  std::string broken(const std::function<void(Program &)> &change) {
    Program program = model->program();
    change(program);
    Status status = verifyProgram(program, weightsBytes());
    return status ? "no error" : status.message();
  }
  uint64_t weightsBytes() { return model->section(SectionKind::Weights).size(); }
  static Instruction &first(Program &program, OpCode op) {
    for (Instruction &instruction : program.instructions)
      if (instruction.op == op)
        return instruction;
    ADD_FAILURE() << "no " << opCodeName(op);
    return program.instructions[0];
  }
  static void set(Instruction &instruction, const char *name, AttrValue value) {
    for (Attr &attr : instruction.attrs)
      if (attr.name == name) {
        attr.value = std::move(value);
        return;
      }
    instruction.attrs.push_back({name, std::move(value)});
  }
  void expect(const std::string &prefix, const std::function<void(Program &)> &change) {
    std::string message = broken(change);
    EXPECT_TRUE(message.starts_with(prefix)) << message << "\n  expected: " << prefix;
  }

  TinyModel tiny;
  std::shared_ptr<const Model> model;
};

} // namespace

TEST_F(Rules, TheProgramItselfIsGood) {
  EXPECT_EQ(broken([](Program &) {}), "no error");
}

TEST_F(Rules, Tensors) {
  expect("R13 tensor-shape: tensor 'embed': ", [](Program &p) { p.tensors[0].shape = {1, 2, 3}; });
  expect("R13 tensor-shape: tensor 'embed': impossible shape [-1, 48]",
         [](Program &p) { p.tensors[0].shape[0] = -1; });
  expect("R13 tensor-shape: tensor 'embed': impossible shape",
         [](Program &p) { p.tensors[0].shape = {INT64_MAX, INT64_MAX}; });
  expect("R13 tensor-shape: tensor 'embed': ", [](Program &p) {
    p.tensors[0].weight.format = kernels::WeightFormat::U4;
    p.tensors[0].weight.groupSize = 33;
  });
  expect("R13 tensor-shape: tensor 'embed': f32 weights have no order of tensor cores",
         [](Program &p) { p.tensors[0].fragments = true; });
  expect("R14 tensor-bytes: tensor 'embed': data has ", [](Program &p) {
    p.tensors[0].weight.format = kernels::WeightFormat::F16;
    p.tensors[0].fragments = true;
  });
  expect("R14 tensor-bytes: tensor 'embed': data has ",
         [](Program &p) { p.tensors[0].dataBytes -= 64; });
  expect("R14 tensor-bytes: tensor 'embed': scales has 64 bytes, its format needs 0",
         [](Program &p) { p.tensors[0].scalesBytes = 64; });
  expect("R15 tensor-bounds: tensor 'embed': data starts at 32, not aligned to 64",
         [](Program &p) { p.tensors[0].dataOffset = 32; });
  expect("R15 tensor-bounds: tensor 'embed': data ends outside",
         [&](Program &p) { p.tensors[0].dataOffset = (weightsBytes() + 63) / 64 * 64; });
  expect("R15 tensor-bounds: tensor 'embed': data ends outside",
         [&](Program &p) { p.tensors[0].dataOffset = ~uint64_t(0) / 64 * 64; });
  expect("R16 tensor-name: tensor 'embed': this name occurs twice",
         [](Program &p) { p.tensors[1].name = "embed"; });
  expect("R16 tensor-name: a tensor without a name", [](Program &p) { p.tensors[0].name = ""; });
}

TEST_F(Rules, Values) {
  auto buffer = [](Program &p) -> Value & {
    return p.values[first(p, OpCode::RmsNorm).outputs[0]];
  };
  expect("R17 value: value ", [&](Program &p) { buffer(p).width = 0; });
  expect("R17 value: value ", [&](Program &p) { buffer(p).width = int64_t(1) << 40; });
  expect("R17 value: value ", [&](Program &p) { buffer(p).dtype = DType::F16; });
  expect("R17 value: value 0: ids and positions",
         [](Program &p) { p.values[0].dtype = DType::I64; });
  expect("R17 value: value 0 is dynamic",
         [](Program &p) { p.values[0].kind = ValueKind::Dynamic; });
  expect("R17 value: value ",
         [](Program &p) { p.values[first(p, OpCode::Linear).inputs[1]].tensorIndex = 1 << 20; });
  expect("R18 arena-bounds: value ", [&](Program &p) { buffer(p).arenaOffset += 1; });
  expect("R18 arena-bounds: value ", [&](Program &p) { buffer(p).arenaOffset = -16; });
  expect("R18 arena-bounds: value ", [](Program &p) { p.arenaFloatsPerToken -= 16; });
  expect("R18 arena-bounds: the arena", [](Program &p) { p.arenaFloatsPerToken = INT64_MAX; });
}

TEST_F(Rules, OperandsAndAttributes) {
  expect("R19 operands: instruction 0 (Embed, 'node3'): 1 operands",
         [](Program &p) { p.instructions[0].inputs.pop_back(); });
  expect("R19 operands: instruction 0 (Embed, 'node3'): no value 9999",
         [](Program &p) { p.instructions[0].inputs[1] = 9999; });
  expect("R19 operands: instruction 0 (Embed, 'node3'): operand 0 is missing",
         [](Program &p) { p.instructions[0].inputs[0] = -1; });
  expect("R19 operands: instruction 0 (Embed, 'node3'): 0 results",
         [](Program &p) { p.instructions[0].outputs.clear(); });
  expect("R20 attributes: instruction 2 (RmsNorm",
         [](Program &p) { first(p, OpCode::RmsNorm).attrs.clear(); });
  EXPECT_NE(broken([](Program &p) {
              first(p, OpCode::RmsNorm).attrs.clear();
            }).find("attribute 'epsilon' is missing"),
            std::string::npos);
  expect("R20 attributes: ",
         [](Program &p) { set(first(p, OpCode::RmsNorm), "epsilon", std::string("1")); });
  expect("R20 attributes: ", [](Program &p) { set(first(p, OpCode::RmsNorm), "epsilon", NAN); });
  expect("R20 attributes: ", [](Program &p) { set(first(p, OpCode::RmsNorm), "unknown", 1.0); });
  expect("R20 attributes: ",
         [](Program &p) { set(first(p, OpCode::GatedActivation), "kind", std::string("swish")); });
  expect("R20 attributes: ",
         [](Program &p) { first(p, OpCode::RmsNorm).attrs.push_back({"epsilon", 1e-6}); });
  expect("R20 attributes: ",
         [](Program &p) { set(first(p, OpCode::Attention), "window", int64_t(-1)); });
  expect("R21 operand-kind: instruction 0 (Embed, 'node3'): operand 0 must be a packed tensor",
         [](Program &p) { p.instructions[0].inputs[0] = p.instructions[0].outputs[0]; });
  expect("R21 operand-kind: ",
         [](Program &p) { first(p, OpCode::RmsNorm).inputs[1] = p.instructions[0].inputs[0]; });
  expect("R21 operand-kind: ", [](Program &p) { first(p, OpCode::Rope).inputs[1] = 0; });
  expect("R21 operand-kind: ",
         [](Program &p) { set(first(p, OpCode::Linear), "activation", std::string("a8")); });
}

TEST_F(Rules, AlternateWeights) {
  // The third linear is [kv, hidden] as well.
  auto linear = [](Program &p, int number) -> Instruction & {
    for (Instruction &instruction : p.instructions)
      if (instruction.op == OpCode::Linear && number-- == 0)
        return instruction;
    return p.instructions[0];
  };
  auto alternate = [&](Program &p, int from) {
    linear(p, 1).inputs.resize(3, -1);
    linear(p, 1).inputs.push_back(linear(p, from).inputs[1]);
  };
  EXPECT_EQ(broken([&](Program &p) { alternate(p, 2); }), "no error");
  expect("R31 alternate: instruction ", [&](Program &p) { alternate(p, 0); }); // another shape
  expect("R21 operand-kind: ", [&](Program &p) {
    alternate(p, 2);
    linear(p, 1).inputs[3] = linear(p, 0).inputs[2]; // a bias
  });
  expect("R19 operands: ", [&](Program &p) {
    alternate(p, 2);
    linear(p, 1).inputs.resize(8, -1);
  });
  TinyConfig quantized;
  quantized.format = kernels::WeightFormat::U4;
  TinyModel coded(quantized);
  Program program = coded.load()->program();
  alternate(program, 2);
  Status status = verifyProgram(program, coded.load()->section(SectionKind::Weights).size());
  EXPECT_TRUE(status.message().starts_with("R31 alternate: ")) << status.message();
}

TEST_F(Rules, Outliers) {
  TinyConfig config;
  config.format = kernels::WeightFormat::U4;
  config.outliers = 0.05;
  TinyModel tiny(config);
  auto model = tiny.load();
  auto message = [&](const std::function<void(Program &, Instruction &)> &change) {
    Program program = model->program();
    change(program, first(program, OpCode::Linear));
    return verifyProgram(program, model->section(SectionKind::Weights).size()).message();
  };
  auto tensor = [](Program &p, Instruction &linear, size_t operand) -> TensorEntry & {
    return p.tensors[p.values[linear.inputs[operand]].tensorIndex];
  };
  EXPECT_EQ(message([](Program &, Instruction &) {}), "");
  EXPECT_THAT(message([](Program &, Instruction &linear) { linear.inputs[5] = -1; }),
              testing::StartsWith("R32 outliers: instruction "));
  EXPECT_THAT(message([](Program &, Instruction &linear) { linear.inputs.pop_back(); }),
              testing::StartsWith("R32 outliers: instruction "));
  EXPECT_THAT(message([](Program &, Instruction &linear) {
                std::swap(linear.inputs[5], linear.inputs[6]);
              }),
              testing::StartsWith("R21 operand-kind: "));
  // Columns of another linear, and a weight of floats.
  EXPECT_THAT(message([&](Program &p, Instruction &linear) {
                for (Instruction &other : p.instructions)
                  if (other.op == OpCode::Linear)
                    linear.inputs[5] = other.inputs[5];
              }),
              testing::StartsWith("R32 outliers: "));
  EXPECT_THAT(message([&](Program &p, Instruction &linear) {
                tensor(p, linear, 4).shape[0] -= 1;
                tensor(p, linear, 4).dataBytes -= 4;
              }),
              testing::StartsWith("R32 outliers: "));
  config.alternates = kernels::WeightFormat::F16;
  TinyModel both(config);
  Program program = both.load()->program();
  Instruction &linear = first(program, OpCode::Linear);
  linear.inputs[1] = std::exchange(linear.inputs[3], -1);
  EXPECT_THAT(verifyProgram(program, both.load()->section(SectionKind::Weights).size()).message(),
              testing::HasSubstr("the weight is not quantized"));
}

TEST_F(Rules, OutlierIndices) {
  TinyConfig config;
  config.format = kernels::WeightFormat::U4;
  config.outliers = 0.05;
  TinyModel tiny(config);
  auto model = tiny.load();
  const Program &program = model->program();
  const std::string_view weights = model->section(SectionKind::Weights);
  const Instruction *linear = nullptr;
  for (const Instruction &instruction : program.instructions)
    if (instruction.op == OpCode::Linear && !linear)
      linear = &instruction;
  auto message = [&](size_t operand, int64_t index, int64_t value) {
    std::string bytes(weights);
    const TensorEntry &tensor =
        program.tensors[program.values[linear->inputs[operand]].tensorIndex];
    const size_t width = byteWidth(tensor.dtype);
    if (index < 0)
      index += tensor.shape[0];
    std::memcpy(bytes.data() + tensor.dataOffset + index * width, &value, width);
    return verifyOutlierIndices(program,
                                {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()})
        .message();
  };
  const auto k = program.tensors[program.values[linear->inputs[1]].tensorIndex].shape[1];
  EXPECT_EQ(message(4, 0, 0), "");
  EXPECT_THAT(message(4, 0, 1), testing::StartsWith("R32 outliers: instruction "));
  EXPECT_THAT(message(4, -1, 1), testing::HasSubstr("do not end with the values"));
  EXPECT_THAT(message(4, 3, -7), testing::HasSubstr("row 2 ends before it starts"));
  EXPECT_THAT(message(4, 3, INT32_MAX), testing::HasSubstr("row 2 ends before it starts"));
  EXPECT_THAT(message(5, 0, k), testing::HasSubstr("do not ascend, or do not exist"));
  EXPECT_THAT(message(5, 0, 65535), testing::HasSubstr("do not ascend, or do not exist"));
}

TEST_F(Rules, ActivationScales) {
  TinyConfig config;
  config.format = kernels::WeightFormat::U8;
  config.groupSize = 0;
  config.activation = "a8";
  TinyModel coded(config);
  auto model = coded.load();
  auto message = [&](std::vector<double> scales, const char *activation = "a8") {
    Program program = model->program();
    set(first(program, OpCode::Linear), "activation", std::string(activation));
    set(first(program, OpCode::Linear), "activation_scales", std::move(scales));
    return verifyProgram(program, model->section(SectionKind::Weights).size()).message();
  };
  EXPECT_EQ(message({0.5}), "");
  EXPECT_THAT(message({0.5, 0.5}), testing::StartsWith("R33 activation-scales: instruction "));
  EXPECT_THAT(message({}), testing::StartsWith("R33 activation-scales: "));
  EXPECT_THAT(message({0.5}, "a16"), testing::HasSubstr("only 8-bit activations"));
  for (double wrong : {0.0, -1.0, double(NAN), double(INFINITY)})
    EXPECT_THAT(message({wrong}), testing::StartsWith("R20 attributes: "));
}

TEST_F(Rules, Widths) {
  auto widen = [](OpCode op) {
    return [op](Program &p) { p.values[first(p, op).outputs[0]].width -= 1; };
  };
  for (OpCode op : {OpCode::Embed, OpCode::Linear, OpCode::RmsNorm, OpCode::Rope, OpCode::Attention,
                    OpCode::GatedActivation, OpCode::Binary})
    expect("R22 width: ", widen(op));
  expect("R22 width: ", [](Program &p) { set(first(p, OpCode::Rope), "head_dim", int64_t(7)); });
  expect("R22 width: ", [](Program &p) { set(first(p, OpCode::Rope), "head_dim", int64_t(2)); });
  expect("R22 width: ",
         [](Program &p) { set(first(p, OpCode::Attention), "num_heads", int64_t(5)); });
  expect("R22 width: ",
         [](Program &p) { set(first(p, OpCode::Attention), "value_dim", int64_t(13)); });
}

TEST_F(Rules, Hadamard) {
  TinyConfig config;
  config.hadamardBlock = 40;
  config.hadamardBase = 5;
  TinyModel transformed(config);
  model = transformed.load();
  ASSERT_TRUE(model);
  EXPECT_EQ(broken([](Program &) {}), "no error");
  auto block = [](int64_t size) {
    return [size](Program &p) { set(first(p, OpCode::Hadamard), "block", size); };
  };
  EXPECT_EQ(broken(block(80)), "no error");
  expect("R20 attributes: ", block(0));
  expect("R20 attributes: ", [](Program &p) { first(p, OpCode::Hadamard).attrs.clear(); });
  expect("R22 width: ", block(160)); // does not divide the width
  expect("R22 width: ", block(16));  // no multiple of the base
  expect("R22 width: ", block(60));  // 12 times the base
  expect("R22 width: ",
         [](Program &p) { p.values[first(p, OpCode::Hadamard).outputs[0]].width -= 1; });
  expect("R21 operand-kind: ", [](Program &p) { // a vector
    first(p, OpCode::Hadamard).inputs[1] = first(p, OpCode::RmsNorm).inputs[1];
  });
  expect("R21 operand-kind: ", [](Program &p) { // an activation
    first(p, OpCode::Hadamard).inputs[1] = first(p, OpCode::Hadamard).inputs[0];
  });
  expect("R19 operands: ", [](Program &p) {
    first(p, OpCode::Hadamard).inputs.push_back(first(p, OpCode::Hadamard).inputs[1]);
  });
  expect("R26 arena-overlap: ", [](Program &p) { // it does not work in place
    Instruction &hadamard = first(p, OpCode::Hadamard);
    p.values[hadamard.outputs[0]].arenaOffset = p.values[hadamard.inputs[0]].arenaOffset;
  });
}

TEST_F(Rules, DataFlow) {
  expect("R23 single-definition: ",
         [](Program &p) { p.instructions.push_back(p.instructions[2]); });
  expect("R24 use-before-definition: ",
         [](Program &p) { std::swap(p.instructions[1], p.instructions[2]); });
  expect("R24 use-before-definition: output 'logits'",
         [](Program &p) { p.instructions.pop_back(); });
  expect("R25 rows: ", [](Program &p) {
    // The last residual is selected; add it to something that has all rows.
    Instruction &norm = p.instructions[p.instructions.size() - 2];
    ASSERT_EQ(norm.op, OpCode::RmsNorm);
    norm.op = OpCode::Binary;
    norm.inputs[1] = p.instructions[0].outputs[0];
    norm.attrs = {{"kind", std::string("add")}};
  });
  expect("R26 arena-overlap: ", [](Program &p) {
    // Give a value the place of one that is still needed (the residual).
    Value &norm = p.values[first(p, OpCode::RmsNorm).outputs[0]];
    norm.arenaOffset = p.values[p.instructions[1].outputs[0]].arenaOffset;
  });
}

TEST_F(Rules, InPlaceNeedsADyingOperandOfTheSameWidth) {
  auto reuse = [](Program &p, OpCode op) {
    Instruction &instruction = first(p, op);
    p.values[instruction.outputs[0]].arenaOffset = p.values[instruction.inputs[0]].arenaOffset;
  };
  EXPECT_EQ(broken([&](Program &p) { reuse(p, OpCode::Rope); }), "no error");
  EXPECT_EQ(broken([&](Program &p) { reuse(p, OpCode::GatedActivation); }), "no error");
  expect("R26 arena-overlap: ", [&](Program &p) { reuse(p, OpCode::RmsNorm); }); // residual lives
  expect("R26 arena-overlap: ", [&](Program &p) { reuse(p, OpCode::Linear); });  // cannot
}

TEST_F(Rules, CachesAndInterface) {
  expect("R27 caches: ", [](Program &p) { p.caches[0].headDim++; });
  expect("R27 caches: cache 2 has no user", [](Program &p) { p.caches.push_back(p.caches[0]); });
  expect("R27 caches: ", [](Program &p) { set(first(p, OpCode::Attention), "cache", int64_t(1)); });
  expect("R27 caches: ", [](Program &p) { set(first(p, OpCode::Attention), "cache", int64_t(9)); });
  expect("R27 caches: cache 0 has an impossible shape",
         [](Program &p) { p.caches[0].kvHeads = 0; });
  expect("R27 caches: the stored form", [](Program &p) { p.kv.keys = DType::I16; });
  expect("R27 caches: the stored form", [](Program &p) { p.kv.sink = 4; }); // of floats
  expect("R27 caches: the stored form", [](Program &p) { p.kv = {DType::I4, DType::I4, 4, -1}; });
  EXPECT_EQ(broken([](Program &p) { p.kv = {DType::I8, DType::I4, 4, 64}; }), "no error");
  expect("R22 width: ", [](Program &p) { // a balance of the wrong length
    Instruction &attention = first(p, OpCode::Attention);
    attention.inputs.push_back(first(p, OpCode::Rope).inputs[2]);
  });
  expect("R21 operand-kind: ", [](Program &p) {
    Instruction &attention = first(p, OpCode::Attention);
    attention.inputs.push_back(attention.inputs[0]);
  });
  expect("R28 interface: ", [](Program &p) { p.vocabSize = 0; });
  expect("R28 interface: ", [](Program &p) { p.inputs.clear(); });
  expect("R28 interface: ", [](Program &p) { p.outputs.clear(); });
  expect("R28 interface: ", [](Program &p) { p.outputs[0].value = -1; });
  expect("R28 interface: ", [](Program &p) { p.inputs[1] = p.inputs[0]; });
  expect("R28 interface: ", [](Program &p) { p.vocabSize -= 1; });
  expect("R29 vocabulary: ", [](Program &p) { set(p.instructions[0], "offset", int64_t(1)); });
  expect("R30 program-kind: ", [](Program &p) {
    p.instructions[2].op = OpCode::TensorOp;
    p.instructions[2].attrs = {{"op", std::string("add")}};
  });
}
