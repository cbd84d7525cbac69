//===- VectorOpsTest.cpp - norms, rotation, element-wise operations -----------===//
//
// Every variant against float64 formulas written here, over widths that no vector divides.
//
//===----------------------------------------------------------------------===//

#include "EmulatedVariants.h"
#include "TestVariants.h"
#include "kernels/cpu/vector/Variants.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace qrt::kernels;
using namespace qrt::kernels::test;

/// Bound of elementwise.h, relative to max(1, |x|).
static constexpr double functionBound = 4e-7;
/// A norm: rounding of a sum of squares and three multiplications.
static constexpr double normBound = 2e-6;
/// A rotation: two products and a sum.
static constexpr double ropeBound = 3e-7;

static std::vector<Variant<VectorKernels>> variants() {
  return runnable<VectorKernels>(vectorVariants(), emulatedVectorVariants());
}

TEST(Norm, AgainstFloat64) {
  for (auto [width, chunk] : {std::pair<int64_t, int64_t>{1, 1}, {37, 37}, {896, 896}, {96, 24}})
    for (const auto &variant : variants()) {
      int64_t tokens = 3, stride = width + 5;
      std::vector<float> x = randomFloats(tokens * stride, 1, 2.0f);
      for (float &value : x)
        value += 3.0f;
      std::vector<float> weight = randomFloats(chunk, 2), bias = randomFloats(chunk, 3);
      for (bool centred : {false, true}) {
        std::vector<float> y(tokens * stride, 7.0f);
        NormArgs args{y.data(),    stride, x.data(), stride, weight.data(),
                      bias.data(), tokens, width,    chunk,  1e-5f};
        (centred ? variant.kernels->layerNorm : variant.kernels->rmsNorm)(args, 0, tokens);
        for (int64_t t = 0; t < tokens; ++t)
          for (int64_t at = 0; at < width; at += chunk) {
            double mean = 0, square = 0;
            for (int64_t i = 0; centred && i < chunk; ++i)
              mean += x[t * stride + at + i] / double(chunk);
            for (int64_t i = 0; i < chunk; ++i)
              square += std::pow(x[t * stride + at + i] - mean, 2) / double(chunk);
            for (int64_t i = 0; i < chunk; ++i) {
              double normal = (x[t * stride + at + i] - mean) / std::sqrt(square + 1e-5);
              double want = normal * weight[i] + (centred ? bias[i] : 0.0f);
              ASSERT_NEAR(y[t * stride + at + i], want, normBound * (1 + 4 * std::abs(weight[i])))
                  << variant.name << " width " << width << " chunk " << chunk;
            }
          }
        EXPECT_EQ(y[width], 7.0f); // the gap between rows stays untouched
      }
    }
}

TEST(Norm, WorksInPlaceAndSplitsOverThreads) {
  ThreadPool one(1), three(3);
  int64_t tokens = 50, width = 300;
  std::vector<float> x = randomFloats(tokens * width, 1), weight(width, 1.0f);
  std::vector<float> a(x.size()), b = x;
  rmsNorm(one, {a.data(), width, x.data(), width, weight.data(), nullptr, tokens, width, width, 0});
  rmsNorm(three,
          {b.data(), width, b.data(), width, weight.data(), nullptr, tokens, width, width, 0});
  EXPECT_EQ(a, b);
}

TEST(Rope, AgainstFloat64) {
  ThreadPool pool(2);
  int64_t tokens = 3, heads = 2;
  for (auto [headDim, rotary] : {std::pair<int64_t, int64_t>{64, 64}, {20, 12}, {6, 2}})
    for (bool interleaved : {false, true})
      for (const auto &variant : variants()) {
        int64_t half = rotary / 2, stride = heads * headDim + 1;
        std::vector<int32_t> positions = {0, 5, 100000};
        std::vector<float> inverse(half), cos(tokens * half), sin(tokens * half);
        for (int64_t i = 0; i < half; ++i)
          inverse[i] = std::pow(10000.0f, -float(i) / float(half));
        ropeTable(pool, positions.data(), tokens, inverse.data(), half, 1.5f, cos.data(),
                  sin.data());
        std::vector<float> x = randomFloats(tokens * stride, 4), y = x;
        variant.kernels->rope(
            {y.data(), stride, tokens, heads, headDim, rotary, interleaved, cos.data(), sin.data()},
            0, tokens);
        for (int64_t t = 0; t < tokens; ++t)
          for (int64_t h = 0; h < heads; ++h)
            for (int64_t i = 0; i < headDim; ++i) {
              int64_t at = t * stride + h * headDim;
              double want = x[at + i];
              if (i < rotary) {
                int64_t pair = interleaved ? i / 2 : i % half;
                bool second = interleaved ? i % 2 : i >= half;
                int64_t other = interleaved ? i ^ 1 : (i + half) % rotary;
                double angle = float(positions[t]) * inverse[pair];
                double c = 1.5 * std::cos(angle), s = 1.5 * std::sin(angle);
                want =
                    second ? x[at + i] * c + x[at + other] * s : x[at + i] * c - x[at + other] * s;
              }
              ASSERT_NEAR(y[at + i], want, ropeBound * 10) << variant.name << " feature " << i;
            }
      }
}

