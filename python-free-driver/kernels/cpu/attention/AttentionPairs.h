//===- AttentionPairs.h - scores and weighted sums over pages of bf16 pairs ----===//
//
// Queries and weights are rounded to bf16 as well, so that two products and their sum are one
// instruction where the processor has it (vdpbf16ps); elsewhere they are two f32 products of the
// same numbers, and a word is two vectors after a shift and a mask. Each element is summed in one
// order whatever R is.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ATTENTION_ATTENTIONPAIRS_H
#define QRT_KERNELS_CPU_ATTENTION_ATTENTIONPAIRS_H

#include "kernels/cpu/attention/AttentionFloat.h"
#include "kernels/cpu/attention/KvPairs.h"

namespace qrt::kernels {
namespace {

/// Rounded queries of the tile, [rows][2 keyPairs], in the scratch for coded ones.
template <class V>
typename V::PairElement *roundedQueries(const AttentionTile &tile) {
  return reinterpret_cast<typename V::PairElement *>(tile.qCodes);
}

template <class V>
void roundQuery(const AttentionTile &tile, int row) {
  const int64_t width = 2 * keyPairs(tile.headDim);
  const float *q = tile.q + row * tile.headDim;
  typename V::PairElement *out = roundedQueries<V>(tile) + row * width;
  for (int64_t d = 0; d < width; d += V::width) {
    alignas(64) float x[V::width] = {};
    alignas(64) typename V::PairElement rounded[V::width];
    const int64_t left = width - d < V::width ? width - d : V::width;
    for (int64_t i = 0; i < left && d + i < tile.headDim; ++i)
      x[i] = q[d + i];
    V::storeRounded(rounded, V::load(x));
    for (int64_t i = 0; i < left; ++i)
      out[d + i] = rounded[i];
  }
}

/// scores[r][0..63] of R rows against one key page.
template <class V, int R>
QRT_TILE void scorePairs(const AttentionTile &tile, const int32_t *words, int row,
                         Upcoming upcoming) {
  constexpr int L = R <= 2 || (R <= 4 && V::width == 16) ? 4 : 2; // vectors of keys
  const int64_t pairs = keyPairs(tile.headDim);
  const typename V::PairElement *q = roundedQueries<V>(tile) + row * 2 * pairs;
  Ahead ahead(upcoming.data, upcoming.bytes, pageKeys / (L * V::width) * pairs);
  for (int key = 0; key < pageKeys; key += L * V::width) {
    typename V::Type acc[R][L];
    QRT_FOR (r, R)
      QRT_FOR (l, L)
        acc[r][l] = V::zero();
    for (int64_t p = 0; p < pairs; ++p) {
      ahead.step<V>();
      typename V::Pairs k[L];
      QRT_FOR (l, L)
        k[l] = V::loadPairs(words + p * pageKeys + key + l * V::width);
      QRT_FOR (r, R) {
        const typename V::Pairs pair = V::set1Pair(q + (r * pairs + p) * 2);
        QRT_FOR (l, L)
          acc[r][l] = V::dotPairs(acc[r][l], pair, k[l]);
      }
    }
    QRT_FOR (r, R)
      QRT_FOR (l, L)
        V::store(tile.scores + (row + r) * pageKeys + key + l * V::width, acc[r][l]);
  }
}

/// Rounded weights of R rows for the keys of a page.
template <class V, int R>
struct PairWeights {
  alignas(64) typename V::PairElement of[R][pageKeys];
};

/// sum[r][d ..] += weights[r][first..end) * values for R rows and L vectors of features, of which
/// `lanes` exist.
template <class V, int R, int L>
QRT_TILE void addPairsAt(const AttentionTile &tile, const int32_t *words, int row, int64_t d,
                         int64_t lanes, int first, int end, const PairWeights<V, R> &weights,
                         Ahead &ahead) {
  const int64_t dim = tile.valueDim, rowWords = valuePairWords(dim);
  float *sum = tile.sum + row * dim + d;
  typename V::Type acc[R][L];
  QRT_FOR (r, R)
    QRT_FOR (l, L)
      acc[r][l] = lanes < V::width ? loadPart<V>(sum + r * dim, lanes)
                                   : V::load(sum + r * dim + l * V::width);
  Ahead next = ahead;
  auto add = [&](int pair, auto keep) __attribute__((always_inline)) {
    next.step<V>();
    typename V::Pairs v[L];
    QRT_FOR (l, L)
      v[l] = keep(V::loadPairs(words + pair * rowWords + d + l * V::width));
    QRT_FOR (r, R) {
      const typename V::Pairs p = V::set1Pair(weights.of[r] + 2 * pair);
      QRT_FOR (l, L)
        acc[r][l] = V::dotPairs(acc[r][l], p, v[l]);
    }
  };
  // A neighbour outside the range may be anything, NaN too.
  int pair = first / 2;
  if (first & 1)
    add(pair++, [](typename V::Pairs x) { return V::keepOdd(x); });
  for (; 2 * pair + 2 <= end; ++pair)
    add(pair, [](typename V::Pairs x) { return x; });
  if (2 * pair < end)
    add(pair, [](typename V::Pairs x) { return V::keepEven(x); });
  QRT_FOR (r, R)
    QRT_FOR (l, L)
      if (lanes < V::width)
        storePart<V>(sum + r * dim, acc[r][l], lanes);
      else
        V::store(sum + r * dim + l * V::width, acc[r][l]);
  ahead = next;
}

template <class V, int R>
void addPairs(const AttentionTile &tile, const int32_t *words, int row, int first, int end,
              const PairWeights<V, R> &weights, Upcoming upcoming) {
  constexpr int L = R <= 2 || (R <= 4 && V::width == 16) ? 4 : 2;
  const int64_t dim = tile.valueDim;
  const int64_t wide = dim / (L * V::width), rest = dim - wide * L * V::width;
  const int64_t tiles = wide + (rest + V::width - 1) / V::width;
  Ahead ahead(upcoming.data, upcoming.bytes, tiles * ((end - first) / 2));
  int64_t d = 0;
  for (; d + L * V::width <= dim; d += L * V::width)
    addPairsAt<V, R, L>(tile, words, row, d, L * V::width, first, end, weights, ahead);
  for (; d < dim; d += V::width)
    addPairsAt<V, R, 1>(tile, words, row, d, dim - d < V::width ? dim - d : V::width, first, end,
                        weights, ahead);
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ATTENTION_ATTENTIONPAIRS_H
