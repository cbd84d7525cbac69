//===- LinearTest.cpp - every variant of linear against the definition -------===//
//
// Integer activations: equal bits to the scalar variant. f32 arithmetic: within a rounding bound of
// the float64 product. Odd sizes, channel scales, partial groups, extreme activations, any number
// of threads, any batching.
//
//===----------------------------------------------------------------------===//

#include "EmulatedVariants.h"
#include "LinearFixture.h"
#include "TestVariants.h"
#include "kernels/cpu/linear/Variants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

using namespace qrt;
using namespace qrt::kernels;
using namespace qrt::kernels::test;

/// Error of a sum of K products in f32, relative to the sum of magnitudes: random-walk growth with
/// a margin; the sums run in at least 8 lanes.
static constexpr double f32SumBound = 1e-6;
/// 16-bit activations: half a step of 2 / 65024 of the block's largest value, per product.
static constexpr double a16Bound = 4e-5;
/// 8-bit activations: half a step of 1 / 127 of the block's largest value.
static constexpr double a8Bound = 2e-2;
/// bf16 rounds the activation to 8 bits: 2^-9 of each product.
static constexpr double bf16Bound = 2.5e-3;

namespace {

struct Case {
  WeightDesc desc;
  Activation activation;
};

std::string describe(const Case &c, int64_t m, const std::string &variant) {
  return variant + " format " + std::to_string(int(c.desc.format)) + " group " +
         std::to_string(c.desc.groupSize) + (c.desc.symmetric ? " sym" : " asym") + " scale " +
         std::to_string(int(c.desc.scaleType)) + " n " + std::to_string(c.desc.n) + " k " +
         std::to_string(c.desc.k) + " activation " + std::to_string(int(c.activation)) + " m " +
         std::to_string(m);
}

/// Runs a variant into a buffer with a wider stride, whose gap must stay untouched.
std::vector<float> run(const LinearKernels &kernels, ThreadPool &pool, const WeightView &weight,
                       const std::vector<float> &src, int64_t m, Activation activation,
                       const float *bias) {
  constexpr float untouched = 12345.0f;
  int64_t n = weight.desc.n, k = weight.desc.k, stride = n + 3;
  std::vector<float> out(m * stride, untouched), packed(m * n);
  Workspace workspace;
  LinearArgs args{out.data(), stride, src.data(), k, m, weight, bias, activation};
  Status status = linearWith(kernels, pool, args, workspace);
  EXPECT_TRUE(status) << status.message();
  EXPECT_LE(workspace.size(), linearWorkspaceBytes(weight.desc, m, activation, pool.size()) + 64);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < stride; ++j) {
      if (j < n)
        packed[i * n + j] = out[i * stride + j];
      else
        EXPECT_EQ(out[i * stride + j], untouched);
    }
  return packed;
}

/// |got - exact| must stay below bound * sum |x w|, block-wise maxima for integer activations.
void expectNear(const RandomWeight &w, const std::vector<float> &src, int64_t m, const float *bias,
                const std::vector<float> &got, Activation activation, double bound,
                const std::string &what) {
  const WeightDesc &desc = w.desc;
  int64_t block = desc.groupSize ? desc.groupSize : 128;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t n = 0; n < desc.n; ++n) {
      double exact = bias ? bias[n] : 0.0, magnitude = std::abs(exact) + 1e-30;
      for (int64_t first = 0; first < desc.k; first += block) {
        double largest = 0, absW = 0, absSum = 0;
        for (int64_t k = first; k < std::min(desc.k, first + block); ++k) {
          double x = src[i * desc.k + k], v = w.values[n * desc.k + k];
          exact += x * v;
          absSum += std::abs(x * v);
          largest = std::max(largest, std::abs(x));
          absW += std::abs(v);
        }
        magnitude += activation == Activation::F32 ? absSum : largest * absW;
      }
      ASSERT_NEAR(got[i * desc.n + n], exact, bound * magnitude) << what << " at " << i << "," << n;
    }
}

std::vector<Variant<LinearKernels>> variants() {
  return runnable<LinearKernels>(linearVariants(), emulatedLinearVariants());
}

const LinearKernels &scalarKernels() { return *linearVariants().front(); }

double boundFor(const Case &c, int64_t m, const LinearKernels &kernels) {
  if (c.activation == Activation::A8)
    return a8Bound;
  if (c.activation == Activation::A16 && isQuantized(c.desc.format))
    return a16Bound;
  if (c.activation == Activation::A16 && c.desc.format == WeightFormat::BF16 && kernels.denseBf16 &&
      m >= 16)
    return bf16Bound;
  return f32SumBound;
}

