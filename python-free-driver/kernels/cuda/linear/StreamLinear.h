//===- StreamLinear.h - products of few tokens: as fast as the weights arrive ---------------===//
//
// dst[row, n] for up to 8 * tokenTiles rows, of up to three weights. Weights are operand A (16
// outputs), tokens the n8 side, so one token costs what eight do. Who streams what is StreamRun.h's
// affair, the sums of a run that of StreamProduct.h. Activations come straight from L1/L2, 32 bytes
// per lane and unit (WeightOrder.h), fetched ahead, or are rows normalised here.
//
// The order of all sums follows from the shape and the plan alone.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H

#include "kernels/cuda/device/Reduce.h"
#include "kernels/cuda/linear/StreamProduct.h"
#include "kernels/cuda/linear/StreamRun.h"

namespace qrt::cuda {

/// normed: the activations are the RMS norm of f32 rows.
template <WeightFormat format, class T, int tokenTiles, int groupHalves, bool normed = false>
struct StreamLinear {
  using Params = StreamLinearParams;
  using Run = StreamRun<format, tokenTiles, groupHalves>;
  using Product = StreamProduct<format, T, tokenTiles, groupHalves, normed>;
  using Rows = typename Product::Rows;
  static constexpr int threads = 32 * Run::maxWarps, minBlocks = 1;
  static constexpr bool waitsItself = true;
  /// What a run needs, and normalised rows.
  static constexpr int sharedBytes(int warps, int rows, int rowStride) {
    return Run::bytes(warps, rows) + rows * rowStride * 2;
  }

  static QRT_DEVICE void run(const Params &p) {
    Run::run(
        p,
        [&] {
          if constexpr (normed)
            normalize(
                p, normedRows(p),
                reinterpret_cast<float *>(sharedMemory() + blockThreads() / 32 * Run::Ring::bytes));
          return Rows(p, normed ? normedRows(p) : static_cast<const uint16_t *>(p.src.data),
                      uint32_t(normed ? p.rowStride : int32_t(p.src.stride)));
        },
        [&](typename Run::Ring &ring, const StreamSegment &segment, const Rows &rows,
            typename Run::Sums &total) { Product::sumSegment(p, ring, segment, rows, total); });
  }

  static QRT_DEVICE uint16_t *normedRows(const Params &p) {
    return reinterpret_cast<uint16_t *>(sharedMemory() + Run::bytes(blockThreads() / 32, p.rows));
  }

  /// RmsNorm of the rows, with zeros behind them; `scratch`: a float per row and warp.
  static QRT_DEVICE void normalize(const Params &p, uint16_t *x, float *scratch) {
    const auto k = int(p.parts[0].weight.desc.k);
    const int self = threadIndex() * 4, all = blockThreads() * 4, warps = blockThreads() / 32;
    auto quad = [&](int row, int at) {
      return loadGlobal(reinterpret_cast<const Words4 *>(static_cast<const float *>(p.src.data) +
                                                         row * p.src.stride + at));
    };
    QRT_NO_UNROLL
    for (int row = 0; row < p.rows; ++row) {
      float sum = 0.0f;
      QRT_UNROLL_4
      for (int at = self; at < k; at += all) {
        const Words4 four = quad(row, at);
        QRT_UNROLL
        for (int i = 0; i < 4; ++i)
          sum += floatOfBits(four.w[i]) * floatOfBits(four.w[i]);
      }
      sum = warpSum(sum);
      if (laneIndex() == 0)
        storeShared(scratch + row * warps + warpIndex(), sum);
    }
    syncThreads();
    bool overflow = false;
    QRT_NO_UNROLL
    for (int row = 0; row < p.rows; ++row) {
      float sum = 0.0f;
      QRT_UNROLL_4
      for (int warp = 0; warp < warps; ++warp)
        sum += loadShared(scratch + row * warps + warp);
      const float factor = 1.0f / sqrtf(sum / static_cast<float>(k) + p.epsilon);
      QRT_UNROLL_4
      for (int at = self; at < p.rowStride; at += all) {
        Words2 halves = {};
        if (at < k) {
          const Words4 four = quad(row, at),
                       weight = loadConstant(reinterpret_cast<const Words4 *>(p.normWeight + at));
          float y[4];
          QRT_UNROLL
          for (int i = 0; i < 4; ++i) {
            y[i] = floatOfBits(four.w[i]) * factor * floatOfBits(weight.w[i]);
            if constexpr (T::type == DType::F16)
              y[i] = clampToF16(y[i], overflow);
          }
          halves = {{T::pack(y[0], y[1]), T::pack(y[2], y[3])}};
        }
        storeShared(reinterpret_cast<Words2 *>(x + row * p.rowStride + at), halves);
      }
    }
    if (overflow && p.faults)
      atomicOr(p.faults, HalfOverflow);
    syncThreads();
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H
