//===- LoweredProgramTest.cpp - A lowered graph on the engine against float64 ----------------===//
// The seam between compiler and runtime: one attention layer written as token-major qir, lowered,
// planned, written, loaded and run, must compute what plain loops in double compute. Attribute
// names, operand order, arena offsets, row selection and packed layouts all have to agree for that.
#include "qopt/Pipelines/Compiler.h"
#include "qopt/Target/QMod.h"
#include "qrt/Engine.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <random>
#include <sstream>
#include <unistd.h>

namespace {

constexpr int vocabulary = 11, width = 8, heads = 2, headDim = 4, tokens = 5;
constexpr double epsilon = 1e-5, scale = 0.5;
const double frequencies[2] = {1.0, 0.25};

using Matrix = std::vector<std::vector<float>>;

struct Weights {
  Matrix table, q, kv, o; // kv: one key/value head, k then v
  std::vector<float> norm, bias;
};

Weights makeWeights() {
  std::mt19937 engine(3);
  std::normal_distribution<float> normal(0.0f, 0.4f);
  auto matrix = [&](int rows, int columns) {
    Matrix m(rows, std::vector<float>(columns));
    for (auto &row : m)
      for (float &x : row)
        x = normal(engine);
    return m;
  };
  Weights w{matrix(vocabulary, width),
            matrix(width, width),
            matrix(2 * headDim, width),
            matrix(width, width),
            {},
            {}};
  w.norm = matrix(1, width)[0];
  w.bias = matrix(1, width)[0];
  return w;
}

std::string text(const std::vector<float> &row) {
  std::string out = "[";
  for (size_t i = 0; i < row.size(); ++i) {
    char number[32];
    std::snprintf(number, sizeof number, "%s%.9e", i ? ", " : "", double(row[i]));
    out += number;
  }
  return out + "]";
}

std::string text(const Matrix &m) {
  std::string out = "[";
  for (size_t i = 0; i < m.size(); ++i)
    out += (i ? ", " : "") + text(m[i]);
  return out + "]";
}

std::string moduleText(const Weights &w) {
  std::ostringstream s;
  s << "func.func @main(%ids: tensor<?xi32> {qir.name = \"ids\"}, %pos: tensor<?xi32> {qir.name = "
       "\"positions\"}) -> (tensor<?x11xf32> {qir.name = \"logits\"}) attributes {qir.token_major} "
       "{"
    << "%table = qir.constant dense<" << text(w.table) << "> : tensor<11x8xf32> loc(\"table\")\n"
    << "%wq = qir.constant dense<" << text(w.q) << "> : tensor<8x8xf32> loc(\"q\")\n"
    << "%wkv = qir.constant dense<" << text(w.kv) << "> : tensor<8x8xf32> loc(\"kv\")\n"
    << "%wo = qir.constant dense<" << text(w.o) << "> : tensor<8x8xf32> loc(\"o\")\n"
    << "%norm = qir.constant dense<" << text(w.norm) << "> : tensor<8xf32> loc(\"norm\")\n"
    << "%bias = qir.constant dense<" << text(w.bias) << "> : tensor<8xf32> loc(\"bias\")\n"
    << R"(%freq = qir.constant dense<[1.0, 0.25]> : tensor<2xf32>
  %one = qir.constant dense<1.0> : tensor<f32>
  %x = qir.embedding %table, %ids : (tensor<11x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  %n = qir.rms_norm %x, %norm {epsilon = 1.0e-5 : f64} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %q0 = qir.linear %n, %wq bias %bias : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %kv = qir.linear %n, %wkv : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %k0, %v = qir.split %kv sizes [4, 4] {axis = 1} : (tensor<?x8xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  %q = qir.rope %q0, %pos, %freq {head_dim = 4} : (tensor<?x8xf32>, tensor<?xi32>, tensor<2xf32>) -> tensor<?x8xf32>
  %k = qir.rope %k0, %pos, %freq {head_dim = 4} : (tensor<?x4xf32>, tensor<?xi32>, tensor<2xf32>) -> tensor<?x4xf32>
  %a = qir.attention %q, %k, %v {num_heads = 2, kv_heads = 1, head_dim = 4, value_dim = 4, scale = 0.5 : f64, cache = 0}
    : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  %o = qir.linear %a, %wo : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %g = qir.swiglu %o, %x : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %m = qir.sub %one, %g : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %r = qir.add %x, %m : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %f = qir.rms_norm %r, %norm {epsilon = 1.0e-5 : f64} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %y = qir.linear %f, %table {role = "head"} : (tensor<?x8xf32>, tensor<11x8xf32>) -> tensor<?x11xf32>
  %z = qir.softcap %y {cap = 3.0 : f64} : (tensor<?x11xf32>) -> tensor<?x11xf32>
  return %z : tensor<?x11xf32>
})";
  return s.str();
}

using Rows = std::vector<std::vector<double>>;

Rows multiply(const Rows &x, const Matrix &w) {
  Rows y(x.size(), std::vector<double>(w.size()));
  for (size_t t = 0; t < x.size(); ++t)
    for (size_t n = 0; n < w.size(); ++n)
      for (size_t k = 0; k < w[n].size(); ++k)
        y[t][n] += x[t][k] * w[n][k];
  return y;
}

Rows normalise(Rows x, const std::vector<float> &w) {
  for (auto &row : x) {
    double sum = 0;
    for (double v : row)
      sum += v * v;
    for (size_t i = 0; i < row.size(); ++i)
      row[i] *= w[i] / std::sqrt(sum / row.size() + epsilon);
  }
  return x;
}

/// Features (i, i + 2) of each head of 4 are rotated by position * frequency i.
void rotate(Rows &x) {
  for (size_t t = 0; t < x.size(); ++t)
    for (size_t h = 0; h < x[t].size() / headDim; ++h)
      for (int i = 0; i < 2; ++i) {
        double &a = x[t][h * headDim + i], &b = x[t][h * headDim + i + 2];
        double c = std::cos(t * frequencies[i]), s = std::sin(t * frequencies[i]);
        double rotated = a * c - b * s;
        b = b * c + a * s;
        a = rotated;
      }
}

Rows reference(const Weights &w, const std::vector<int32_t> &ids) {
  Rows x;
  for (int32_t id : ids)
    x.emplace_back(w.table[id].begin(), w.table[id].end());
  Rows n = normalise(x, w.norm), q = multiply(n, w.q), kv = multiply(n, w.kv), k, v;
  for (auto &row : q)
    for (int i = 0; i < width; ++i)
      row[i] += w.bias[i];
  for (auto &row : kv) {
    k.emplace_back(row.begin(), row.begin() + headDim);
    v.emplace_back(row.begin() + headDim, row.end());
  }
  rotate(q);
  rotate(k);
  Rows a(x.size(), std::vector<double>(width));
  for (size_t t = 0; t < x.size(); ++t)
    for (int h = 0; h < heads; ++h) {
      std::vector<double> p(t + 1);
      double total = 0;
      for (size_t j = 0; j <= t; ++j) {
        double dot = 0;
        for (int i = 0; i < headDim; ++i)
          dot += q[t][h * headDim + i] * k[j][i];
        total += p[j] = std::exp(dot * scale);
      }
      for (size_t j = 0; j <= t; ++j)
        for (int i = 0; i < headDim; ++i)
          a[t][h * headDim + i] += p[j] / total * v[j][i];
    }
  Rows o = multiply(a, w.o), r = x;
  for (size_t t = 0; t < x.size(); ++t)
    for (int i = 0; i < width; ++i)
      r[t][i] += 1.0 - o[t][i] / (1.0 + std::exp(-o[t][i])) * x[t][i];
  Rows y = multiply(normalise(r, w.norm), w.table);
  for (auto &row : y)
    for (double &value : row)
      value = 3.0 * std::tanh(value / 3.0);
  return y;
}

/// Compiles the text to a file and loads it.
std::shared_ptr<const qrt::Model> compile(const std::string &source, const char *scheme) {
  std::string base = testing::TempDir() + "lowered-" + std::to_string(getpid());
  std::string input = base + ".mlir";
  if (FILE *file = std::fopen(input.c_str(), "w")) {
    std::fwrite(source.data(), 1, source.size(), file);
    std::fclose(file);
  }
  mlir::DialectRegistry registry;
  qopt::registerDialects(registry);
  mlir::MLIRContext context(registry);
  context.loadAllAvailableDialects();
  qopt::CompileOptions options;
  options.input = input;
  options.output = base + ".qmod";
  options.scheme.scheme = scheme;
  auto report = qopt::Compiler(context, options).run();
  EXPECT_TRUE(report.isOk()) << report.status().message();
  auto model = qrt::Model::load(options.output);
  EXPECT_TRUE(model.isOk()) << model.status().message();
  std::remove(input.c_str());
  std::remove(options.output.c_str());
  return model ? *model : nullptr;
}

/// Largest difference of a run in chunks of `step` tokens.
double largestError(std::shared_ptr<const qrt::Model> model, const Weights &w, size_t step) {
  const std::vector<int32_t> ids = {3, 10, 0, 7, 3};
  Rows expected = reference(w, ids);
  auto engine = qrt::Engine::create(model);
  EXPECT_TRUE(engine.isOk()) << engine.status().message();
  if (!engine)
    return INFINITY;
  int sequence = *(*engine)->addSequence();
  double worst = 0;
  for (size_t begin = 0; begin < ids.size(); begin += step) {
    size_t count = std::min(step, ids.size() - begin);
    qrt::Engine::Chunk chunk{sequence, std::span(ids).subspan(begin, count),
                             qrt::Engine::Logits::All};
    auto result = (*engine)->step({&chunk, 1});
    EXPECT_TRUE(result.isOk()) << result.status().message();
    if (!result || result->rows != static_cast<int64_t>(count))
      return INFINITY;
    for (size_t t = 0; t < count; ++t)
      for (int i = 0; i < vocabulary; ++i)
        worst =
            std::max(worst, std::abs(result->logits[t * vocabulary + i] - expected[begin + t][i]));
  }
  return worst;
}

} // namespace

TEST(LoweredProgram, ComputesWhatTheGraphSays) {
  Weights w = makeWeights();
  auto model = compile(moduleText(w), "");
  ASSERT_TRUE(model);
  EXPECT_EQ(model->program().caches.size(), 1u);
  for (size_t step : {5, 2, 1})
    EXPECT_LT(largestError(model, w, step), 2e-6) << "in chunks of " << step;
}

TEST(LoweredProgram, HalfAndEightBitWeightsStayClose) {
  Weights w = makeWeights();
  for (auto [scheme, bound] : {std::pair("f16", 2e-3), {"bf16", 2e-2}, {"w8a16", 3e-2}}) {
    auto model = compile(moduleText(w), scheme);
    ASSERT_TRUE(model);
    double error = largestError(model, w, 5);
    EXPECT_LT(error, bound) << scheme;
    EXPECT_GT(error, 0.0) << scheme;
  }
}
