//===- DecodeCombine.h - states of warps and of splits become the output ----------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_DECODECOMBINE_H
#define QRT_KERNELS_CUDA_ATTENTION_DECODECOMBINE_H

#include "kernels/cuda/attention/FlashParams.h"
#include "kernels/cuda/attention/FlashRows.h"
#include "kernels/cuda/device/Reduce.h"
#include "kernels/cuda/device/Tickets.h"
#include "kernels/cuda/device/Vectors.h"

namespace qrt::cuda {

inline constexpr int decodeHeads = 16; ///< query heads of one block
inline constexpr int maxDecodeSplits = 64;

/// Floats of one split's partial result: 16 maxima, 16 sums, 16 rows of valueDim.
constexpr int64_t decodePartialFloats(int64_t valueDim) { return decodeHeads * (valueDim + 2); }

template <int dim, int warps>
struct DecodeCombine {
  static constexpr int threads = warps * warpLanes, outStride = dim + 8;
  static constexpr int stateFloats = warps * decodeHeads;
  static constexpr int warpBytes = (2 * stateFloats + stateFloats * outStride) * 4;
  static constexpr int splitBytes = (2 * maxDecodeSplits * decodeHeads + decodeHeads) * 4;
  static constexpr int bytes = warpBytes > splitBytes ? warpBytes : splitBytes; ///< of `work`

  struct Item {
    int row, kvHead, firstHead, heads, active; ///< active: splits that work
  };

