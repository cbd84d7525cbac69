//===- Epilogue.h - what happens to a finished sum of a product ---------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_EPILOGUE_H
#define QRT_KERNELS_CUDA_LINEAR_EPILOGUE_H

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/device/Tickets.h"
#include "kernels/cuda/linear/LinearPlan.h"

namespace qrt::cuda {

/// dst[row, n] = sum + bias + add, for rows and n inside of the matrix.
QRT_DEVICE void finishOutput(const LinearParams &op, int64_t row, int64_t n, float sum,
                             uint32_t *faults) {
  if (op.bias)
    sum += loadConstant(op.bias + n);
  if (op.add.data)
    sum += loadElement(op.add, row * op.add.stride + n);
  storeElement(op.dst, row * op.dst.stride + n, sum, faults);
}

/// Where the partial sum of (split, row, n) lies.
QRT_DEVICE float *partialSum(const LinearWork &work, int64_t rows, int split, int64_t row,
                             int64_t n) {
  return work.partials + ((split * rows + row) * work.panels) * kernels::panelRows + n;
}

/// arriveLast for an item of the plan.
QRT_DEVICE bool arriveLast(const LinearWork &work, int64_t item, uint32_t *flag) {
  return arriveLast(work.counters + item, static_cast<uint32_t>(work.splits), flag);
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_EPILOGUE_H
