//===- TinyModel.cpp - Builds the small random transformers ----------------------------------===//
#include "TinyModel.h"

#include "Format/Writer.h"
#include "qrt/Half.h"

#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>
#include <unistd.h>

namespace qrt::test {

namespace {

/// Adds tensors, buffers and instructions; every buffer gets its own place in the arena.
class Builder {
public:
  Builder(const TinyConfig &config, QmodWriter &writer, std::map<std::string, Matrix> &weights)
      : config(config), writer(writer), weights(weights), random(config.seed) {}

  int32_t vector(const std::string &name, std::vector<double> values) {
    Matrix matrix{1, int64_t(values.size()), values};
    std::vector<float> f(values.begin(), values.end());
    for (size_t i = 0; i < f.size(); ++i)
      matrix.data[i] = f[i];
    TensorEntry entry;
    entry.name = name;
    entry.shape = {int64_t(f.size())};
    weights[name] = matrix;
    return tensorValue(*writer.addTensor(entry, f.data()));
  }
  int32_t squareMatrix(const std::string &name, int64_t order) {
    Matrix matrix{order, order, {}};
    std::vector<float> f;
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < order * order; ++i)
      matrix.data.push_back(f.emplace_back(normal(random)));
    TensorEntry entry;
    entry.name = name;
    entry.shape = {order, order};
    weights[name] = matrix;
    return tensorValue(*writer.addTensor(entry, f.data()));
  }
  int32_t randomVector(const std::string &name, int64_t n, double mean, double deviation) {
    std::vector<double> values(static_cast<size_t>(n));
    std::normal_distribution<double> normal(mean, deviation);
    for (double &value : values)
      value = normal(random);
    return vector(name, values);
  }
  int32_t weight(const std::string &name, int64_t n, int64_t k, kernels::WeightFormat format);
  /// On top of weights[name]; some rows have none.
  void addOutliers(const std::string &name, int64_t n, int64_t k, std::vector<int32_t> &inputs);
  int32_t weight(const std::string &name, int64_t n, int64_t k) {
    return weight(name, n, k, config.format);
  }

  int32_t addValue(Value value) {
    program.values.push_back(value);
    return int32_t(program.values.size() - 1);
  }
  int32_t buffer(int64_t width) {
    Value value;
    value.width = width;
    value.arenaOffset = program.arenaFloatsPerToken;
    program.arenaFloatsPerToken += (width + 15) / 16 * 16;
    return addValue(value);
  }
  int32_t emit(OpCode op, std::vector<int32_t> inputs, int64_t width, std::vector<Attr> attrs) {
    int32_t out = buffer(width);
    program.instructions.push_back(
        {op, std::move(inputs), {out}, std::move(attrs), "node" + std::to_string(out)});
    return out;
  }
  int32_t linear(const std::string &name, int32_t x, int64_t n, int64_t k, bool bias) {
    std::vector<int32_t> inputs = {x, weight(name, n, k)};
    if (bias)
      inputs.push_back(randomVector(name + ".bias", n, 0, 0.1));
    if (config.alternates &&
        (config.alternatesOf.empty() || name.substr(name.find('.') + 1) == config.alternatesOf)) {
      inputs.resize(3, -1);
      inputs.push_back(weight(name + "#fp16", n, k, *config.alternates));
    }
    if (config.outliers > 0) {
      inputs.resize(4, -1);
      addOutliers(name, n, k, inputs);
    }
    std::vector<Attr> attrs = {{"activation", config.activation}};
    if (!config.activationScales.empty())
      attrs.push_back({"activation_scales", config.activationScales});
    return emit(OpCode::Linear, inputs, n, attrs);
  }
  int32_t norm(const std::string &name, int32_t x, int64_t width, int64_t chunk) {
    std::vector<int32_t> inputs = {x, randomVector(name, chunk, 1, 0.2)};
    if (config.gptStyle)
      inputs.push_back(randomVector(name + ".bias", chunk, 0, 0.1));
    return emit(config.gptStyle ? OpCode::LayerNorm : OpCode::RmsNorm, inputs, width,
                {{"epsilon", 1e-5}});
  }

