//===- StreamLinear.h - products of few tokens: as fast as the weights arrive ---------------===//
//
// dst[row, n] for up to 8 * tokenTiles rows, of up to three weights. Weights are operand A (16
// outputs), tokens the n8 side, so one token costs what eight do. An item is itemPanels panels; a
// block, one per multiprocessor, has a run of items (or of slices of them, where there are few),
// and its warps have even runs of the block's quanta, each streaming its own through a private ring
// in shared memory (StreamStage.h). No barrier until all have ended; then the sums of items that
// lie in several warps' runs are added in order. Activations come straight from L1/L2, 32 bytes per
// lane and unit (WeightOrder.h), fetched ahead. Weights are fetched before the kernel before has
// ended.
//
// The order of all sums follows from the shape and the plan alone.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMLINEAR_H

#include "kernels/cuda/device/Reduce.h"
#include "kernels/cuda/linear/StreamProduct.h"

namespace qrt::cuda {

/// normed: the activations are the RMS norm of f32 rows.
template <WeightFormat format, class T, int tokenTiles, int groupHalves, bool normed = false>
struct StreamLinear {
  using Params = StreamLinearParams;
  static constexpr int panels = streamItemPanels(format);
  using Stage = StreamStage<format, panels, groupHalves>;
  using Finish = StreamFinish<panels, tokenTiles>;
  using Product = StreamProduct<format, T, tokenTiles, groupHalves, normed>;
  static constexpr int maxWarps = maxStreamWarps(format);
  static constexpr int threads = 32 * maxWarps, minBlocks = 1;
  static constexpr bool waitsItself = true;
  static constexpr int fitting = 104 * 1024 / maxWarps / Stage::bytes;
  static constexpr int stages = fitting < 3 ? 3 : fitting > 6 ? 6 : fitting;
  using Ring = StreamRing<format, panels, groupHalves, stages>;
  static constexpr int ringBytes = Ring::bytes; ///< of a warp
  static_assert(Finish::slotFloats(8 * tokenTiles) * 4 <= ringBytes,
                "the last sums take its place");
  /// Rings, slots, a flag, and normalised rows.
  static constexpr int slotsEnd(int warps, int rows) {
    return warps * (ringBytes + 2 * Finish::slotFloats(rows) * 4) + 16;
  }
  static constexpr int sharedBytes(int warps, int rows, int rowStride) {
    return slotsEnd(warps, rows) + rows * rowStride * 2;
  }

  static QRT_DEVICE void run(const Params &p) {
    const int warpBits = blockThreads() == 512   ? 4
                         : blockThreads() == 256 ? 3
                                                 : 2,
              warps = 1 << warpBits;
    const StreamBlock block(p, warpBits);
    const int begin = block.firstOf(warpIndex()), end = block.firstOf(warpIndex() + 1);
    Ring ring(p, sharedMemory() + warpIndex() * ringBytes,
              StreamWalk(p, block.firstSlice, begin, end));
    waitForKernelBefore();
    if constexpr (normed)
      normalize(p, normedRows(p), reinterpret_cast<float *>(sharedMemory() + warps * ringBytes));

    const typename Product::Rows rows(
        p, normed ? normedRows(p) : static_cast<const uint16_t *>(p.src.data),
        uint32_t(normed ? p.rowStride : int32_t(p.src.stride)));
    const Finish finish{p, warps, reinterpret_cast<float *>(sharedMemory()), ringBytes / 4};
    StreamWalk walk(p, block.firstSlice, begin, end);
    StreamSegment segment;
    QRT_NO_UNROLL
    while (walk.take(p, segment)) {
      const bool begins = segment.begin == 0, ends = segment.end == p.sliceQuanta;
      typename Product::Sums total;
      Product::sumSegment(p, ring, segment, rows, total);
      if (begins && !ends) { // the last: no copy is on its way to the ring
        waitAsync<0>();
        syncWarp();
      }
      finish.store(!begins ? finish.headSlot(warpIndex())
                   : ends  ? finish.ownSlot(warpIndex())
                           : finish.tailSlot(warpIndex()),
                   total);
      if (begins && ends)
        finish.emitOwn(segment.item, segment.split);
    }
    waitAsync<0>();
    syncThreads();
    finish.addWarps(block);
  }

  static QRT_DEVICE uint16_t *normedRows(const Params &p) {
    return reinterpret_cast<uint16_t *>(sharedMemory() + slotsEnd(blockThreads() / 32, p.rows));
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
