//===- GenericTest.cpp - Programs that were not raised, against float64 ----------------------===//
// One attention layer with one head as an exporter would leave it: batch-major, past keys and
// values as inputs, an attention mask and positions. The mask's sum is part of the result, so that
// a mask of the wrong length shows.
#include "Format/Writer.h"
#include "TinyModel.h"

#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>
#include <unistd.h>

using namespace qrt;
using namespace qrt::test;

namespace {

constexpr int64_t hidden = 8, vocab = 11, maxPositions = 40;

struct Network {
  explicit Network(bool cached) : cached(cached) {
    path = (std::filesystem::temp_directory_path() / "qrt-generic.qmod").string() +
           std::to_string(getpid());
    write();
  }
  ~Network() { std::filesystem::remove(path); }

  std::vector<float> random(int64_t n) {
    std::normal_distribution<float> normal(0, 0.4f);
    std::vector<float> values(static_cast<size_t>(n));
    for (float &value : values)
      value = normal(generator);
    return values;
  }
  int32_t value(ValueKind kind, DType dtype = DType::F32, int32_t tensor = -1) {
    Value v;
    v.kind = kind;
    v.dtype = dtype;
    v.tensorIndex = tensor;
    program.values.push_back(v);
    return int32_t(program.values.size() - 1);
  }
  int32_t packed(QmodWriter &writer, const std::string &name, int64_t n, std::vector<float> &keep) {
    keep = random(n * hidden);
    TensorEntry entry;
    entry.name = name;
    entry.shape = {n, hidden};
    entry.packed = true;
    entry.weight = {kernels::WeightFormat::F32, n, hidden, 0, true, kernels::ScaleType::F16};
    std::vector<uint8_t> data(kernels::packedSizes(entry.weight)->data);
    kernels::packDense(entry.weight, keep.data(), data.data());
    return value(ValueKind::Tensor, DType::F32, *writer.addTensor(entry, data.data()));
  }
  int32_t plain(QmodWriter &writer, const std::string &name, std::vector<int64_t> shape,
                const std::vector<float> &data) {
    TensorEntry entry;
    entry.name = name;
    entry.shape = std::move(shape);
    return value(ValueKind::Tensor, DType::F32, *writer.addTensor(entry, data.data()));
  }
  int32_t op(const char *name, std::vector<int32_t> inputs, std::vector<Attr> attrs = {}) {
    attrs.push_back({"op", std::string(name)});
    return emit(OpCode::TensorOp, std::move(inputs), std::move(attrs));
  }
  int32_t emit(OpCode code, std::vector<int32_t> inputs, std::vector<Attr> attrs = {}) {
    int32_t out = value(ValueKind::Dynamic);
    program.instructions.push_back(
        {code, std::move(inputs), {out}, std::move(attrs), "n" + std::to_string(out)});
    return out;
  }
  int32_t input(const char *name, DType dtype, std::vector<std::string> dims) {
    int32_t v = value(ValueKind::Dynamic, dtype);
    program.inputs.push_back({name, v, dtype, std::move(dims)});
    return v;
  }
  void write();
  std::vector<std::vector<double>> reference(std::span<const int32_t> tokens) const;

