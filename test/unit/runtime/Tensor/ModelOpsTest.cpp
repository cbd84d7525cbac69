//===- ModelOpsTest.cpp - embedding, norms, rotations, attention, gates -----------------------===//
#include "ModelFixture.h"

#include <cmath>

using namespace qrt;
using namespace qrt::tensor;

TEST(ModelOps, EmbeddingTakesRows) {
  Tensor table = make(DType::F16, {3, 2}, {1, 2, 3, 4, 5, 6});
  Tensor ids = make(DType::I64, {2, 1}, {1, 0});
  Tensor y = run("embedding", {&table, &ids}, {{"offset", int64_t(1)}});
  EXPECT_EQ(y.dtype, DType::F16);
  EXPECT_EQ(y.shape, (Shape{2, 1, 2}));
  EXPECT_EQ(valuesOf(y), (std::vector<double>{5, 6, 3, 4}));
  EXPECT_EQ(run("embedding", {&table, &ids}, {{"to", std::string("f32")}}).dtype, DType::F32);
  EXPECT_EQ(messageOf("embedding", {&table, &ids}, {{"offset", int64_t(2)}}),
            "embedding: id 1 with offset 2 is outside a table of 3 rows");
  Tensor negative = make(DType::I32, {1}, {-1});
  EXPECT_NE(messageOf("embedding", {&table, &negative}).find("id -1"), std::string::npos);
  Tensor unknown = abstractOf(DType::I64, {4});
  EXPECT_EQ((*tryRun("embedding", {&table, &unknown}))[0].shape, (Shape{4, 2}));
}

TEST(ModelOps, NormsWorkOnChunks) {
  Tensor x = floats({1, 4}, {3, 4, 6, 8}), w = floats({2}, {1, 10});
  Attrs epsilon{{"epsilon", 0.0}};
  const double a = std::sqrt(12.5), b = std::sqrt(50.0);
  expectNear(run("rms_norm", {&x, &w}, epsilon), {3 / a, 40 / a, 6 / b, 80 / b}, 1e-6);
  Tensor bias = floats({2}, {0.5, 0.25});
  expectNear(run("layer_norm", {&x, &w, &bias}, epsilon), {-0.5, 10.25, -0.5, 10.25}, 1e-6);
  expectNear(run("layer_norm", {&x, &w, nullptr}, epsilon), {-1, 10, -1, 10}, 1e-6);
  Tensor zero = floats({2}, {0, 0});
  expectNear(run("rms_norm", {&zero, &w}, {{"epsilon", 1e-6}}), {0, 0}, 0);
  Tensor three = floats({3}, {1, 1, 1});
  EXPECT_NE(messageOf("rms_norm", {&x, &three}, epsilon).find("divides"), std::string::npos);
  EXPECT_NE(messageOf("rms_norm", {&x, &w}).find("epsilon"), std::string::npos);
  EXPECT_NE(messageOf("rms_norm", {&x, &w}, {{"epsilon", -1.0}}).find("epsilon"),
            std::string::npos);
}

TEST(ModelOps, RotaryEmbeddingRotatesPairs) {
  // Two tokens, a quarter and half a turn of the only pair; the last two features pass.
  Tensor x = floats({1, 1, 2, 4}, {1, 2, 3, 4, 1, 2, 3, 4});
  Tensor cos = floats({1, 2, 1}, {0, -1}), sin = floats({1, 2, 1}, {1, 0});
  expectNear(run("rotary_embedding", {&x, &cos, &sin}), {-2, 1, 3, 4, -1, -2, 3, 4}, 0);
  Tensor cos2 = floats({1, 2, 2}, {0, 0, 1, 1}), sin2 = floats({1, 2, 2}, {1, 1, 0, 0});
  expectNear(run("rotary_embedding", {&x, &cos2, &sin2}), {-3, -4, 1, 2, 1, 2, 3, 4}, 0);
  expectNear(run("rotary_embedding", {&x, &cos2, &sin2}, {{"interleaved", int64_t(1)}}),
             {-2, 1, -4, 3, 1, 2, 3, 4}, 0);
  EXPECT_NE(messageOf("rotary_embedding", {&x, &cos2, &sin2}, {{"interleaved", int64_t(2)}})
                .find("interleaved"),
            std::string::npos);
}

TEST(ModelOps, RotaryEmbeddingHasTablesPerSequence) {
  Tensor x = floats({2, 2, 1, 2}, {1, 2, 3, 4, 1, 2, 3, 4});
  Tensor cos = floats({2, 1, 1}, {1, 0}), sin = floats({2, 1, 1}, {0, 1});
  expectNear(run("rotary_embedding", {&x, &cos, &sin}), {1, 2, 3, 4, -2, 1, -4, 3}, 0);
}