  /// `work`: shared memory that all threads have left.
  static QRT_DEVICE void run(const FlashParams &params, const FlashRows<dim> &state,
                             const Item &item, uint8_t *work, uint32_t *flag) {
    const AttentionParams &p = params.op;
    auto *mosts = reinterpret_cast<float *>(work), *totals = mosts + stateFloats,
         *outs = totals + stateFloats;
    const int lane = laneIndex();
    QRT_UNROLL
    for (int i = 0; i < 2; ++i) {
      const float total = state.rowTotal(i);
      const int at = warpIndex() * decodeHeads + lane / 4 + 8 * i;
      if (lane % 4 == 0) {
        storeShared(mosts + at, state.most[i]);
        storeShared(totals + at, total);
      }
      if (lane / 4 + 8 * i < item.heads) {
        QRT_UNROLL
        for (int tile = 0; tile < dim / 8; ++tile)
          storeShared(reinterpret_cast<Words2 *>(outs + at * outStride + tile * 8 + lane % 4 * 2),
                      Words2{{bitsOfFloat(state.out[tile][2 * i]),
                              bitsOfFloat(state.out[tile][2 * i + 1])}});
      }
    }
    syncThreads();
    const auto width = int(p.valueDim);
    const int number = item.row * gridSize().y + int(blockIndex().y);
    const int64_t size = decodePartialFloats(width);
    float *base = nullptr, *mine = nullptr; // partial results of this row and of this split
    if (item.active > 1) {
      base = params.partials + int64_t(number) * params.splits * size;
      mine = base + int64_t(blockIndex().x) * size;
    }
    QRT_NO_UNROLL
    for (int at = threadIndex(); at < item.heads * (dim / 2); at += threads) {
      const int head = at / (dim / 2), column = at % (dim / 2) * 2;
      float most = -INFINITY, total = 0.0f, out[2] = {};
      QRT_UNROLL
      for (int w = 0; w < warps; ++w) {
        const float m = loadShared(mosts + w * decodeHeads + head);
        most = m > most ? m : most;
      }
      QRT_UNROLL
      for (int w = 0; w < warps; ++w) {
        const int from = w * decodeHeads + head;
        const float m = loadShared(mosts + from);
        const float weight = m == -INFINITY ? 0.0f : exp2Fast(m - most); // 0: saw no key
        const auto pair =
            loadShared(reinterpret_cast<const Words2 *>(outs + from * outStride + column));
        total += loadShared(totals + from) * weight;
        out[0] += floatOfBits(pair.w[0]) * weight;
        out[1] += floatOfBits(pair.w[1]) * weight;
      }
      if (column >= width)
        continue;
      if (item.active == 1) {
        store(params, item, head, column, out[0], out[1], total);
        continue;
      }
      storeGlobal(reinterpret_cast<Words2 *>(mine + 2 * decodeHeads + head * width + column),
                  Words2{{bitsOfFloat(out[0]), bitsOfFloat(out[1])}});
      if (column == 0) {
        storeGlobal(mine + head, most);
        storeGlobal(mine + decodeHeads + head, total);
      }
    }
    if (item.active > 1 && arriveLast(params.counters + number, uint32_t(item.active), flag))
      combineSplits(params, item, base, size, work);
  }

private:
  /// The splits' maxima become weights in shared memory, one warp per head; then every thread adds
  /// its columns.
  static QRT_DEVICE void combineSplits(const FlashParams &params, const Item &item,
                                       const float *base, int64_t size, uint8_t *work) {
    auto *weights = reinterpret_cast<float *>(work),
         *totals = weights + maxDecodeSplits * decodeHeads,
         *sums = totals + maxDecodeSplits * decodeHeads;
    const int splits = item.active;
    QRT_UNROLL_4
    for (int at = threadIndex(); at < splits * decodeHeads; at += threads) {
      const int head = at % decodeHeads;
      if (head >= item.heads)
        continue;
      const float *from = base + at / decodeHeads * size + head;
      storeShared(weights + at, loadCoherent(from));
      storeShared(totals + at, loadCoherent(from + decodeHeads));
    }
    syncThreads();
    QRT_NO_UNROLL
    for (int head = warpIndex(); head < item.heads; head += warps) {
      float most = -INFINITY, sum = 0.0f;
      QRT_NO_UNROLL
      for (int s = laneIndex(); s < splits; s += warpLanes) {
        const float m = loadShared(weights + s * decodeHeads + head);
        most = m > most ? m : most;
      }
      most = warpMax(most);
      QRT_NO_UNROLL
      for (int s = laneIndex(); s < splits; s += warpLanes) {
        const float m = loadShared(weights + s * decodeHeads + head);
        const float weight = m == -INFINITY ? 0.0f : exp2Fast(m - most);
        storeShared(weights + s * decodeHeads + head, weight);
        sum += loadShared(totals + s * decodeHeads + head) * weight;
      }
      sum = warpSum(sum);
      if (laneIndex() == 0)
        storeShared(sums + head, sum);
    }
    syncThreads();
    const auto width = int(params.op.valueDim);
    QRT_NO_UNROLL
    for (int at = threadIndex(); at < item.heads * (dim / 2); at += threads) {
      const int head = at / (dim / 2), column = at % (dim / 2) * 2;
      if (column >= width)
        continue;
      const float *from = base + 2 * decodeHeads + head * width + column;
      float out[2] = {};
      constexpr int together = 8; // loads under way
      QRT_NO_UNROLL
      for (int first = 0; first < splits; first += together) {
        Words2 pairs[together];
        QRT_UNROLL
        for (int i = 0; i < together; ++i)
          pairs[i] = first + i < splits
                         ? loadCoherent(reinterpret_cast<const Words2 *>(from + (first + i) * size))
                         : Words2{};
        QRT_UNROLL
        for (int i = 0; i < together; ++i) {
          const float weight =
              first + i < splits ? loadShared(weights + (first + i) * decodeHeads + head) : 0.0f;
          out[0] += floatOfBits(pairs[i].w[0]) * weight;
          out[1] += floatOfBits(pairs[i].w[1]) * weight;
        }
      }
      store(params, item, head, column, out[0], out[1], loadShared(sums + head));
    }
  }

  static QRT_DEVICE void store(const FlashParams &params, const Item &item, int head, int column,
                               float a, float b, float total) {
    const AttentionParams &p = params.op;
    const int at = (item.kvHead * params.group + item.firstHead + head) * int(p.valueDim) + column;
    const float factor = 1.0f / total;
    storePair(p.dst, item.row * p.dst.stride + at, a * factor, b * factor, params.faults);
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_DECODECOMBINE_H