  const TinyConfig &config;
  QmodWriter &writer;
  std::map<std::string, Matrix> &weights;
  std::mt19937 random;
  Program program;

private:
  int32_t tensorValue(int32_t index) {
    Value value;
    value.kind = ValueKind::Tensor;
    value.tensorIndex = index;
    return addValue(value);
  }
};

void Builder::addOutliers(const std::string &name, int64_t n, int64_t k,
                          std::vector<int32_t> &inputs) {
  std::bernoulli_distribution chosen(config.outliers);
  std::normal_distribution<float> normal(0, 0.5f);
  Matrix &matrix = weights.at(name);
  std::vector<int32_t> rows = {0};
  std::vector<uint16_t> columns, values;
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t column = row % 3 == 1 ? k : 0; column < k; ++column)
      if (chosen(random)) {
        columns.push_back(uint16_t(column));
        values.push_back(f32ToF16(normal(random)));
        matrix.data[size_t(row * k + column)] += f16ToF32(values.back());
      }
    rows.push_back(int32_t(values.size()));
  }
  auto plain = [&](const char *part, DType dtype, int64_t count, const void *data) {
    TensorEntry entry;
    entry.name = name + part;
    entry.shape = {count};
    entry.dtype = dtype;
    inputs.push_back(tensorValue(*writer.addTensor(entry, data)));
  };
  plain(".outlier_rows", DType::I32, n + 1, rows.data());
  plain(".outlier_columns", DType::U16, int64_t(columns.size()), columns.data());
  plain(".outlier_values", DType::F16, int64_t(values.size()), values.data());
}

int32_t Builder::weight(const std::string &name, int64_t n, int64_t k,
                        kernels::WeightFormat format) {
  std::normal_distribution<double> normal(0, 0.14);
  Matrix matrix{n, k, std::vector<double>(size_t(n * k))};
  TensorEntry entry;
  entry.name = name;
  entry.shape = {n, k};
  entry.packed = true;
  entry.weight.format = format;
  entry.weight.n = n;
  entry.weight.k = k;
  if (!kernels::isQuantized(format)) {
    std::vector<float> values(matrix.data.size());
    for (size_t i = 0; i < values.size(); ++i) {
      float v = float(normal(random));
      if (format == kernels::WeightFormat::F16)
        v = f16ToF32(f32ToF16(v));
      if (format == kernels::WeightFormat::BF16)
        v = bf16ToF32(f32ToBf16(v));
      values[i] = v;
      matrix.data[i] = v;
    }
    auto sizes = *kernels::packedSizes(entry.weight);
    std::vector<uint8_t> data(sizes.data);
    kernels::packDense(entry.weight, values.data(), data.data());
    weights[name] = matrix;
    return tensorValue(*writer.addTensor(entry, data.data()));
  }
  entry.weight.groupSize = config.groupSize;
  entry.weight.symmetric = config.symmetric;
  const int bits = kernels::weightBits(format);
  const int64_t groups = kernels::groupsPerRow(entry.weight);
  const int64_t g = config.groupSize ? config.groupSize : k;
  std::vector<uint8_t> codes(size_t(n * k)), zeroPoints(size_t(n * groups));
  std::vector<float> scales(size_t(n * groups));
  std::uniform_int_distribution<int> code(0, (1 << bits) - 1);
  std::uniform_real_distribution<double> scale(0.8, 1.2);
  for (size_t i = 0; i < scales.size(); ++i) {
    scales[i] = f16ToF32(f32ToF16(float(scale(random) * 0.5 / (1 << bits))));
    zeroPoints[i] = uint8_t(config.symmetric ? 1 << (bits - 1) : code(random));
  }
  for (int64_t row = 0; row < n; ++row)
    for (int64_t column = 0; column < k; ++column) {
      size_t at = size_t(row * k + column), group = size_t(row * groups + column / g);
      codes[at] = uint8_t(code(random));
      matrix.data[at] = (int(codes[at]) - int(zeroPoints[group])) * double(scales[group]);
    }
  auto sizes = *kernels::packedSizes(entry.weight);
  std::vector<uint8_t> data(sizes.data), packedScales(sizes.scales), packedZeros(sizes.zeroPoints);
  kernels::packQuantized(entry.weight, codes.data(), scales.data(),
                         config.symmetric ? nullptr : zeroPoints.data(), data.data(),
                         packedScales.data(), config.symmetric ? nullptr : packedZeros.data());
  weights[name] = matrix;
  return tensorValue(*writer.addTensor(entry, data.data(), packedScales.data(),
                                       config.symmetric ? nullptr : packedZeros.data()));
}

} // namespace