  bool cached;
  std::string path;
  Program program;
  std::mt19937 generator{3};
  std::vector<float> embed, wpe, wq, wk, wv, head;
};

void Network::write() {
  QmodWriter writer = *QmodWriter::create(path);
  using Ints = std::vector<int64_t>;
  program.kind = ProgramKind::Generic;
  program.vocabSize = vocab;
  int32_t ids = input("input_ids", DType::I64, {"batch", "sequence"});
  int32_t mask = input("attention_mask", DType::I64, {"batch", "past + sequence"});
  int32_t positions = input("position_ids", DType::I64, {"batch", "sequence"});
  wpe = random(maxPositions * hidden);
  int32_t x = emit(OpCode::Embed, {packed(writer, "embed", vocab, embed), ids});
  int32_t p = op("gather", {plain(writer, "wpe", {maxPositions, hidden}, wpe), positions},
                 {{"axis", int64_t(0)}});
  x = op("add", {x, p});
  int32_t total = op("cast", {mask}, {{"to", std::string("f32")}});
  total = op("reduce_sum", {total}, {{"axes", Ints{1}}, {"keepdims", int64_t(1)}});
  total = op("mul", {total, plain(writer, "hundredth", {}, {0.01f})});
  int32_t q = emit(OpCode::Linear, {x, packed(writer, "q", hidden, wq)});
  int32_t k = emit(OpCode::Linear, {x, packed(writer, "k", hidden, wk)});
  int32_t v = emit(OpCode::Linear, {x, packed(writer, "v", hidden, wv)});
  auto split = [&](int32_t y) { return op("unsqueeze", {y}, {{"axes", Ints{1}}}); };
  q = split(q), k = split(k), v = split(v);
  if (cached) {
    std::vector<std::string> dims = {"batch", "1", "past", "8"};
    int32_t pastK = input("past_key_values.0.key", DType::F32, dims);
    int32_t pastV = input("past_key_values.0.value", DType::F32, dims);
    k = op("concat", {pastK, k}, {{"axis", int64_t(2)}});
    v = op("concat", {pastV, v}, {{"axis", int64_t(2)}});
    program.outputs.push_back({"present.0.key", k, DType::F32, {}});
    program.outputs.push_back({"present.0.value", v, DType::F32, {}});
  }
  int32_t a = op("sdpa", {q, k, v}, {{"scale", 0.5}, {"softcap", 0.0}, {"causal", int64_t(1)}});
  a = op("squeeze", {a}, {{"axes", Ints{1}}});
  x = op("add", {op("add", {x, a}), total});
  int32_t logits = emit(OpCode::Linear, {x, packed(writer, "head", vocab, head)});
  program.outputs.push_back({"logits", logits, DType::F32, {}});
  Status status = writer.finish(program);
  ASSERT_TRUE(status) << status.message();
}

std::vector<std::vector<double>> Network::reference(std::span<const int32_t> tokens) const {
  std::vector<std::vector<double>> xs, ks, vs, logits;
  auto times = [](const std::vector<float> &w, const std::vector<double> &x) {
    std::vector<double> out(w.size() / hidden, 0.0);
    for (size_t i = 0; i < w.size(); ++i)
      out[i / hidden] += double(w[i]) * x[i % hidden];
    return out;
  };
  for (size_t t = 0; t < tokens.size(); ++t) {
    std::vector<double> x(hidden);
    for (size_t i = 0; i < hidden; ++i)
      x[i] = double(embed[size_t(tokens[t]) * hidden + i]) + wpe[t * hidden + i];
    ks.push_back(times(wk, x));
    vs.push_back(times(wv, x));
    std::vector<double> q = times(wq, x), out(hidden, 0.0);
    double sum = 0;
    for (size_t j = 0; j <= t; ++j) {
      double score = 0;
      for (size_t i = 0; i < hidden; ++i)
        score += q[i] * ks[j][i];
      double weight = std::exp(0.5 * score);
      sum += weight;
      for (size_t i = 0; i < hidden; ++i)
        out[i] += weight * vs[j][i];
    }
    for (size_t i = 0; i < hidden; ++i)
      x[i] += out[i] / sum;
    xs.push_back(x);
  }
  for (std::vector<double> x : xs)
    logits.push_back(times(head, x));
  return logits;
}

/// Row `t` of a run in which `seen` tokens had passed when it was computed.
void expectRow(const Network &network, const std::vector<float> &row,
               const std::vector<double> &expected, size_t seen) {
  for (size_t i = 0; i < vocab; ++i) {
    double maskPart = 0;
    for (size_t k = 0; k < hidden; ++k)
      maskPart += 0.01 * double(seen) * network.head[i * hidden + k];
    ASSERT_NEAR(row[i], expected[i] + maskPart, 1e-5);
  }
}

std::unique_ptr<Engine> engineOf(const Network &network, const EngineOptions &options = {}) {
  auto model = Model::load(network.path);
  EXPECT_TRUE(model) << model.status().message();
  auto engine = Engine::create(*model, options);
  EXPECT_TRUE(engine) << engine.status().message();
  return engine ? engine.takeValue() : nullptr;
}

} // namespace