static double exactUnary(UnaryKind kind, double x) {
  switch (kind) {
  case UnaryKind::Gelu:
    return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
  case UnaryKind::GeluTanh:
    return x * 0.5 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  case UnaryKind::QuickGelu:
    return x / (1 + std::exp(-1.702 * x));
  case UnaryKind::Silu:
    return x / (1 + std::exp(-x));
  case UnaryKind::Relu:
    return std::max(x, 0.0);
  case UnaryKind::Tanh:
    return std::tanh(x);
  case UnaryKind::Sigmoid:
    return 1 / (1 + std::exp(-x));
  case UnaryKind::Softcap:
    return 2.5 * std::tanh(x / 2.5);
  }
  return 0;
}

TEST(Unary, WithinTheStatedBoundEverywhere) {
  std::vector<float> x;
  for (int i = -4000; i <= 4000; ++i)
    x.push_back(static_cast<float>(i) * 0.005f);
  for (float value : {-0.0f, 1e-30f, -1e-8f, 50.0f, -50.0f, 1e4f, -1e4f, 3e38f, -3e38f})
    x.push_back(value);
  int64_t n = static_cast<int64_t>(x.size());
  for (const auto &variant : variants())
    for (int kind = 0; kind <= int(UnaryKind::Softcap); ++kind) {
      std::vector<float> y(n);
      variant.kernels->unary({UnaryKind(kind), y.data(), n, x.data(), n, 1, n, 2.5f}, 0, 1);
      for (int64_t i = 0; i < n; ++i) {
        if (UnaryKind(kind) == UnaryKind::GeluTanh && std::abs(x[i]) > 1e12f)
          continue; // x^3 leaves f32
        ASSERT_NEAR(y[i], exactUnary(UnaryKind(kind), x[i]),
                    functionBound * std::max(1.0f, std::abs(x[i])))
            << variant.name << " kind " << kind << " x " << x[i];
      }
      float nan = std::nanf("");
      variant.kernels->unary({UnaryKind(kind), y.data(), 1, &nan, 1, 1, 1, 2.5f}, 0, 1);
      EXPECT_TRUE(std::isnan(y[0])) << variant.name << " kind " << kind;
    }
}

TEST(Gated, MultipliesTheActivatedGate) {
  int64_t tokens = 2, width = 37;
  std::vector<float> gate = randomFloats(tokens * 40, 1, 3.0f), up = randomFloats(tokens * 50, 2);
  for (const auto &variant : variants())
    for (auto kind : {UnaryKind::Silu, UnaryKind::Gelu, UnaryKind::GeluTanh, UnaryKind::Relu}) {
      std::vector<float> y(tokens * 41, 9.0f);
      variant.kernels->gated(
          {kind, y.data(), 41, gate.data(), 40, up.data(), 50, tokens, width, 0.0f}, 0, tokens);
      for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t i = 0; i < width; ++i)
          ASSERT_NEAR(y[t * 41 + i], exactUnary(kind, gate[t * 40 + i]) * up[t * 50 + i],
                      functionBound * 40)
              << variant.name;
        EXPECT_EQ(y[t * 41 + width], 9.0f);
      }
    }
}

TEST(Binary, EveryKindAndBroadcastIsExact) {
  int64_t tokens = 3, width = 21;
  std::vector<float> a = randomFloats(tokens * width, 1), b = randomFloats(tokens * width, 2);
  for (const auto &variant : variants())
    for (int kind = 0; kind < 4; ++kind)
      for (auto broadcast : {Broadcast::None, Broadcast::Row, Broadcast::Scalar})
        for (bool swapped : {false, true}) {
          std::vector<float> y(tokens * width);
          variant.kernels->binary({BinaryKind(kind), broadcast, swapped, y.data(), width, a.data(),
                                   width, b.data(), width, tokens, width},
                                  0, tokens);
          for (int64_t i = 0; i < tokens * width; ++i) {
            float l = a[i], r = b[broadcast == Broadcast::None  ? i
                                  : broadcast == Broadcast::Row ? i % width
                                                                : 0];
            if (swapped)
              std::swap(l, r);
            float want = kind == 0 ? l + r : kind == 1 ? l - r : kind == 2 ? l * r : l / r;
            ASSERT_EQ(y[i], want) << variant.name << " kind " << kind;
          }
        }
}
