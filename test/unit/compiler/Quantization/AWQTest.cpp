//===- AWQTest.cpp - Channel scales and clips against naive float64 scores --------------------===//
#include "qopt/Quantization/AWQ.h"
#include "qopt/Quantization/ChannelScaling.h"
#include "qopt/Quantization/ImportanceRounding.h"

#include "Reference.h"

#include <gtest/gtest.h>

using namespace qopt::quantization;
using namespace qopt::quantization::test;

namespace {

constexpr int64_t k = 96;

struct Problem {
  Floats first = normals(40 * k, 1, 0.05f), second = normals(24 * k, 2, 0.05f);
  Floats x = activations(500, k, 3), h = hessian(x, k), meanAbs = Floats(k, 0.0f);
  GroupFormat format{3, 32, false, false};
  std::vector<WeightView> views;

  Problem() {
    for (size_t i = 0; i < x.size(); ++i)
      meanAbs[i % k] += std::fabs(x[i]) / 500;
    views = {{first, 40, format}, {second, 24, format}};
  }
};

/// tr(E H E^T) in float64, E = W - Q(W s) / s.
double naiveLoss(const Floats &w, int64_t n, const GroupFormat &format, const Floats &scales,
                 const Floats &h) {
  Floats scaled = w;
  for (size_t i = 0; i < w.size(); ++i)
    scaled[i] *= scales[i % k];
  Doubles q = dequantized(roundByImportance(scaled, n, k, format, {}, 1, serialFor));
  for (size_t i = 0; i < q.size(); ++i)
    q[i] = w[i] - q[i] / scales[i % k];
  return quadratic(q, n, k, h);
}

} // namespace

TEST(AWQ, ScoresScalesByTheOutputError) {
  Problem p;
  AwqScales found = searchAwqScales(p.views, k, p.meanAbs, p.h, {}, threads(2));
  const Floats one(k, 1.0f);
  double plain =
      naiveLoss(p.first, 40, p.format, one, p.h) + naiveLoss(p.second, 24, p.format, one, p.h);
  double best = naiveLoss(p.first, 40, p.format, found.scales, p.h) +
                naiveLoss(p.second, 24, p.format, found.scales, p.h);
  EXPECT_NEAR(found.lossPlain, plain, 1e-5 * plain);
  EXPECT_NEAR(found.loss, best, 1e-5 * best);
  EXPECT_LT(found.loss, 0.8 * found.lossPlain);
  // Nothing on the grid is better: the formula of the header, naively.
  for (int i = 1; i < 20; ++i) {
    Floats scales(k);
    double least = INFINITY, most = 0;
    for (int64_t j = 0; j < k; ++j) {
      scales[j] = float(std::clamp(std::pow(double(p.meanAbs[j]), i / 20.0), 1e-4, 1e4));
      least = std::min<double>(least, scales[j]), most = std::max<double>(most, scales[j]);
    }
    for (float &s : scales)
      s /= float(std::sqrt(least * most));
    double loss = naiveLoss(p.first, 40, p.format, scales, p.h) +
                  naiveLoss(p.second, 24, p.format, scales, p.h);
    EXPECT_GE(loss, found.loss * (1 - 1e-5)) << "alpha " << i / 20.0;
  }
}

TEST(AWQ, NeverLosesAndDoesNotDependOnThreads) {
  Problem p;
  for (int64_t sample : {0, 7}) {
    AwqOptions options;
    options.sampleRows = sample;
    AwqScales one = searchAwqScales(p.views, k, p.meanAbs, p.h, options, serialFor),
              other = searchAwqScales(p.views, k, p.meanAbs, p.h, options, threads(3));
    EXPECT_LE(one.loss, one.lossPlain);
    EXPECT_EQ(one.scales, other.scales);
    EXPECT_EQ(one.loss, other.loss);
  }
}

TEST(AWQ, TiesChannelsOfAClass) {
  Problem p;
  std::vector<int32_t> classes = valueChannelClasses(6, 2, 16);
  EXPECT_EQ(classes[0], 0);
  EXPECT_EQ(classes[2 * 16 + 5], 5);
  EXPECT_EQ(classes[3 * 16 + 5], 16 + 5);
  AwqScales found = searchAwqScales(p.views, k, p.meanAbs, p.h, {}, serialFor, classes);
  for (int64_t j = 0; j < k; ++j)
    for (int64_t i = 0; i < j; ++i)
      if (classes[i] == classes[j]) {
        EXPECT_EQ(found.scales[i], found.scales[j]);
      }
  EXPECT_LE(found.loss, found.lossPlain);
}

TEST(ChannelScaling, LeavesTheFunctionUnchanged) {
  Problem p;
  Floats s(k), producer = normals(k * 10, 8), bias = normals(k, 9), input = normals(10, 10);
  for (int64_t j = 0; j < k; ++j)
    s[j] = std::exp(0.1f * float(j % 13 - 6));
  auto output = [&](const Floats &from, const Floats &offset, const Floats &w) {
    Doubles y(40, 0.0);
    for (int64_t j = 0; j < k; ++j) {
      double x = offset[j];
      for (int64_t i = 0; i < 10; ++i)
        x += double(from[j * 10 + i]) * input[i];
      for (int64_t r = 0; r < 40; ++r)
        y[r] += x * w[r * k + j];
    }
    return y;
  };
  Doubles before = output(producer, bias, p.first);
  scaleColumns(p.first, 40, k, s, threads(2));
  divideRows(producer, k, 10, s, threads(2));
  divideRows(bias, k, 1, s, serialFor);
  Doubles after = output(producer, bias, p.first);
  for (int64_t r = 0; r < 40; ++r)
    EXPECT_NEAR(after[r], before[r], 1e-5);
}

TEST(ChannelScaling, SmoothsByTheFormula) {
  Problem p;
  Floats maxAbs(k, 0.0f);
  for (size_t i = 0; i < p.x.size(); ++i)
    maxAbs[i % k] = std::max(maxAbs[i % k], std::fabs(p.x[i]));
  maxAbs[3] = 0;
  const MatrixView views[] = {{p.first, 40}, {p.second, 24}};
  Floats scales = smoothQuantScales(maxAbs, views, 0.85f);
  for (int64_t j = 0; j < k; ++j) {
    double largest = 0;
    for (int64_t r = 0; r < 40; ++r)
      largest = std::max<double>(largest, std::fabs(p.first[r * k + j]));
    for (int64_t r = 0; r < 24; ++r)
      largest = std::max<double>(largest, std::fabs(p.second[r * k + j]));
    const double expected =
        j == 3 ? 1.0 : std::max(1e-5, std::pow(maxAbs[j], 0.85) / std::pow(largest, 0.15));
    EXPECT_NEAR(scales[j], expected, 1e-5 * expected);
  }
}
