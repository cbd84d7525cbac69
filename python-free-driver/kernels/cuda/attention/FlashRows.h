//===- FlashRows.h - sixteen query rows of a warp against a tile of keys ----------------------===//
//
// FlashAttention-2 (Dao, arXiv 2307.08691) on mma.sync m16n8k16: S = Q K^T with K's rows as operand
// B, an online softmax in base 2, and P V with the probabilities, rounded to f16, as operand A: the
// accumulators of S already lie as A wants them. Queries, keys and values are f16 in shared memory,
// rows padded by 16 bytes so that ldmatrix meets no bank twice.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_FLASHROWS_H
#define QRT_KERNELS_CUDA_ATTENTION_FLASHROWS_H

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/layout/Fragments.h"

#include <cmath>

namespace qrt::cuda {

inline constexpr float log2e = 1.4426950408889634f;

/// Elements from row to row of a tile of `dim` f16 columns.
constexpr int flashStride(int dim) { return dim + 8; }

/// Keys that a row may see.
struct KeyRange {
  int first, end;
};

/// State of 16 rows; a lane has rows p and p + 8. `dim`: columns of the tiles, a multiple of 16.
template <int dim>
struct FlashRows {
  static constexpr int stride = flashStride(dim), outTiles = dim / 8;
  float most[2], total[2]; ///< maximum of the scores so far (base 2) and sum of exp2
  float out[outTiles][4];

  QRT_DEVICE void clear() {
    most[0] = most[1] = -INFINITY;
    total[0] = total[1] = 0.0f;
    QRT_UNROLL
    for (int tile = 0; tile < outTiles; ++tile) {
      QRT_UNROLL
      for (int i = 0; i < 4; ++i)
        out[tile][i] = 0.0f;
    }
  }

  /// Adds `keys` keys: q [16][dim], k and v [keys][dim]; firstKey numbers the first of them. Scores
  /// are those of base 2 (q is scaled), or, softcap > 0, natural ones to be capped.
  template <int keys>
  QRT_DEVICE void attend(const uint16_t *q, const uint16_t *k, const uint16_t *v, int firstKey,
                         const KeyRange (&range)[2], float softcap) {
    const int lane = laneIndex();
    float scores[keys / 8][4];
    score<keys>(
        scores,
        [&](int d, uint32_t (&a)[4]) {
          loadMatrix4(a, q + lane % 16 * stride + d + lane / 16 * 8);
        },
        k);
    weigh<keys>(scores, firstKey, range, softcap);
    add<keys>(scores, v);
  }

  /// scores = Q K^T. query(d, a): the fragment of Q's columns d .. d + 15.
  template <int keys, class Query>
  static QRT_DEVICE void score(float (&scores)[keys / 8][4], const Query &query,
                               const uint16_t *k) {
    const int lane = laneIndex();
    QRT_UNROLL
    for (int tile = 0; tile < keys / 8; ++tile) {
      QRT_UNROLL
      for (int i = 0; i < 4; ++i)
        scores[tile][i] = 0.0f;
    }
    QRT_UNROLL
    for (int d = 0; d < dim; d += 16) {
      uint32_t a[4];
      query(d, a);
      QRT_UNROLL
      for (int key = 0; key < keys; key += 16) {
        uint32_t b[4];
        loadMatrix4(b, k + (key + lane / 16 * 8 + lane % 8) * stride + d + lane / 8 % 2 * 8);
        const uint32_t low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
        mmaF16(scores[key / 8], a, low);
        mmaF16(scores[key / 8 + 1], a, high);
      }
    }
  }

  /// Scores become weights; maximum, sum and outputs are brought to the new maximum.
  template <int keys>
  QRT_DEVICE void weigh(float (&scores)[keys / 8][4], int firstKey, const KeyRange (&range)[2],
                        float softcap) {
    const int lane = laneIndex();
    if (softcap > 0.0f) [[unlikely]] {
      QRT_UNROLL
      for (int tile = 0; tile < keys / 8; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i)
          scores[tile][i] = softcap * tanhf(scores[tile][i] / softcap) * log2e;
      }
    }
    const int lastFirst = range[0].first > range[1].first ? range[0].first : range[1].first;
    const int firstEnd = range[0].end < range[1].end ? range[0].end : range[1].end;
    if (firstKey < lastFirst || firstKey + keys > firstEnd) {
      QRT_UNROLL
      for (int tile = 0; tile < keys / 8; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i) {
          const int key = firstKey + tile * 8 + lane % 4 * 2 + (i & 1);
          if (key < range[i >> 1].first || key >= range[i >> 1].end)
            scores[tile][i] = -INFINITY;
        }
      }
    }
    float now[2] = {-INFINITY, -INFINITY};
    QRT_UNROLL
    for (int tile = 0; tile < keys / 8; ++tile) {
      QRT_UNROLL
      for (int i = 0; i < 4; ++i)
        now[i >> 1] = scores[tile][i] > now[i >> 1] ? scores[tile][i] : now[i >> 1];
    }
    float base[2], sums[2] = {};
    QRT_UNROLL
    for (int row = 0; row < 2; ++row) { // the four lanes of a row
      QRT_UNROLL
      for (int mask = 1; mask <= 2; mask *= 2) {
        const float other = shuffleXor(now[row], mask);
        now[row] = other > now[row] ? other : now[row];
      }
      now[row] = now[row] > most[row] ? now[row] : most[row];
      base[row] = now[row] == -INFINITY ? 0.0f : now[row]; // nothing visible yet
      const float keep = exp2Fast(most[row] - base[row]);
      most[row] = now[row];
      total[row] *= keep;
      QRT_UNROLL
      for (int tile = 0; tile < outTiles; ++tile) {
        out[tile][2 * row] *= keep;
        out[tile][2 * row + 1] *= keep;
      }
    }
    QRT_UNROLL
    for (int tile = 0; tile < keys / 8; ++tile) {
      QRT_UNROLL
      for (int i = 0; i < 4; ++i) {
        scores[tile][i] = exp2Fast(scores[tile][i] - base[i >> 1]);
        sums[i >> 1] += scores[tile][i];
      }
    }
    total[0] += sums[0]; // of this lane's columns; added up in rowTotal
    total[1] += sums[1];
  }

  /// Adds the values v, weighted.
  template <int keys>
  QRT_DEVICE void add(const float (&scores)[keys / 8][4], const uint16_t *v) {
    const int lane = laneIndex();
    QRT_UNROLL
    for (int key = 0; key < keys; key += 16) {
      const auto &s0 = scores[key / 8], &s1 = scores[key / 8 + 1];
      const uint32_t a[4] = {packF16(s0[0], s0[1]), packF16(s0[2], s0[3]), packF16(s1[0], s1[1]),
                             packF16(s1[2], s1[3])};
      QRT_UNROLL
      for (int d = 0; d < dim; d += 16) {
        uint32_t b[4];
        loadMatrix4Transposed(b, v + (key + lane % 16) * stride + d + lane / 16 * 8);
        const uint32_t low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
        mmaF16(out[d / 8], a, low);
        mmaF16(out[d / 8 + 1], a, high);
      }
    }
  }

  /// The sum over all keys of row p (0) or p + 8 (1); all lanes together.
  QRT_DEVICE float rowTotal(int row) const {
    float sum = total[row];
    sum += shuffleXor(sum, 1);
    return sum + shuffleXor(sum, 2);
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_FLASHROWS_H
