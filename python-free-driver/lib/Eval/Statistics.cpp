//===- Statistics.cpp - Quantiles, rank correlation, clustered errors, bootstrap --------------===//
#include "Eval/Statistics.h"

#include "Sampling/Random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace qrt {
namespace {
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
}

double meanOf(std::span<const double> values) {
  return values.empty()
             ? nan
             : std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
}

double quantileOf(std::vector<double> values, double q) {
  if (values.empty())
    return nan;
  std::sort(values.begin(), values.end());
  double at = q * double(values.size() - 1);
  auto low = size_t(at);
  size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (at - double(low)) * (values[high] - values[low]);
}

static std::vector<double> ranksOf(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t i = 0; i < order.size();) {
    size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]])
      ++end;
    for (size_t k = i; k < end; ++k)
      ranks[order[k]] = double(i + end - 1) / 2;
    i = end;
  }
  return ranks;
}

double spearman(std::span<const double> x, std::span<const double> y) {
  if (x.size() < 3 || x.size() != y.size())
    return nan;
  std::vector<double> a = ranksOf(x), b = ranksOf(y);
  double mean = double(x.size() - 1) / 2, ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean) * (b[i] - mean);
    aa += (a[i] - mean) * (a[i] - mean);
    bb += (b[i] - mean) * (b[i] - mean);
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : nan;
}

double clusteredError(std::span<const double> values, std::span<const int64_t> ends) {
  const double mean = meanOf(values), n = double(values.size());
  double sum = 0;
  if (ends.size() > 1) {
    int64_t begin = 0;
    for (int64_t end : ends) {
      double deviation = 0;
      for (int64_t i = begin; i < end; ++i)
        deviation += values[size_t(i)] - mean;
      sum += deviation * deviation;
      begin = end;
    }
    double clusters = double(ends.size());
    return std::sqrt(sum * clusters / (clusters - 1)) / n;
  }
  for (double v : values)
    sum += (v - mean) * (v - mean);
  return values.size() > 1 ? std::sqrt(sum / (n - 1) / n) : nan;
}

Interval bootstrap(int64_t units, const std::function<double(std::span<const int64_t>)> &statistic,
                   int resamples, uint64_t seed) {
  std::vector<int64_t> indices(static_cast<size_t>(units));
  std::iota(indices.begin(), indices.end(), int64_t(0));
  Interval out{units > 0 ? statistic(indices) : nan, nan, nan, units};
  std::vector<double> values;
  for (int r = 0; units > 1 && r < resamples; ++r) {
    for (int64_t i = 0; i < units; ++i)
      indices[size_t(i)] = int64_t(uniformAt(seed, uint64_t(i), uint64_t(r)) * double(units));
    if (double v = statistic(indices); !std::isnan(v))
      values.push_back(v);
  }
  if (!values.empty()) {
    out.low = quantileOf(values, 0.025);
    out.high = quantileOf(std::move(values), 0.975);
  }
  return out;
}

} // namespace qrt
