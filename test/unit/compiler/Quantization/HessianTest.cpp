//===- HessianTest.cpp - Moments against naive float64 sums -----------------------------------===//
#include "qopt/Quantization/Hessian.h"

#include "Reference.h"

#include <gtest/gtest.h>

#include <limits>

using namespace qopt::quantization;
using namespace qopt::quantization::test;

namespace {

/// Errors of single elements, relative to sqrt(H_ii H_jj).
void expectClose(const Floats &actual, const Doubles &expected, int64_t k, const Doubles &rows,
                 const Doubles &columns, double tolerance) {
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < k; ++j)
      ASSERT_NEAR(actual[i * k + j], expected[i * k + j],
                  tolerance * std::sqrt(rows[i * k + i] * columns[j * k + j]))
          << i << ", " << j;
}

Floats tokenWeights(int64_t tokens) {
  Floats weights(tokens);
  for (int64_t t = 0; t < tokens; ++t)
    weights[t] = t % 7 == 0 ? 0.0f : 0.5f + 0.25f * float(t % 5);
  return weights;
}

/// Pieces of very unequal lengths.
void addInPieces(HessianAccumulator &sums, const Floats &x, int64_t k, const Floats &weights) {
  const auto tokens = int64_t(weights.size());
  for (int64_t t = 0, step = 1; t < tokens; t += step, step = step * 2 % 701) {
    const int64_t count = std::min(step, tokens - t);
    sums.add(x.data() + t * k, count, k, std::span(weights).subspan(t, count));
  }
}

} // namespace

TEST(Hessian, AgreesWithFloat64) {
  for (int64_t k : {1, 5, 16, 96, 97, 200})
    for (int64_t tokens : {1, 511, 512, 1300})
      for (bool weighted : {false, true}) {
        if (weighted && tokens == 1)
          continue;
        Floats x = activations(tokens, k, unsigned(k + tokens));
        Floats weights = weighted ? tokenWeights(tokens) : Floats{};
        HessianAccumulator sum(k, threads(2));
        sum.add(x.data(), tokens, k, weights);
        Floats h(k * k);
        ASSERT_TRUE(sum.finish(h));
        Doubles expected = moment(x, x, k, weights);
        expectClose(h, expected, k, expected, expected, 3e-6);
      }
}

TEST(Hessian, BytesAgreeWithFloat64) {
  for (int64_t k : {1, 5, 96, 97, 200})
    for (int64_t tokens : {1, 3, 1023, 1024, 2500})
      for (bool weighted : {false, true}) {
        if (weighted && tokens == 1)
          continue;
        Floats x = normals(tokens * k, unsigned(k + tokens));
        Floats weights = weighted ? tokenWeights(tokens) : Floats{};
        HessianAccumulator sum(k, threads(2), MomentPrecision::Int8);
        sum.add(x.data(), tokens, k, weights);
        Floats h(k * k);
        ASSERT_TRUE(sum.finish(h));
        Doubles expected = moment(x, x, k, weights);
        // A normal value is rounded with an error of about 0.7 % of its deviation, which averages
        // out; one token is worst.
        expectClose(h, expected, k, expected, expected, tokens < 512 ? 1e-2 : 4e-3);
        if (tokens < 1024 || k < 96)
          continue;
        double error = 0;
        for (int64_t i = 0; i < k; ++i)
          for (int64_t j = 0; j < k; ++j)
            error += std::pow(h[i * k + j] - expected[i * k + j], 2) /
                     (expected[i * k + i] * expected[j * k + j]);
        EXPECT_LT(std::sqrt(error) / double(k), 5e-4);
      }
}

TEST(Hessian, BytesLeaveOutliersToFloats) {
  const int64_t k = 300, tokens = 2048;
  Floats x = normals(tokens * k, 7);
  for (int64_t t : {10, 1200}) // one token in a chunk rules a channel
    x[t * k + 130] = 1000;
  HessianAccumulator sum(k, threads(3), MomentPrecision::Int8);
  sum.add(x.data(), tokens, k);
  Floats h(k * k);
  ASSERT_TRUE(sum.finish(h));
  const Doubles expected = moment(x, x, k, {});
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < k; ++j) { // channels 96 to 191 lie in the outlier's block
      const bool rough = i / 96 == 1 || j / 96 == 1;
      ASSERT_NEAR(h[i * k + j], expected[i * k + j],
                  (rough ? 3e-6 : 4e-3) * std::sqrt(expected[i * k + i] * expected[j * k + j]))
          << i << ", " << j;
    }
}

