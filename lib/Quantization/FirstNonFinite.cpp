//===- FirstNonFinite.cpp - Where a matrix holds infinities or NaNs ---------------------------===//
#include "FirstNonFinite.h"

#include <atomic>
#include <cmath>

namespace qopt::quantization {

int64_t firstNonFinite(std::span<const float> x, int64_t columns, const ParallelFor &parallel) {
  const int64_t rows = int64_t(x.size()) / columns;
  std::atomic<int64_t> first = int64_t(x.size());
  parallel(rows, [&](int64_t r) {
    for (int64_t i = r * columns; i < (r + 1) * columns; ++i)
      if (!std::isfinite(x[i])) {
        int64_t known = first;
        while (i < known && !first.compare_exchange_weak(known, i)) {
        }
        return;
      }
  });
  return first == int64_t(x.size()) ? -1 : first.load();
}

} // namespace qopt::quantization
