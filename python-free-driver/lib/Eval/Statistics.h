//===- Statistics.h - Quantiles, rank correlation, clustered errors, bootstrap ----------------===//
// Thread safety: pure functions; the bootstrap draws from Philox (Sampling/Random.h), so that the
// same data give the same intervals everywhere.
#ifndef QRT_EVAL_STATISTICS_H
#define QRT_EVAL_STATISTICS_H

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace qrt {

double meanOf(std::span<const double> values);
/// Linear interpolation between order statistics (NumPy's default); NaN for no values.
double quantileOf(std::vector<double> values, double q);
/// Spearman's rho with mean ranks for ties; NaN for fewer than 3 values or a constant side.
double spearman(std::span<const double> x, std::span<const double> y);
/// Standard error of the mean where values of one cluster are dependent: clusters in order, `ends`
/// the index behind each. One cluster only: the values count as independent.
double clusteredError(std::span<const double> values, std::span<const int64_t> ends);

struct Interval {
  double value, low, high; ///< estimate and 95 % percentile interval
  int64_t n;               ///< units it rests on
};
/// Percentile bootstrap over `units` units: `statistic` gets the indices that were drawn (first the
/// identity, for the estimate). NaN results of resamples are left out.
Interval bootstrap(int64_t units, const std::function<double(std::span<const int64_t>)> &statistic,
                   int resamples = 2000, uint64_t seed = 20260607);

} // namespace qrt

#endif // QRT_EVAL_STATISTICS_H
