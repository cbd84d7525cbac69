//===- MeanSquares.h - The diagonal of the second moments ------------------------------------===//
#ifndef QOPT_LIB_CALIBRATION_MEANSQUARES_H
#define QOPT_LIB_CALIBRATION_MEANSQUARES_H

#include "qopt/Calibration/Sweep.h"

#include <cmath>

namespace qopt::calibration {

/// sum w x^2 / sum w per channel, in f64, in the order of the tokens.
class MeanSquares {
public:
  explicit MeanSquares(int64_t k) : sums(k, 0.0) {}

  void add(const Rows &rows, qrt::kernels::ThreadPool &pool) {
    pool.parallelFor(rows.width, 16, [&](int64_t begin, int64_t end, int) {
      for (int64_t t = 0; t < rows.tokens; ++t) {
        const double weight = rows.weights ? rows.weights[t] : 1.0;
        const float *x = rows.data + t * rows.width;
        for (int64_t j = begin; j < end; ++j)
          sums[j] += weight * x[j] * x[j];
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
  bool finish(std::vector<float> &means) const {
    means.clear();
    for (double sum : sums)
      means.push_back(static_cast<float>(sum / weights));
    for (float mean : means)
      if (!std::isfinite(mean))
        return false;
    return weights > 0;
  }

private:
  std::vector<double> sums;
  double weights = 0;
  int64_t count = 0;
};

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_MEANSQUARES_H
