//===- ChannelMoments.h - What scale searches need of single channels -------------------------===//
#ifndef QOPT_LIB_CALIBRATION_CHANNELMOMENTS_H
#define QOPT_LIB_CALIBRATION_CHANNELMOMENTS_H

#include "qopt/Calibration/Sweep.h"

#include <algorithm>
#include <cmath>

namespace qopt::calibration {

/// sum w x^2 / sum w, sum w |x| / sum w and max |x| (where w > 0) per channel, in f64, in the order
/// of the tokens.
class ChannelMoments {
public:
  explicit ChannelMoments(int64_t k) : squares(k, 0.0), magnitudes(k, 0.0), largest(k, 0.0f) {}

  void add(const Rows &rows, qrt::kernels::ThreadPool &pool) {
    pool.parallelFor(rows.width, 16, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = 0; t < rows.tokens; ++t) {
        const double weight = rows.weights ? rows.weights[t] : 1.0;
        if (weight <= 0)
          continue;
        const float *x = rows.data + t * rows.width;
        for (int64_t j = begin; j < end; ++j) {
          squares[j] += weight * x[j] * x[j];
          magnitudes[j] += weight * std::fabs(x[j]);
          largest[j] = std::max(largest[j], std::fabs(x[j]));
        }
      }
    });
    for (int64_t t = 0; t < rows.tokens; ++t) {
      const double weight = rows.weights ? rows.weights[t] : 1.0;
      weights += weight;
      count += weight > 0;
    }
  }

  /// Tokens with a weight above 0.
  int64_t tokens() const { return count; }

  /// False if no token had a weight or a sum is not finite.
  bool finish(std::vector<float> &meanSquares, std::vector<float> *meanAbs = nullptr,
              std::vector<float> *maxAbs = nullptr) const {
    auto means = [&](const std::vector<double> &sums) {
      std::vector<float> out;
      for (double sum : sums)
        out.push_back(static_cast<float>(sum / weights));
      return out;
    };
    meanSquares = means(squares);
    if (meanAbs)
      *meanAbs = means(magnitudes);
    if (maxAbs)
      *maxAbs = largest;
    return weights > 0 && std::all_of(meanSquares.begin(), meanSquares.end(),
                                      [](float mean) { return std::isfinite(mean); });
  }

private:
  std::vector<double> squares, magnitudes;
  std::vector<float> largest;
  double weights = 0;
  int64_t count = 0;
};

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_CHANNELMOMENTS_H