std::vector<Case> quantizedCases() {
  std::vector<Case> cases;
  for (auto format : {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
    for (int group : {0, 32, 64, 128})
      for (bool symmetric : {true, false})
        for (auto activation : {Activation::F32, Activation::A16, Activation::A8}) {
          auto scale = group == 64 ? ScaleType::F32 : ScaleType::F16;
          cases.push_back({{format, 37, 200, group, symmetric, scale}, activation});
          cases.push_back({{format, 80, 288, group, symmetric, ScaleType::F16}, activation});
        }
  return cases;
}

void check(const std::vector<Case> &cases, const std::vector<int64_t> &tokens) {
  ThreadPool one(1), three(3);
  for (const Case &c : cases) {
    RandomWeight w = randomWeight(c.desc, 7);
    std::vector<float> bias = randomFloats(c.desc.n, 9);
    for (int64_t m : tokens) {
      std::vector<float> src = randomFloats(m * c.desc.k, 11 + m);
      const float *b = m % 2 ? bias.data() : nullptr;
      std::vector<float> want = run(scalarKernels(), one, w.view(), src, m, c.activation, b);
      for (const auto &variant : variants()) {
        std::string what = describe(c, m, variant.name);
        std::vector<float> got = run(*variant.kernels, one, w.view(), src, m, c.activation, b);
        expectNear(w, src, m, b, got, c.activation, boundFor(c, m, *variant.kernels), what);
        bool integers = isQuantized(c.desc.format) && c.activation != Activation::F32;
        if (integers) {
          EXPECT_EQ(got, want) << what;
        }
        EXPECT_EQ(run(*variant.kernels, three, w.view(), src, m, c.activation, b), got)
            << what << ": depends on the number of threads";
        if (testing::Test::HasFatalFailure())
          return;
      }
    }
  }
}

} // namespace

TEST(Linear, QuantizedAgainstTheDefinition) { check(quantizedCases(), {1, 2, 3, 8, 17}); }

TEST(Linear, ManyTokens) {
  std::vector<Case> cases;
  for (auto activation : {Activation::F32, Activation::A16, Activation::A8})
    for (auto format : {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
      cases.push_back({{format, 131, 160, 32, false, ScaleType::F16}, activation});
  check(cases, {5, 13, 16, 37, 70});
  // More tokens than any variant keeps sums or activations of at once, in groups of every size.
  cases.clear();
  for (auto activation : {Activation::A16, Activation::A8})
    for (auto format : {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2}) {
      cases.push_back({{format, 21, 300, 128, true, ScaleType::F16}, activation});
      cases.push_back({{format, 16, 150, 64, false, ScaleType::F32}, activation});
      cases.push_back({{format, 18, 130, 0, true, ScaleType::F16}, activation});
    }
  check(cases, {23, 135});
  cases.clear();
  for (auto activation : {Activation::A16, Activation::A8})
    cases.push_back({{WeightFormat::U4, 18, 8200, 128, true, ScaleType::F16}, activation});
  check(cases, {39});
}

TEST(Linear, DenseAgainstTheDefinition) {
  std::vector<Case> cases;
  for (auto format : {WeightFormat::F32, WeightFormat::F16, WeightFormat::BF16})
    for (auto activation : {Activation::F32, Activation::A16})
      for (auto [n, k] : {std::pair{1, 1}, {37, 200}, {16, 64}, {29, 127}})
        cases.push_back({{format, n, k, 0, true, ScaleType::F16}, activation});
  check(cases, {1, 2, 3, 8, 17});
  // Sizes at which oneDNN takes over, with a last run of rows that is not full.
  cases.clear();
  for (auto format : {WeightFormat::F32, WeightFormat::F16, WeightFormat::BF16})
    cases.push_back({{format, 300, 70, 0, true, ScaleType::F16}, Activation::F32});
  check(cases, {65});
}

TEST(Linear, ExtremeActivations) {
  // Blocks of zeros, one huge value among tiny ones, the same value everywhere (the largest sums
  // that the integer accumulators must hold), alternating signs, and tiny magnitudes.
  ThreadPool pool(1);
  for (auto format : {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
    for (int fill = 0; fill < 2; ++fill) {
      WeightDesc desc{format, 16, 256, 128, false, ScaleType::F16};
      RandomWeight w = randomWeight(desc, 5);
      int top = (1 << weightBits(format)) - 1;
      std::fill(w.codes.begin(), w.codes.end(), fill ? top : 0);
      std::fill(w.zeroPoints.begin(), w.zeroPoints.end(), fill ? 0 : top);
      packQuantized(desc, w.codes.data(), w.scales.data(), w.zeroPoints.data(), w.data.data(),
                    w.packedScales.data(), w.packedZeroPoints.data());
      // Once as a small batch, once four times over as one of many tokens.
      const int64_t m = 24, k = desc.k;
      std::vector<float> src(m * k, 0.0f);
      for (int64_t i = 0; i < m * k; ++i) {
        const float values[] = {0.0f,  i % k == 40 ? 3e30f : 1e-3f, 1.0f,
                                -1.0f, i % 2 ? 1.0f : -1.0f,        1e-40f};
        src[i] = values[i / k % 6];
      }
      for (int64_t tokens : {int64_t(6), m})
        for (auto activation : {Activation::A16, Activation::A8}) {
          std::vector<float> want =
              run(scalarKernels(), pool, w.view(), src, tokens, activation, nullptr);
          for (float value : want)
            EXPECT_TRUE(std::isfinite(value));
          EXPECT_EQ(want[0], 0.0f);
          for (const auto &variant : variants())
            EXPECT_EQ(run(*variant.kernels, pool, w.view(), src, tokens, activation, nullptr), want)
                << describe({desc, activation}, tokens, variant.name);
        }
    }
}

TEST(Linear, NanActivationReachesTheResult) {
  ThreadPool pool(1);
  RandomWeight w = randomWeight({WeightFormat::U4, 16, 64, 32, true, ScaleType::F16}, 5);
  std::vector<float> src = randomFloats(2 * 64, 1);
  src[5] = std::nanf("");
  for (const auto &variant : variants())
    for (auto activation : {Activation::F32, Activation::A16, Activation::A8}) {
      std::vector<float> out = run(*variant.kernels, pool, w.view(), src, 2, activation, nullptr);
      EXPECT_TRUE(std::isnan(out[0])) << variant.name;
      EXPECT_TRUE(std::isfinite(out[16])) << variant.name;
    }
}

TEST(Linear, ATokenDoesNotDependOnItsBatch) {
  ThreadPool pool(2);
  for (auto format : {WeightFormat::F32, WeightFormat::BF16, WeightFormat::U8, WeightFormat::U4}) {
    WeightDesc desc{format, 70, 160, isQuantized(format) ? 32 : 0, true, ScaleType::F16};
    RandomWeight w = randomWeight(desc, 3);
    std::vector<float> src = randomFloats(19 * desc.k, 4);
    for (const auto &variant : variants()) {
      auto activation = isQuantized(format) ? Activation::A16 : Activation::F32;
      std::vector<float> all = run(*variant.kernels, pool, w.view(), src, 19, activation, nullptr);
      for (int64_t i = 0; i < 19; ++i) {
        std::vector<float> one(src.begin() + i * desc.k, src.begin() + (i + 1) * desc.k);
        std::vector<float> got = run(*variant.kernels, pool, w.view(), one, 1, activation, nullptr);
        EXPECT_EQ(got, std::vector<float>(all.begin() + i * desc.n, all.begin() + (i + 1) * desc.n))
            << variant.name;
      }
    }
  }
}

TEST(Linear, AGroupComputesWhatItsPartsDo) {
  ThreadPool three(3);
  Workspace workspace;
  for (bool alike : {true, false})
    for (auto activation : {Activation::A16, Activation::A8})
      for (int64_t m : {int64_t(1), int64_t(21)}) {
        const int64_t k = 150;
        std::vector<RandomWeight> weights;
        for (int64_t n : {40, 5, 77})
          weights.push_back(randomWeight({alike || n != 5 ? WeightFormat::U4 : WeightFormat::U8, n,
                                          k, 64, true, n == 77 ? ScaleType::F32 : ScaleType::F16},
                                         uint32_t(n)));
        const std::vector<float> src = randomFloats(m * k, 3), bias = randomFloats(5, 4);
        for (const auto &variant : variants()) {
          std::vector<LinearArgs> parts;
          std::vector<std::vector<float>> dst;
          for (const RandomWeight &w : weights)
            dst.emplace_back(m * w.desc.n);
          for (size_t i = 0; i < weights.size(); ++i)
            parts.push_back({dst[i].data(), weights[i].desc.n, src.data(), k, m, weights[i].view(),
                             i == 1 ? bias.data() : nullptr, activation});
          Status status = linearsWith(*variant.kernels, three, parts, workspace);
          ASSERT_TRUE(status) << status.message();
          for (size_t i = 0; i < weights.size(); ++i)
            EXPECT_EQ(dst[i], run(*variant.kernels, three, weights[i].view(), src, m, activation,
                                  parts[i].bias))
                << variant.name << " part " << i;
        }
      }
}

TEST(Linear, WrongArgumentsAreRefused) {
  ThreadPool pool(1);
  Workspace workspace;
  RandomWeight dense = randomWeight({WeightFormat::F16, 4, 8, 0, true, ScaleType::F16}, 1);
  RandomWeight coded = randomWeight({WeightFormat::U4, 4, 8, 32, false, ScaleType::F16}, 1);
  std::vector<float> x(16), y(16);
  LinearArgs good{y.data(), 4, x.data(), 8, 2, coded.view(), nullptr, Activation::A8};
  EXPECT_TRUE(linear(pool, good, workspace));
  auto message = [&](LinearArgs args) {
    Status status = linear(pool, args, workspace);
    EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
    return status.message();
  };
  LinearArgs args = good;
  args.weight = dense.view();
  EXPECT_EQ(message(args), "linear: 8-bit activations need quantized weights");
  args = good;
  args.weight.zeroPoints = nullptr;
  EXPECT_EQ(message(args), "linear: the weight lacks its data, scales or zero points");
  args = good;
  args.dstStride = 3;
  EXPECT_EQ(message(args), "linear: a row stride is shorter than the row");
  args = good;
  args.src = nullptr;
  EXPECT_EQ(message(args), "linear: null source or destination");
  args = good;
  args.m = -1;
  EXPECT_EQ(message(args), "linear: negative number of tokens");
  args = good;
  args.m = 0;
  EXPECT_TRUE(linear(pool, args, workspace));
  std::vector<LinearArgs> parts(maxLinearParts + 1, good);
  EXPECT_EQ(linears(pool, parts, workspace).message(), "linear: a group of 9 products");
  parts.resize(2);
  parts[1].src = x.data() + 1;
  EXPECT_EQ(linears(pool, parts, workspace).message(),
            "linear: the products of a group differ in their input");
}

TEST(Isa, ForcedByTheEnvironment) {
  const char *old = std::getenv("QRT_ISA");
  std::string saved = old ? old : "";
  setenv("QRT_ISA", "scalar", 1);
  EXPECT_EQ(*requestedIsa(), Isa::Scalar);
  setenv("QRT_ISA", "neon", 1);
  EXPECT_EQ(requestedIsa().status().code(), StatusCode::InvalidArgument);
  EXPECT_EQ(requestedIsa().status().message(),
            "QRT_ISA=neon: unknown; use scalar, avx2, avx512vnni or avx512bf16");
  if (detectIsa() < Isa::Avx512Bf16) {
    setenv("QRT_ISA", "avx512bf16", 1);
    EXPECT_EQ(requestedIsa().status().code(), StatusCode::Unsupported);
  }
  unsetenv("QRT_ISA");
  EXPECT_EQ(*requestedIsa(), detectIsa());
  if (old)
    setenv("QRT_ISA", saved.c_str(), 1);
}

/// Static scales: against codes and products written out here, equal bits on every variant.
TEST(Linear, StaticActivationScales) {
  ThreadPool pool(2);
  for (int group : {0, 32, 64, 128})
    for (int64_t m : {1, 5, 20}) {
      const RandomWeight w = randomWeight({WeightFormat::U8, 37, 200, group, true}, 7);
      const int64_t block = group ? group : 128, blocks = (200 + block - 1) / block;
      std::vector<float> scales, src = randomFloats(m * 200, uint32_t(m));
      for (int64_t b = 0; b < blocks; ++b)
        scales.push_back(b % 2 ? 0.001f : 0.03f); // the smaller one clamps most values
      src[3] = 1e30f;
      std::vector<float> want;
      for (const auto &variant : variants()) {
        std::vector<float> got(m * 37);
        Workspace workspace;
        LinearArgs args{got.data(), 37,      src.data(),     200,          m,
                        w.view(),   nullptr, Activation::A8, scales.data()};
        ASSERT_TRUE(linearWith(*variant.kernels, pool, args, workspace));
        for (int64_t t = 0; t < m; ++t)
          for (int64_t n = 0; n < 37; ++n) {
            double exact = 0, magnitude = 0;
            for (int64_t k = 0; k < 200; ++k) {
              const double s = scales[k / block];
              const double x = std::clamp(std::nearbyint(src[t * 200 + k] / s), -127.0, 127.0) * s;
              exact += x * w.values[n * 200 + k];
              magnitude += std::abs(x * w.values[n * 200 + k]);
            }
            // x / s and x * (1 / s) may fall on two sides of a half.
            ASSERT_NEAR(got[t * 37 + n], exact, 2e-3 * magnitude) << variant.name << " g" << group;
          }
        if (want.empty())
          want = got;
        EXPECT_EQ(got, want) << variant.name << " group " << group << " m " << m;
      }
      src[150] = NAN;
      std::vector<float> got(m * 37);
      Workspace workspace;
      LinearArgs args{got.data(), 37,      src.data(),     200,          m,
                      w.view(),   nullptr, Activation::A8, scales.data()};
      ASSERT_TRUE(linear(pool, args, workspace));
      EXPECT_TRUE(std::isnan(got[0]));
      args.activation = Activation::A16;
      EXPECT_EQ(linear(pool, args, workspace).code(), StatusCode::InvalidArgument);
    }
}
