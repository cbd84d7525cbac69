//===- AttentionKernel.h - one attention tile on a vector type ---------------===//
//
// Page by page: scores of all rows against 64 keys (keys are stored transposed: a vector of keys
// times a broadcast query feature), online softmax, then the weighted sum of values. Key and value
// vectors are loaded, and converted, once per register tile of rows: the query heads that share a
// kv head share the read.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ATTENTION_ATTENTIONKERNEL_H
#define QRT_KERNELS_CPU_ATTENTION_ATTENTIONKERNEL_H

#include "kernels/cpu/simd/Intrinsics.h"
#include "kernels/cpu/simd/Math.h"
#include "kernels/cpu/vector/Variants.h"

namespace qrt::kernels {
namespace {

struct KvF32 {
  using Type = float;
  template <class V>
  static typename V::Type load(const float *p) {
    return V::load(p);
  }
};
template <class V>
float firstLane(typename V::Type x) {
  alignas(64) float lanes[V::width];
  V::store(lanes, x);
  return lanes[0];
}
struct KvF16 {
  using Type = uint16_t;
  template <class V>
  static typename V::Type load(const uint16_t *p) {
    return V::loadHalf(p);
  }
};
struct KvBf16 {
  using Type = uint16_t;
  template <class V>
  static typename V::Type load(const uint16_t *p) {
    return V::loadBf16(p);
  }
};

inline constexpr int pageKeys = static_cast<int>(kvPageTokens);

/// scores[r][0..63] of R rows against one key page [headDim][64].
template <class V, class Kv, int R>
void scorePage(const AttentionTile &tile, const typename Kv::Type *keys, int row) {
  constexpr int L = 4; // vectors of keys per register tile
  const int64_t dim = tile.headDim;
  for (int key = 0; key < pageKeys; key += L * V::width) {
    typename V::Type acc[R][L];
    QRT_FOR (r, R)
      QRT_FOR (l, L)
        acc[r][l] = V::zero();
    for (int64_t d = 0; d < dim; ++d) {
      typename V::Type k[L];
      QRT_FOR (l, L)
        k[l] = Kv::template load<V>(keys + d * pageKeys + key + l * V::width);
      QRT_FOR (r, R) {
        typename V::Type q = V::set1(tile.q[(row + r) * dim + d]);
        QRT_FOR (l, L)
          acc[r][l] = V::fma(q, k[l], acc[r][l]);
      }
    }
    for (int r = 0; r < R; ++r)
      for (int l = 0; l < L; ++l)
        V::store(tile.scores + (row + r) * pageKeys + key + l * V::width, acc[r][l]);
  }
}

/// sum[r] += weights[r][0..count) * values[count][valueDim] for R rows.
template <class V, class Kv, int R>
void addValues(const AttentionTile &tile, const typename Kv::Type *values, int row, int first,
               int end) {
  constexpr int L = 4;
  const int64_t dim = tile.valueDim;
  int64_t d = 0;
  for (; d + L * V::width <= dim; d += L * V::width) {
    typename V::Type acc[R][L];
    QRT_FOR (r, R)
      QRT_FOR (l, L)
        acc[r][l] = V::load(tile.sum + (row + r) * dim + d + l * V::width);
    for (int key = first; key < end; ++key) {
      typename V::Type v[L];
      QRT_FOR (l, L)
        v[l] = Kv::template load<V>(values + key * dim + d + l * V::width);
      QRT_FOR (r, R) {
        typename V::Type p = V::set1(tile.scores[(row + r) * pageKeys + key]);
        QRT_FOR (l, L)
          acc[r][l] = V::fma(p, v[l], acc[r][l]);
      }
    }
    for (int r = 0; r < R; ++r)
      for (int l = 0; l < L; ++l)
        V::store(tile.sum + (row + r) * dim + d + l * V::width, acc[r][l]);
  }
  // What is left is narrower than the register tile; the last vector may be partial. Values of
  // the next key, or padding behind the page, fill its lanes, which are not stored.
  for (; d < dim; d += V::width) {
    const int64_t lanes = dim - d < V::width ? dim - d : V::width;
    for (int r = 0; r < R; ++r) {
      float *out = tile.sum + (row + r) * dim + d;
      typename V::Type acc = loadPart<V>(out, lanes);
      for (int key = first; key < end; ++key) {
        alignas(64) typename Kv::Type buffer[V::width] = {};
        const typename Kv::Type *from = values + key * dim + d;
        if (lanes < V::width) {
          for (int64_t i = 0; i < lanes; ++i)
            buffer[i] = from[i];
          from = buffer;
        }
        acc = V::fma(V::set1(tile.scores[(row + r) * pageKeys + key]), Kv::template load<V>(from),
                     acc);
      }
      storePart<V>(out, acc, lanes);
    }
  }
}

/// Turns row r's scores into weights exp(s - maximum) and rescales what was summed before.
/// Keys outside [first, end) of the page get weight 0.
template <class V>
void softmaxRow(const AttentionTile &tile, int r, int first, int end) {
  float *s = tile.scores + r * pageKeys;
  if (tile.softcap > 0.0f) {
    typename V::Type cap = V::set1(tile.softcap);
    for (int i = 0; i < pageKeys; i += V::width)
      V::store(s + i, V::mul(cap, vtanh<V>(V::div(V::load(s + i), cap))));
  }
  constexpr float minusInfinity = -__builtin_inff();
  for (int i = 0; i < first; ++i)
    s[i] = minusInfinity;
  for (int i = end; i < pageKeys; ++i)
    s[i] = minusInfinity;
  typename V::Type top = V::set1(tile.maximum[r]);
  for (int i = 0; i < pageKeys; i += V::width)
    top = V::max(top, V::load(s + i)); // a NaN score wins
  const float maximum = V::reduceMax(top);
  const typename V::Type m = V::set1(maximum);
  typename V::Type total = V::zero();
  for (int i = 0; i < pageKeys; i += V::width) {
    typename V::Type p = vexp<V>(V::sub(V::load(s + i), m));
    V::store(s + i, p);
    total = V::add(total, p);
  }
  const float before = tile.maximum[r];
  if (before != maximum && before != minusInfinity) {
    const float shrink = firstLane<V>(vexp<V>(V::set1(before - maximum)));
    tile.total[r] *= shrink;
    for (int64_t d = 0; d < tile.valueDim; ++d)
      tile.sum[r * tile.valueDim + d] *= shrink;
  }
  tile.total[r] += V::reduceAdd(total);
  tile.maximum[r] = maximum;
}

template <class V, class Kv, int R>
void tilePages(const AttentionTile &tile) {
  const int64_t dimK = tile.headDim, dimV = tile.valueDim;
  for (int64_t page = tile.firstKey / pageKeys; page * pageKeys < tile.endKey; ++page) {
    const int64_t base = page * pageKeys;
    const auto *keys = static_cast<const typename Kv::Type *>(tile.kv->kPages[page]) +
                       tile.kvHead * dimK * pageKeys;
    const auto *values = static_cast<const typename Kv::Type *>(tile.kv->vPages[page]) +
                         tile.kvHead * pageKeys * dimV;
    auto inPage = [&](int64_t key) {
      int64_t low = tile.firstKey > base ? tile.firstKey - base : 0;
      int64_t high = tile.endKey - base < pageKeys ? tile.endKey - base : pageKeys;
      int64_t at = key - base;
      return static_cast<int>(at < low ? low : at > high ? high : at);
    };
    for (int row = 0; row < tile.rows; row += R) {
      const int rows = tile.rows - row < R ? tile.rows - row : R;
      int first = pageKeys, end = 0;
      for (int r = row; r < row + rows; ++r) {
        first = inPage(tile.from[r]) < first ? inPage(tile.from[r]) : first;
        end = inPage(tile.to[r]) > end ? inPage(tile.to[r]) : end;
      }
      if (first >= end)
        continue; // no row of this group sees the page
      // Rows beyond `rows` lie in the scratch arrays, which have whole register tiles.
      if (rows == R) {
        scorePage<V, Kv, R>(tile, keys, row);
      } else {
        for (int r = row; r < row + rows; ++r)
          scorePage<V, Kv, 1>(tile, keys, r);
      }
      for (int r = row; r < row + rows; ++r) {
        int low = inPage(tile.from[r]), high = inPage(tile.to[r]);
        if (low < high) {
          softmaxRow<V>(tile, r, low, high);
          continue;
        }
        for (int i = 0; i < pageKeys; ++i)
          tile.scores[r * pageKeys + i] = 0.0f;
      }
      if (rows == R) {
        addValues<V, Kv, R>(tile, values, row, first, end);
      } else {
        for (int r = row; r < row + rows; ++r)
          addValues<V, Kv, 1>(tile, values, r, first, end);
      }
    }
  }
}

template <class V, int R>
void attentionTileKernel(const AttentionTile &tile) {
  for (int r = 0; r < tile.rows; ++r) {
    tile.maximum[r] = -__builtin_inff();
    tile.total[r] = 0.0f;
    for (int64_t d = 0; d < tile.valueDim; ++d)
      tile.sum[r * tile.valueDim + d] = 0.0f;
  }
  switch (tile.kv->type) {
  case DType::F32:
    return tilePages<V, KvF32, R>(tile);
  case DType::F16:
    return tilePages<V, KvF16, R>(tile);
  case DType::BF16:
    return tilePages<V, KvBf16, R>(tile);
  default:
    return; // attention() refuses other types
  }
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ATTENTION_ATTENTIONKERNEL_H