TEST(Hessian, BytesDependOnTokensOnly) {
  const int64_t k = 130, tokens = 2500;
  Floats x = activations(tokens, k, 3), weights = tokenWeights(tokens), one(k * k), other(k * k);
  HessianAccumulator whole(k, serialFor, MomentPrecision::Int8),
      pieces(k, threads(3), MomentPrecision::Int8);
  whole.add(x.data(), tokens, k, weights);
  addInPieces(pieces, x, k, weights);
  ASSERT_TRUE(whole.finish(one) && pieces.finish(other));
  EXPECT_EQ(one, other);
  x[5 * k + 7] = std::numeric_limits<float>::quiet_NaN();
  whole.add(x.data(), tokens, k, weights);
  EXPECT_FALSE(whole.finish(one));
}

TEST(Hessian, DependsOnTokensOnly) {
  const int64_t k = 130, tokens = 1500;
  Floats x = activations(tokens, k, 3), weights = tokenWeights(tokens), one(k * k), other(k * k);
  HessianAccumulator whole(k, serialFor), pieces(k, threads(3));
  whole.add(x.data(), tokens, k, weights);
  addInPieces(pieces, x, k, weights);
  ASSERT_TRUE(whole.finish(one) && pieces.finish(other));
  EXPECT_EQ(one, other);
  EXPECT_EQ(whole.channels().meanAbs, pieces.channels().meanAbs);
  EXPECT_EQ(whole.weightSum(), pieces.weightSum());
  EXPECT_EQ(pieces.tokens(), tokens);
}

TEST(Hessian, KeepsChannelStatistics) {
  const int64_t k = 70, tokens = 600;
  Floats x = activations(tokens, k, 9), weights = tokenWeights(tokens);
  HessianAccumulator sum(k, threads(2));
  sum.add(x.data(), tokens, k, weights);
  ChannelStatistics channels = sum.channels();
  for (int64_t j = 0; j < k; ++j) {
    double mean = 0, total = 0, largest = 0;
    for (int64_t t = 0; t < tokens; ++t) {
      const double a = std::fabs(x[t * k + j]);
      mean += weights[t] * a, total += weights[t];
      if (weights[t] > 0)
        largest = std::max(largest, a);
    }
    EXPECT_NEAR(channels.meanAbs[j], mean / total, 1e-6 * mean / total);
    EXPECT_EQ(channels.maxAbs[j], largest);
  }
}

TEST(Hessian, ReadsStridedRows) {
  const int64_t k = 20, stride = 33, tokens = 40;
  Floats wide = normals(tokens * stride, 4), x(tokens * k), h(k * k);
  for (int64_t t = 0; t < tokens; ++t)
    std::copy_n(wide.data() + t * stride, k, x.data() + t * k);
  HessianAccumulator sum(k, serialFor);
  sum.add(wide.data(), tokens, stride);
  ASSERT_TRUE(sum.finish(h));
  Doubles expected = moment(x, x, k, {});
  expectClose(h, expected, k, expected, expected, 3e-6);
}

TEST(Hessian, RefusesNothingAndNonFinite) {
  Floats x(8, 1.0f), h(64);
  HessianAccumulator empty(8, serialFor), bad(8, serialFor);
  EXPECT_FALSE(empty.finish(h));
  empty.add(x.data(), 1, 8, Floats{0.0f});
  EXPECT_FALSE(empty.finish(h));
  x[3] = std::numeric_limits<float>::infinity();
  bad.add(x.data(), 1, 8);
  EXPECT_FALSE(bad.finish(h));
}

TEST(CrossMoment, AgreesWithFloat64) {
  for (int64_t k : {7, 97, 130}) {
    const int64_t tokens = 700;
    Floats xf = activations(tokens, k, 11), xq = xf, weights = tokenWeights(tokens), d(k * k);
    Floats noise = normals(tokens * k, 12, 0.1f), difference(tokens * k);
    for (size_t i = 0; i < xq.size(); ++i)
      xq[i] += noise[i], difference[i] = xf[i] - xq[i];
    CrossMoment sum(k, threads(2));
    sum.add(xf.data(), xq.data(), tokens, k, weights);
    ASSERT_TRUE(sum.finish(d));
    expectClose(d, moment(difference, xq, k, weights), k,
                moment(difference, difference, k, weights), moment(xq, xq, k, weights), 3e-6);
  }
}
