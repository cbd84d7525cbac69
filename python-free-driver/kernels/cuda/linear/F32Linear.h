//===- F32Linear.h - products in f32 on the dequantized weights ------------------------------===//
//
// For f32 activations: as exact as the CPU's, slow. A warp has one output and up to `perPass` rows;
// lane i sums k = i, i + 32, ..., the lanes are added by butterflies.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_F32LINEAR_H
#define QRT_KERNELS_CUDA_LINEAR_F32LINEAR_H

#include "kernels/cuda/device/Reduce.h"
#include "kernels/cuda/linear/Epilogue.h"
#include "kernels/cuda/linear/WeightElement.h"

namespace qrt::cuda {

struct F32Linear {
  struct Params {
    LinearParams op;
    uint32_t *faults;
  };
  static constexpr int threads = 128, minBlocks = 1, perPass = 4;

  /// Grid: (outputs by fours, rows by perPass).
  static QRT_DEVICE void run(const Params &p) {
    const int64_t n = int64_t(blockIndex().x) * (threads / 32) + warpIndex();
    const int64_t first = int64_t(blockIndex().y) * perPass, k = p.op.weight.desc.k;
    if (n >= p.op.weight.desc.n)
      return;
    float sums[perPass] = {};
    for (int64_t at = laneIndex(); at < k; at += warpLanes) {
      const float w = weightElement(p.op.weight, n, at);
      QRT_UNROLL
      for (int i = 0; i < perPass; ++i)
        if (first + i < p.op.rows)
          sums[i] += w * loadElement(p.op.src, (first + i) * p.op.src.stride + at);
    }
    QRT_UNROLL
    for (int i = 0; i < perPass; ++i) {
      const float sum = warpSum(sums[i]);
      if (laneIndex() == 0 && first + i < p.op.rows)
        finishOutput(p.op, first + i, n, sum, p.faults);
    }
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_F32LINEAR_H
