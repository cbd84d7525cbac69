//===- GenericAttention.h - attention of any shape on the CUDA cores --------------------------===//
//
// For what the tensor-core kernels do not take: f32 caches, dims that are no multiple of 16, keys
// and values of different dims. A block has one row and one head and walks over the keys in tiles
// of one per thread, with an online softmax (Milakov and Gimelshein, arXiv 1805.02867).
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_GENERICATTENTION_H
#define QRT_KERNELS_CUDA_ATTENTION_GENERICATTENTION_H

#include "kernels/cuda/attention/KvTile.h"
#include "kernels/cuda/device/Reduce.h"

#include <cmath>

namespace qrt::cuda {

struct GenericAttention {
  struct Params {
    AttentionParams op;
    uint32_t *faults;
  };
  static constexpr int threads = 128, minBlocks = 1, warps = threads / 32;
  static constexpr int maxValueDim = 1024, perThread = maxValueDim / threads;
  static int sharedBytes(int64_t headDim) { return int(headDim + threads + 2 * warps) * 4; }

  static QRT_DEVICE float blockMaximum(float value, float *scratch) {
    value = warpMax(value);
    if (laneIndex() == 0)
      storeShared(scratch + warpIndex(), value);
    syncThreads();
    float most = loadShared(scratch);
    QRT_UNROLL
    for (int warp = 1; warp < warps; ++warp) {
      const float other = loadShared(scratch + warp);
      most = other > most ? other : most;
    }
    return most;
  }

  static QRT_DEVICE void run(const Params &params) {
    const AttentionParams &p = params.op;
    const int64_t row = blockIndex().x, head = blockIndex().y;
    const int64_t kvHead = head / (p.heads / p.kvHeads);
    const RowPlace place = rowPlace(p.step, row);
    if (place.part < 0)
      return;
    const int self = threadIndex();
    auto *query = reinterpret_cast<float *>(sharedMemory());
    float *weights = query + p.headDim, *maxima = weights + threads, *sums = maxima + warps;
    for (int64_t i = self; i < p.headDim; i += threads)
      storeShared(query + i, loadElement(p.q, row * p.q.stride + head * p.headDim + i) *
                                 keyBalance(p, head, i) * p.scale);
    syncThreads();

    float out[perThread] = {};
    float most = -INFINITY, total = 0.0f;
    const int64_t end = place.position + 1;
    const int64_t first = p.window > 0 && end > p.window ? end - p.window : 0;
    const PreciseTokens precise =
        p.kv.preciseBase ? preciseTokens(p, place) : PreciseTokens{0, int(end)};
    struct Page {
      const uint8_t *data;
      DType type;
    };
    auto pageOf = [&](bool isKey, int64_t token) {
      if (precise.has(int(token)))
        return Page{precisePage(p.step, p.kv, place.part, token, isKey), DType::F16};
      return Page{
          kvPage(p.step, p.kv, place.part, token, isKey ? p.kv.keyOffset : p.kv.valueOffset),
          p.kv.type(isKey)};
    };
    for (int64_t tile = first; tile < end; tile += threads) {
      const int64_t key = tile + self;
      float score = -INFINITY;
      if (key < end) {
        const Page page = pageOf(true, key);
        float dot = 0.0f;
        for (int64_t i = 0; i < p.headDim; ++i)
          dot += loadShared(query + i) * kvElement(page.type, page.data, p.kvHeads, kvHead,
                                                   key % kvBlockTokens, p.headDim, i);
        score = p.softcap > 0.0f ? p.softcap * tanhf(dot / p.softcap) : dot;
      }
      const float now = blockMaximum(score, maxima);
      const float newMost = now > most ? now : most;
      const float keep = most == -INFINITY ? 0.0f : expf(most - newMost);
      const float weight = key < end ? expf(score - newMost) : 0.0f;
      most = newMost;
      storeShared(weights + self, weight);
      total = total * keep + blockSum<threads>(weight, sums); // a barrier: the weights are there
      const auto keys = static_cast<int>(end - tile < threads ? end - tile : threads);
      QRT_UNROLL
      for (int i = 0; i < perThread; ++i) {
        const int64_t d = self + i * threads;
        if (d >= p.valueDim)
          continue;
        float sum = out[i] * keep;
        for (int j = 0; j < keys; ++j) {
          const Page page = pageOf(false, tile + j);
          sum += loadShared(weights + j) * kvElement(page.type, page.data, p.kvHeads, kvHead,
                                                     (tile + j) % kvBlockTokens, p.valueDim, d);
        }
        out[i] = sum;
      }
      syncThreads(); // before the next tile's maxima and weights
    }
    QRT_UNROLL
    for (int i = 0; i < perThread; ++i) {
      const int64_t d = self + i * threads;
      if (d < p.valueDim)
        storeElement(p.dst, row * p.dst.stride + head * p.valueDim + d, out[i] / total,
                     params.faults);
    }
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_GENERICATTENTION_H
