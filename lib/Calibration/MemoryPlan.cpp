//===- MemoryPlan.cpp - What a limit leaves for activations ----------------------------------===//
#include "MemoryPlan.h"

#include "qopt/Quantization/Hessian.h"
#include "qopt/Support/SpillPolicy.h"

#include "Support/Memory.h"
#include "kernels/cpu/threading/ThreadPool.h"

#include <algorithm>

using namespace mlir;

namespace qopt::calibration {

int64_t quantizerBytes(const std::vector<LinearGroup> &groups) {
  const int64_t workers = qrt::kernels::ThreadPool::availableProcessors();
  int64_t largest = 0, before = 0; // weights of the group that runs forward to this one
  for (const LinearGroup &group : groups) {
    const int64_t k = group.features;
    int64_t rows = 0, weights = 0;
    for (qir::LinearOp linear : group.linears) {
      const int64_t n = cast<RankedTensorType>(linear.getW().getType()).getDimSize(0);
      rows = std::max(rows, n);
      weights += n * k;
    }
    // Accumulating: the moments, and the weights before, in f32. Finishing: half a matrix of f64
    // and one of f32. Quantizing: H and its factor; one weight, its codes twice, its dequantized
    // values; codes of the whole group; about nine panels of floats per worker.
    const int64_t accumulating = quantization::HessianAccumulator::bytes(k) + 4 * before;
    const int64_t panels = workers * std::min<int64_t>(rows, 240) * k * 36;
    const int64_t quantizing = 8 * k * k + 10 * rows * k + weights + panels;
    largest = std::max({largest, accumulating, 8 * k * k, quantizing});
    before = weights;
  }
  return largest;
}

qrt::Result<int64_t> activationBytes(const std::vector<LinearGroup> &groups, int64_t maxMemory) {
  if (maxMemory <= 0)
    return std::max<int64_t>(0, (qrt::availableMemory() - quantizerBytes(groups)) / 2);
  int64_t codes = 0; // a byte each, of all groups in the end
  for (const LinearGroup &group : groups)
    for (qir::LinearOp linear : group.linears)
      codes += cast<RankedTensorType>(linear.getW().getType()).getNumElements();
  const int64_t needed = quantizerBytes(groups), blobs = blobGrowth(codes),
                own = qrt::residentMemory();
  if (needed + own + blobs > maxMemory)
    return qrt::resourceExhausted("quantizing needs about " + qrt::formatBytes(needed) + " and " +
                                  qrt::formatBytes(blobs) + " for weights and codes, besides the " +
                                  qrt::formatBytes(own) + " in use; the limit is " +
                                  qrt::formatBytes(maxMemory));
  return maxMemory - needed - own - blobs;
}

} // namespace qopt::calibration
