//===- MemoryPlan.cpp - What a limit leaves for activations ----------------------------------===//
#include "MemoryPlan.h"

#include "qopt/Quantization/Hessian.h"

#include "Support/Memory.h"

#include <algorithm>

using namespace mlir;

namespace qopt::calibration {

int64_t quantizerBytes(const std::vector<LinearGroup> &groups) {
  int64_t largest = 0;
  for (const LinearGroup &group : groups) {
    const int64_t k = group.features;
    int64_t rows = 0, weights = 0;
    for (qir::LinearOp linear : group.linears) {
      const int64_t n = cast<RankedTensorType>(linear.getW().getType()).getDimSize(0);
      rows = std::max(rows, n);
      weights += n * k * 4;
    }
    // Accumulating: the moments, and the weights of the segment before. Quantizing: H, its factor
    // in f64 and f32, and one weight with its target, working copy and codes.
    const int64_t accumulating = quantization::HessianAccumulator::bytes(k) + 2 * weights;
    const int64_t quantizing = 16 * k * k + 4 * rows * k * 4;
    largest = std::max({largest, accumulating, quantizing});
  }
  return largest;
}

qrt::Result<int64_t> activationBytes(const std::vector<LinearGroup> &groups, int64_t maxMemory) {
  if (maxMemory <= 0)
    return std::max<int64_t>(0, (qrt::availableMemory() - quantizerBytes(groups)) / 2);
  const int64_t needed = quantizerBytes(groups), own = qrt::residentMemory();
  if (needed + own > maxMemory)
    return qrt::resourceExhausted("quantizing needs about " + qrt::formatBytes(needed) +
                                  " besides the " + qrt::formatBytes(own) +
                                  " in use; the limit is " + qrt::formatBytes(maxMemory));
  return maxMemory - needed - own;
}

} // namespace qopt::calibration