TinyModel::TinyModel(const TinyConfig &config) : config(config) {
  static int counter = 0;
  path = (std::filesystem::temp_directory_path() /
          ("qrt-tiny-" + std::to_string(getpid()) + "-" + std::to_string(counter++) + ".qmod"))
             .string();
  build();
}

TinyModel::~TinyModel() { std::filesystem::remove(path); }

void TinyModel::build() {
  auto created = QmodWriter::create(path);
  ASSERT_TRUE(created) << created.status().message();
  QmodWriter writer = created.takeValue();
  Builder b(config, writer, weights);
  const bool gpt = config.gptStyle;
  const int64_t hidden = config.hidden, d = config.headDim;
  const int64_t qWidth = config.heads * d, kvWidth = config.kvHeads * d;

  Value ids, positions;
  ids.kind = ValueKind::Ids;
  positions.kind = ValueKind::Positions;
  ids.dtype = positions.dtype = DType::I32;
  const int32_t idsValue = b.addValue(ids), positionsValue = b.addValue(positions);
  b.program.inputs = {{"ids", idsValue, DType::I32, {}},
                      {"positions", positionsValue, DType::I32, {}}};

  int32_t x =
      b.emit(OpCode::Embed, {b.weight("embed", config.vocab, hidden), idsValue}, hidden, {});
  int32_t frequencies = -1, hadamardBase = -1;
  if (gpt) {
    int32_t table = b.weight("wpe", config.positions + 2, hidden);
    int32_t p = b.emit(OpCode::Embed, {table, positionsValue}, hidden, {{"offset", int64_t(2)}});
    x = b.emit(OpCode::Binary, {x, p}, hidden, {{"kind", "add"}});
  } else {
    // Only 5 of 6 pairs of a head are rotated.
    std::vector<double> inverse;
    for (int64_t i = 0; i < d / 2 - 1; ++i)
      inverse.push_back(std::pow(100.0, -double(i) / double(d / 2)));
    frequencies = b.vector("inv_freq", inverse);
    int32_t factor = b.vector("embed_scale", {1.5});
    x = b.emit(OpCode::Binary, {x, factor}, hidden, {{"kind", "mul"}});
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string p = "l" + std::to_string(layer) + ".";
    int32_t h = b.norm(p + "norm1", x, hidden, hidden);
    int32_t q, k, v;
    if (gpt) {
      int32_t qkv = b.linear(p + "qkv", h, qWidth + 2 * kvWidth, hidden, true);
      auto slice = [&](int64_t start, int64_t size) {
        return b.emit(
            OpCode::CopyColumns, {qkv}, size,
            {{"starts", std::vector<int64_t>{start}}, {"sizes", std::vector<int64_t>{size}}});
      };
      q = slice(0, qWidth), k = slice(qWidth, kvWidth), v = slice(qWidth + kvWidth, kvWidth);
    } else {
      q = b.linear(p + "q", h, qWidth, hidden, true);
      k = b.linear(p + "k", h, kvWidth, hidden, false);
      v = b.linear(p + "v", h, kvWidth, hidden, false);
      q = b.norm(p + "q_norm", q, qWidth, d);
      k = b.norm(p + "k_norm", k, kvWidth, d);
      std::vector<Attr> attrs = {{"head_dim", d},
                                 {"interleaved", int64_t(config.interleavedRope)},
                                 {"scaling", config.ropeScaling}};
      q = b.emit(OpCode::Rope, {q, positionsValue, frequencies}, qWidth, attrs);
      k = b.emit(OpCode::Rope, {k, positionsValue, frequencies}, kvWidth, attrs);
    }
    const int64_t window = layer == 0 ? config.window : 0;
    b.program.caches.push_back({config.kvHeads, d, d, window});
    int32_t a = b.emit(OpCode::Attention, {q, k, v}, qWidth,
                       {{"num_heads", config.heads},
                        {"kv_heads", config.kvHeads},
                        {"head_dim", d},
                        {"value_dim", d},
                        {"cache", layer},
                        {"scale", 1 / std::sqrt(double(d))},
                        {"softcap", config.softcap},
                        {"window", window}});
    int32_t o = b.linear(p + "o", a, hidden, qWidth, gpt);
    x = b.emit(OpCode::Binary, {x, o}, hidden, {{"kind", "add"}});
    h = b.norm(p + "norm2", x, hidden, hidden);
    int32_t m;
    if (gpt) {
      m = b.linear(p + "up", h, config.ffn, hidden, true);
      m = b.emit(OpCode::Unary, {m}, config.ffn, {{"kind", "gelu_tanh"}});
    } else {
      int32_t gate = b.linear(p + "gate", h, config.ffn, hidden, false);
      int32_t up = b.linear(p + "up", h, config.ffn, hidden, false);
      m = b.emit(OpCode::GatedActivation, {gate, up}, config.ffn, {{"kind", "silu"}});
    }
    if (config.hadamardBlock > 0) {
      if (config.hadamardBase > 1 && hadamardBase < 0)
        hadamardBase = b.squareMatrix("base", config.hadamardBase);
      std::vector<int32_t> inputs = {m};
      if (hadamardBase >= 0)
        inputs.push_back(hadamardBase);
      m = b.emit(OpCode::Hadamard, inputs, config.ffn, {{"block", config.hadamardBlock}});
    }
    m = b.linear(p + "down", m, hidden, config.ffn, gpt);
    x = b.emit(OpCode::Binary, {x, m}, hidden, {{"kind", "add"}});
  }
  if (config.selectRows)
    x = b.emit(OpCode::SelectRows, {x}, hidden, {});
  x = b.norm("norm", x, hidden, hidden);
  x = b.linear("head", x, config.vocab, hidden, false);
  if (config.softcap > 0)
    x = b.emit(OpCode::Unary, {x}, config.vocab, {{"kind", "softcap"}, {"cap", config.softcap}});
  b.program.outputs = {{"logits", x, DType::F32, {}}};
  b.program.vocabSize = int32_t(config.vocab);
  ASSERT_TRUE(writer.addSection(SectionKind::ModelConfig, "{\"tiny\": true}"));
  Status status = writer.finish(b.program);
  ASSERT_TRUE(status) << status.message();
}

