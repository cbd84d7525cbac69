//===- OutputErrorRoundingTest.cpp - Scale search under a Hessian against float64 -------------===//
#include "qopt/Quantization/OutputErrorRounding.h"

#include "Reference.h"

#include <gtest/gtest.h>

using namespace qopt::quantization;
using namespace qopt::quantization::test;

namespace {

struct Case {
  int bits;
  int64_t group;
  bool symmetric;
  int64_t n, k;
};

GroupFormat formatOf(const Case &c) { return {c.bits, c.group, c.symmetric, false}; }

QuantizedMatrix nearest(const Floats &w, const Case &c) {
  QuantizedMatrix m = makeQuantizedMatrix(formatOf(c), c.n, c.k);
  ErrorSums sums;
  for (int64_t r = 0; r < c.n; ++r)
    quantizeRow(m.format, w.data() + r * c.k, c.k, m.codes.data() + r * c.k,
                m.scales.data() + r * m.groups(),
                c.symmetric ? nullptr : m.zeroPoints.data() + r * m.groups(), sums);
  return m;
}

Doubles errorOfRow(const Floats &w, const QuantizedMatrix &m, int64_t row) {
  Doubles x = dequantized(m), e(m.k);
  for (int64_t j = 0; j < m.k; ++j)
    e[j] = w[row * m.k + j] - x[row * m.k + j];
  return e;
}

/// The least error of the row over all candidates of the header for one group, the others fixed.
double bestOfGroup(const Floats &w, const QuantizedMatrix &m, const Floats &h, int64_t row,
                   int64_t group, int ratios) {
  const int64_t k = m.k, size = m.format.groupSize ? m.format.groupSize : k;
  const int64_t first = group * size, last = std::min(k, first + size);
  const double largest = (1 << m.format.bits) - 1;
  const float *x = w.data() + row * k;
  double low = 0, high = 0;
  for (int64_t j = first; j < last; ++j)
    low = std::min<double>(low, x[j]), high = std::max<double>(high, x[j]);
  Doubles e = errorOfRow(w, m, row);
  double best = quadratic(e, 1, k, h);
  auto attempt = [&](double scale, double zero) {
    for (int64_t j = first; j < last; ++j)
      e[j] = x[j] - (std::clamp(std::nearbyint(x[j] / scale) + zero, 0.0, largest) - zero) * scale;
    best = std::min(best, quadratic(e, 1, k, h));
  };
  forScales(low, high, m.format, ratios, attempt);
  return best;
}

class OutputErrorRounding : public testing::TestWithParam<Case> {};

} // namespace

TEST_P(OutputErrorRounding, LeavesNoGroupThatAnotherScaleImproves) {
  const Case &c = GetParam();
  Floats w = normals(c.n * c.k, 3, 0.05f), h = hessian(activations(4 * c.k, c.k, 9), c.k);
  for (int64_t i = 5; i < c.n * c.k; i += 83)
    w[i] *= 5;
  // Until nothing changes any more.
  OutputErrorOptions options{8, 60};
  QuantizedMatrix found = roundByOutputError(w, c.n, c.k, formatOf(c), h, options, threads(2));
  QuantizedMatrix plain = nearest(w, c);
  double sum = 0, sumPlain = 0;
  for (int64_t r = 0; r < c.n; ++r) {
    const double loss = quadratic(errorOfRow(w, found, r), 1, c.k, h);
    const double before = quadratic(errorOfRow(w, plain, r), 1, c.k, h);
    EXPECT_LE(loss, before * (1 + 1e-5)) << "row " << r;
    for (int64_t g = 0; g < found.groups(); ++g) {
      EXPECT_GE(bestOfGroup(w, found, h, r, g, options.clipRatios), loss * (1 - 1e-3))
          << "row " << r << ", group " << g;
    }
    sum += loss, sumPlain += before;
  }
  EXPECT_LT(sum, 0.9 * sumPlain);
}

INSTANTIATE_TEST_SUITE_P(Formats, OutputErrorRounding,
                         testing::Values(Case{2, 32, false, 5, 96}, Case{3, 32, false, 9, 80},
                                         Case{4, 32, true, 8, 64}, Case{3, 0, false, 3, 70},
                                         Case{2, 64, true, 11, 100}));

TEST(OutputErrorRoundingRows, DoNotDependOnThreadsNorOnEachOther) {
  const Case c{3, 32, false, 203, 96};
  Floats w = normals(c.n * c.k, 4, 0.05f), h = hessian(activations(300, c.k, 2), c.k);
  QuantizedMatrix one = roundByOutputError(w, c.n, c.k, formatOf(c), h, {}, serialFor),
                  other = roundByOutputError(w, c.n, c.k, formatOf(c), h, {}, threads(3));
  EXPECT_EQ(one.codes, other.codes);
  EXPECT_EQ(one.scales, other.scales);
  EXPECT_EQ(one.zeroPoints, other.zeroPoints);
  Floats row(w.begin() + 150 * c.k, w.begin() + 151 * c.k);
  QuantizedMatrix alone = roundByOutputError(row, 1, c.k, formatOf(c), h, {}, serialFor);
  EXPECT_TRUE(std::equal(alone.codes.begin(), alone.codes.end(), one.codes.begin() + 150 * c.k));
}

TEST(OutputErrorRoundingRows, LongGroupsImproveUnderTheirDiagonal) {
  const Case c{4, 0, true, 12, 300};
  Floats w = normals(c.n * c.k, 6, 0.05f), h = hessian(activations(900, c.k, 5), c.k);
  for (int64_t i = 5; i < c.n * c.k; i += 150)
    w[i] *= 8;
  QuantizedMatrix found = roundByOutputError(w, c.n, c.k, formatOf(c), h, {}, threads(2));
  EXPECT_LT(hessianLoss(w, found, h, serialFor), 0.9 * hessianLoss(w, nearest(w, c), h, serialFor));
}