TEST(ModelOps, RopeIsRotaryEmbeddingOfItsAngles) {
  const int64_t tokens = 3, heads = 2, width = 8;
  for (int64_t interleaved : {0, 1}) {
    Tensor x = randomTensor(DType::F32, {tokens, heads * width}, 12);
    Tensor positions = make(DType::I32, {tokens}, {0, 5, 1000});
    Tensor frequencies = floats({3}, {1, 0.1, 0.01});
    Tensor y = run("rope", {&x, &positions, &frequencies},
                   {{"head_dim", width}, {"interleaved", interleaved}, {"scaling", 1.5}});
    std::vector<double> cos, sin;
    for (double p : {0., 5., 1000.})
      for (double f : valuesOf(frequencies)) {
        const double angle = static_cast<float>(p) * static_cast<float>(f);
        cos.push_back(1.5 * std::cos(angle));
        sin.push_back(1.5 * std::sin(angle));
      }
    Tensor cosTable = floats({1, tokens, 3}, cos), sinTable = floats({1, tokens, 3}, sin);
    Tensor split = withShape(x, {1, tokens, heads, width});
    Tensor turned = run("transpose", {&split}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
    Tensor rotated =
        run("rotary_embedding", {&turned, &cosTable, &sinTable}, {{"interleaved", interleaved}});
    Tensor back = run("transpose", {&rotated}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
    expectNear(y, valuesOf(back), 1e-6);
  }
}

/// Softmax over plain loops; `visible(i, j)` in place of a mask.
template <typename Visible>
static std::vector<double> attend(const Tensor &q, const Tensor &k, const Tensor &v, double scale,
                                  double softcap, Visible visible) {
  const std::vector<double> qs = valuesOf(q), ks = valuesOf(k), vs = valuesOf(v);
  const int64_t batch = q.shape[0], heads = q.shape[1], queries = q.shape[2], width = q.shape[3];
  const int64_t stored = k.shape[1], keys = k.shape[2], values = v.shape[3];
  std::vector<double> y;
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < queries; ++i) {
        std::vector<double> row(static_cast<size_t>(values), 0.0);
        double total = 0;
        for (int64_t j = 0; j < keys; ++j) {
          if (!visible(i, j))
            continue;
          const int64_t from = (b * stored + h / (heads / stored)) * keys + j;
          double score = 0;
          for (int64_t d = 0; d < width; ++d)
            score += qs[((b * heads + h) * queries + i) * width + d] * ks[from * width + d];
          score *= scale;
          score = softcap > 0 ? softcap * std::tanh(score / softcap) : score;
          total += std::exp(score);
          for (int64_t d = 0; d < values; ++d)
            row[d] += std::exp(score) * vs[from * values + d];
        }
        for (double value : row)
          y.push_back(total > 0 ? value / total : 0);
      }
  return y;
}

TEST(ModelOps, SdpaWithGroupedHeads) {
  Tensor q = randomTensor(DType::F32, {2, 4, 3, 5}, 13),
         k = randomTensor(DType::F32, {2, 2, 6, 5}, 14);
  Tensor v = randomTensor(DType::F32, {2, 2, 6, 7}, 15);
  Tensor y = run("sdpa", {&q, &k, &v}, {{"scale", 0.5}});
  EXPECT_EQ(y.shape, (Shape{2, 4, 3, 7}));
  auto all = [](int64_t, int64_t) { return true; };
  expectNear(y, attend(q, k, v, 0.5, 0, all), 1e-6);
  expectNear(run("sdpa", {&q, &k, &v, nullptr}, {{"scale", 0.5}, {"softcap", 2.0}}),
             attend(q, k, v, 0.5, 2, all), 1e-6);
  expectNear(run("sdpa", {&q, &k, &v}, {{"scale", 0.5}, {"causal", int64_t(1)}}),
             attend(q, k, v, 0.5, 0, [](int64_t i, int64_t j) { return j <= i + 3; }), 1e-6);
}

TEST(ModelOps, SdpaMasks) {
  Tensor q = randomTensor(DType::F32, {1, 2, 2, 4}, 16),
         k = randomTensor(DType::F32, {1, 1, 3, 4}, 17);
  Tensor v = randomTensor(DType::F32, {1, 1, 3, 4}, 18);
  Attrs attrs{{"scale", 1.0}};
  // Query 0 sees keys 0 and 2, query 1 none.
  auto visible = [](int64_t i, int64_t j) { return i == 0 && j != 1; };
  Tensor keep = make(DType::Bool, {1, 1, 2, 3}, {1, 0, 1, 0, 0, 0});
  Tensor y = run("sdpa", {&q, &k, &v, &keep}, attrs);
  expectNear(y, attend(q, k, v, 1, 0, visible), 1e-6);
  EXPECT_EQ(valuesOf(y)[4], 0); // query 1 of head 0
  const double inf = INFINITY;
  Tensor add = floats({2, 3}, {0, -inf, 0, -inf, -inf, -inf});
  expectNear(run("sdpa", {&q, &k, &v, &add}, attrs), attend(q, k, v, 1, 0, visible), 1e-6);
  Tensor perQuery = make(DType::Bool, {2, 1}, {1, 0});
  expectNear(run("sdpa", {&q, &k, &v, &perQuery}, attrs),
             attend(q, k, v, 1, 0, [](int64_t i, int64_t) { return i == 0; }), 1e-6);
  Tensor wrong = make(DType::Bool, {2, 2}, {1, 1, 1, 1});
  EXPECT_NE(messageOf("sdpa", {&q, &k, &v, &wrong}, attrs).find("mask"), std::string::npos);
  EXPECT_NE(messageOf("sdpa", {&q, &k, &v}).find("scale"), std::string::npos);
}

TEST(ModelOps, AttentionIsCausalSdpaOfTokenRows) {
  const int64_t tokens = 5;
  Tensor q = randomTensor(DType::F32, {tokens, 4 * 3}, 19),
         k = randomTensor(DType::F32, {tokens, 2 * 3}, 20);
  Tensor v = randomTensor(DType::F32, {tokens, 2 * 2}, 21);
  auto headed = [&](const Tensor &x, int64_t heads) {
    Tensor split = withShape(x, {1, tokens, heads, x.shape[1] / heads});
    return run("transpose", {&split}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  };
  Attrs attrs{{"num_heads", int64_t(4)}, {"kv_heads", int64_t(2)}, {"head_dim", int64_t(3)},
              {"value_dim", int64_t(2)}, {"scale", 0.7},           {"cache", int64_t(0)}};
  for (int64_t window : {0, 2}) {
    attrs["window"] = window;
    Tensor y = run("attention", {&q, &k, &v}, attrs);
    EXPECT_EQ(y.shape, (Shape{tokens, 8}));
    expectNear(
        headed(y, 4),
        attend(headed(q, 4), headed(k, 2), headed(v, 2), 0.7, 0,
               [&](int64_t i, int64_t j) { return j <= i && (window == 0 || j > i - window); }),
        1e-6);
  }
  attrs["kv_heads"] = int64_t(3);
  EXPECT_NE(messageOf("attention", {&q, &k, &v}, attrs).find("multiple"), std::string::npos);
  attrs["kv_heads"] = INT64_MAX;
  EXPECT_NE(messageOf("attention", {&q, &k, &v}, attrs).find("head"), std::string::npos);
}

TEST(ModelOps, Gates) {
  Tensor gate = floats({2, 2}, {-1, 0, 1, 3}), up = floats({2, 2}, {2, 2, 2, 0.5});
  auto silu = [](double x) { return x / (1 + std::exp(-x)); };
  auto gelu = [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); };
  expectNear(run("swiglu", {&gate, &up}), {2 * silu(-1), 0, 2 * silu(1), 0.5 * silu(3)}, 1e-6);
  expectNear(run("geglu", {&gate, &up}), {2 * gelu(-1), 0, 2 * gelu(1), 0.5 * gelu(3)}, 1e-6);
  Tensor tanh = run("geglu", {&gate, &up}, {{"approximate", std::string("tanh")}});
  expectNear(tanh, {2 * gelu(-1), 0, 2 * gelu(1), 0.5 * gelu(3)}, 2e-3);
  EXPECT_NEAR(valuesOf(tanh)[2], 1.6823839, 1e-6); // PyTorch's gelu(1, approximate="tanh") * 2
  EXPECT_NE(messageOf("geglu", {&gate, &up}, {{"approximate", std::string("fast")}}).find("fast"),
            std::string::npos);
  Tensor other = floats({4}, {1, 1, 1, 1});
  EXPECT_NE(messageOf("swiglu", {&gate, &other}).find("one shape"), std::string::npos);
}

TEST(ModelOps, Hadamard) {
  // Walsh order 2 in each block of two: (a + b, a - b) / sqrt(2).
  const double half = std::sqrt(0.5);
  Tensor x = floats({1, 6}, {1, 2, 3, 5, -1, 4});
  expectNear(run("hadamard", {&x}, {{"block", int64_t(2)}}),
             {3 * half, -half, 8 * half, -2 * half, 3 * half, -5 * half}, 1e-6);
  // Row i of the base is what block row i gives to each result row.
  Tensor base = floats({3, 3}, {1, 2, 0, 0, 1, 0, 0, 3, 1});
  const double sixth = 1 / std::sqrt(6.0);
  expectNear(run("hadamard", {&x, &base}, {{"block", int64_t(6)}}),
             {3 * sixth, -1 * sixth, 23 * sixth, -19 * sixth, 3 * sixth, -5 * sixth}, 1e-6);
  Tensor flat = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_NE(messageOf("hadamard", {&x, &flat}, {{"block", int64_t(6)}}).find("square"),
            std::string::npos);
  EXPECT_NE(messageOf("hadamard", {&x, &base}, {{"block", int64_t(9)}}).find("power of two"),
            std::string::npos);
  EXPECT_NE(messageOf("hadamard", {&x}, {{"block", int64_t(4)}}).find("multiple"),
            std::string::npos);
  EXPECT_NE(messageOf("hadamard", {&x}, {}).find("power of two"), std::string::npos);
}