TEST(Generic, CachedStepsMatchTheReference) {
  Network network(true);
  auto tokens = randomTokens(20, vocab, 1);
  auto expected = network.reference(tokens);
  auto engine = engineOf(network, {.threads = 1, .prefillChunk = 6});
  int seq = *engine->addSequence(), other = *engine->addSequence();
  auto rows = runChunk(*engine, seq, std::span(tokens).subspan(0, 16)); // runs of 6, 6 and 4
  const size_t ends[] = {6, 12, 16};
  for (size_t t = 0; t < 16; ++t)
    expectRow(network, rows[t], expected[t], ends[t / 6]);
  runChunk(*engine, other, std::span(tokens).subspan(5, 9));
  for (size_t t = 16; t < 20; ++t) {
    auto row = runChunk(*engine, seq, std::span(tokens).subspan(t, 1), Engine::Logits::Last);
    expectRow(network, row[0], expected[t], t + 1);
  }
  EXPECT_EQ(engine->length(seq), 20);
  EXPECT_EQ(engine->stats().programRuns, 3 + 2 + 4);

  ASSERT_TRUE(engine->truncate(seq, 7));
  auto again = runChunk(*engine, seq, std::span(tokens).subspan(7, 3));
  for (size_t t = 7; t < 10; ++t)
    expectRow(network, again[t - 7], expected[t], 10);
  ASSERT_TRUE(engine->truncate(seq, 0));
  expectRow(network, runChunk(*engine, seq, std::span(tokens).subspan(0, 1))[0], expected[0], 1);
}

TEST(Generic, WithoutACacheTheWholeSequenceIsRunAgain) {
  Network network(false);
  auto tokens = randomTokens(12, vocab, 2);
  auto expected = network.reference(tokens);
  auto engine = engineOf(network, {.threads = 1, .prefillChunk = 4});
  int seq = *engine->addSequence();
  auto rows = runChunk(*engine, seq, std::span(tokens).subspan(0, 5));
  ASSERT_EQ(rows.size(), 5u);
  for (size_t t = 0; t < 5; ++t)
    expectRow(network, rows[t], expected[t], 5);
  ASSERT_TRUE(engine->truncate(seq, 3));
  rows = runChunk(*engine, seq, std::span(tokens).subspan(3, 9), Engine::Logits::Last);
  ASSERT_EQ(rows.size(), 1u);
  expectRow(network, rows[0], expected[11], 12);
}

TEST(Generic, AFailingRunChangesNothing) {
  Network network(true);
  auto engine = engineOf(network, {.threads = 1});
  auto tokens = randomTokens(size_t(maxPositions) + 1, vocab, 3);
  auto expected = network.reference(std::span(tokens).subspan(0, 6));
  int seq = *engine->addSequence();
  runChunk(*engine, seq, std::span(tokens).subspan(0, 5));
  std::vector<Engine::Chunk> chunks = {{seq, tokens, Engine::Logits::Last}};
  auto result = engine->step(chunks); // positions behind the end of wpe
  ASSERT_FALSE(result);
  EXPECT_NE(result.status().message().find("(gather, 'n"), std::string::npos)
      << result.status().message();
  EXPECT_EQ(engine->length(seq), 5);
  expectRow(network, runChunk(*engine, seq, std::span(tokens).subspan(5, 1))[0], expected[5], 6);
}