std::shared_ptr<const Model> TinyModel::load() const {
  auto model = Model::load(path, {.verifyChecksums = true});
  EXPECT_TRUE(model) << model.status().message();
  return model ? *model : nullptr;
}

std::unique_ptr<Engine> TinyModel::engine(const EngineOptions &options) const {
  auto engine = Engine::create(load(), options);
  EXPECT_TRUE(engine) << engine.status().message();
  return engine ? engine.takeValue() : nullptr;
}

std::vector<int32_t> randomTokens(size_t count, int64_t vocab, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int32_t> id(0, int32_t(vocab - 1));
  std::vector<int32_t> tokens(count);
  for (int32_t &token : tokens)
    token = id(random);
  return tokens;
}

std::vector<std::vector<float>> runChunk(Engine &engine, int seq, std::span<const int32_t> tokens,
                                         Engine::Logits logits) {
  Engine::Chunk chunk{seq, tokens, logits};
  auto result = engine.step({&chunk, 1});
  EXPECT_TRUE(result) << result.status().message();
  std::vector<std::vector<float>> rows;
  for (int64_t row = 0; result && row < result->rows; ++row)
    rows.emplace_back(result->logits + row * engine.vocabSize(),
                      result->logits + (row + 1) * engine.vocabSize());
  return rows;
}

} // namespace qrt::test
