//===- AttentionKernel.h - one attention tile on a vector type ---------------===//
//
// Page by page: scores of all rows against 64 keys, online softmax, then the weighted sum of
// values. Rows are taken in register tiles of at most MaxRows. Float pages: AttentionFloat.h,
// codes: AttentionCodes.h.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ATTENTION_ATTENTIONKERNEL_H
#define QRT_KERNELS_CPU_ATTENTION_ATTENTIONKERNEL_H

#include "kernels/cpu/attention/AttentionCodes.h"

namespace qrt::kernels {
namespace {

/// exp(x) for x <= 0, about 2e-7 + 6e-8 |x| relative; 2^-126 where it would be less.
template <class V>
typename V::Type softmaxExp(typename V::Type x) {
  using T = typename V::Type;
  const T magic = V::set1(12582912.0f); // 1.5 * 2^23: adding it rounds to an integer
  T t = V::max(V::set1(-126.0f), V::mul(x, V::set1(1.44269504088896341f))); // a NaN stays
  T shifted = V::add(t, magic);
  T f = V::sub(t, V::sub(shifted, magic));
  // Cephes exp2f.
  T p =
      polynomial<V>(f, {1.535336188319500e-4f, 1.339887440266574e-3f, 9.618437357674640e-3f,
                        5.550332471162809e-2f, 2.402264791363012e-1f, 6.931472028550421e-1f, 1.0f});
  return V::mul(p, V::exponent(shifted));
}

/// cap tanh(s / cap) of one row.
template <class V>
QRT_TILE void capScores(float *s, float softcap) {
  typename V::Type cap = V::set1(softcap);
  for (int i = 0; i < pageKeys; i += V::width)
    V::store(s + i, V::mul(cap, vtanh<V>(V::div(V::load(s + i), cap))));
}

/// What one row makes of a page.
struct PageScores {
  float maximum; ///< of the page
  float total;   ///< sum of the weights
};

/// Turns a row's scores into weights, relative to `before` or the page's largest score, whichever
/// is larger, or with `ofPage` always to the page's. Keys outside [first, end) get weight 0.
template <class V>
PageScores softmaxRow(float *s, int first, int end, float before, bool ofPage) {
  for (int i = 0; i < first; ++i)
    s[i] = -__builtin_inff();
  for (int i = end; i < pageKeys; ++i)
    s[i] = -__builtin_inff();
  typename V::Type top = V::load(s);
  for (int i = V::width; i < pageKeys; i += V::width)
    top = V::max(top, V::load(s + i));
  const float maximum = V::reduceMax(top);
  const typename V::Type base = V::set1(ofPage || maximum > before ? maximum : before);
  typename V::Type total = V::zero();
  for (int i = 0; i < pageKeys; i += V::width) {
    typename V::Type x = V::load(s + i);
    // Exactly 0 where a key is not seen.
    typename V::Type p =
        V::select(V::less(x, V::set1(-3.402823466e38f)), V::zero(), softmaxExp<V>(V::sub(x, base)));
    V::store(s + i, p);
    total = V::add(total, p);
  }
  return {maximum, V::reduceAdd(total)};
}

template <class V, int R>
void scoreRows(const AttentionTile &tile, DType type, const void *head, int row,
               Upcoming upcoming) {
  switch (type) {
  case DType::F32:
    return scorePage<V, KvF32, R>(tile, static_cast<const float *>(head), row, upcoming);
  case DType::F16:
    return scorePage<V, KvF16, R>(tile, static_cast<const uint16_t *>(head), row, upcoming);
  case DType::BF16:
    return scorePage<V, KvBf16, R>(tile, static_cast<const uint16_t *>(head), row, upcoming);
  case DType::I8:
    return scoreCodes<V, 8, R>(tile, static_cast<const uint8_t *>(head), row, upcoming);
  case DType::I4:
    return scoreCodes<V, 4, R>(tile, static_cast<const uint8_t *>(head), row, upcoming);
  default:
    return; // attention() refuses other types
  }
}

template <class V, int R>
void addRows(const AttentionTile &tile, DType type, const void *head, int row, int first, int end,
             const PageRow *rows, Upcoming upcoming) {
  switch (type) {
  case DType::F32:
    return addValues<V, KvF32, R>(tile, static_cast<const float *>(head), row, first, end,
                                  upcoming);
  case DType::F16:
    return addValues<V, KvF16, R>(tile, static_cast<const uint16_t *>(head), row, first, end,
                                  upcoming);
  case DType::BF16:
    return addValues<V, KvBf16, R>(tile, static_cast<const uint16_t *>(head), row, first, end,
                                   upcoming);
  case DType::I8:
    return addCodes<V, 8, R>(tile, static_cast<const uint8_t *>(head), row, first, end, rows,
                             upcoming);
  case DType::I4:
    return addCodes<V, 4, R>(tile, static_cast<const uint8_t *>(head), row, first, end, rows,
                             upcoming);
  default:
    return;
  }
}

/// One page of a segment as the tile's kv head sees it.
struct TilePage {
  const uint8_t *keys, *values;
  int64_t base;                  ///< its first key
  Upcoming nextKeys, nextValues; ///< of the next page
};

/// Rows [row, row + R) against one page.
template <class V, int R>
void pageRows(const AttentionTile &tile, const AttentionSegment &segment, const TilePage &page,
              int row) {
  const int64_t base = page.base;
  auto inPage = [&](int64_t key) {
    const int64_t low = segment.firstKey > base ? segment.firstKey - base : 0;
    const int64_t high = segment.endKey - base < pageKeys ? segment.endKey - base : pageKeys;
    const int64_t at = key - base;
    return static_cast<int>(at < low ? low : at > high ? high : at);
  };
  int first = pageKeys, end = 0;
  for (int r = row; r < row + R; ++r) {
    const int low = inPage(segment.from[r]), high = inPage(segment.to[r]);
    if (low < high) {
      first = low < first ? low : first;
      end = high > end ? high : end;
    }
  }
  if (first >= end)
    return; // no row of this tile sees the page
  // The first rows fetch for all.
  const Upcoming none;
  scoreRows<V, R>(tile, segment.keyType, page.keys, row, row == 0 ? page.nextKeys : none);
  const bool coded = segment.valueType == DType::I8 || segment.valueType == DType::I4;
  PageRow rows[R];
  alignas(64) float shrink[V::width] = {}, local[V::width] = {}, totals[V::width] = {};
  for (int r = 0; r < R; ++r) {
    float *s = tile.scores + (row + r) * pageKeys;
    const int low = inPage(segment.from[row + r]), high = inPage(segment.to[row + r]);
    if (low >= high) {
      for (int i = 0; i < pageKeys; ++i)
        s[i] = 0.0f;
      continue; // both factors will be exp(0)
    }
    if (tile.softcap > 0.0f)
      capScores<V>(s, tile.softcap);
    float &maximum = tile.maximum[row + r];
    const PageScores page = softmaxRow<V>(s, low, high, maximum, coded);
    totals[r] = page.total;
    const float before = maximum;
    maximum = page.maximum > before ? page.maximum : before;
    if (maximum > -__builtin_inff()) {
      shrink[r] = before - maximum;
      local[r] = coded ? page.maximum - maximum : 0.0f;
    }
  }
  V::store(shrink, softmaxExp<V>(V::load(shrink)));
  V::store(local, softmaxExp<V>(V::load(local)));
  for (int r = 0; r < R; ++r) {
    rows[r] = {shrink[r], local[r]};
    float &total = tile.total[row + r];
    total = total * shrink[r] + local[r] * totals[r];
    if (!coded && shrink[r] != 1.0f)
      for (int64_t d = 0; d < tile.valueDim; ++d)
        tile.sum[(row + r) * tile.valueDim + d] *= shrink[r];
  }
  addRows<V, R>(tile, segment.valueType, page.values, row, first, end, rows,
                row == 0 ? page.nextValues : none);
}

template <class V, int R>
void pageRowsUpTo(const AttentionTile &tile, const AttentionSegment &segment, const TilePage &page,
                  int row, int count) {
  if constexpr (R > 1)
    if (count < R)
      return pageRowsUpTo<V, R - 1>(tile, segment, page, row, count);
  pageRows<V, R>(tile, segment, page, row);
}

template <class V, int MaxRows>
void attentionTileKernel(const AttentionTile &tile) {
  bool codedKeys = false;
  for (int i = 0; i < tile.numSegments; ++i)
    codedKeys |= tile.segments[i].keyType == DType::I8 || tile.segments[i].keyType == DType::I4;
  for (int r = 0; r < tile.rows; ++r) {
    tile.maximum[r] = -__builtin_inff();
    tile.total[r] = 0.0f;
    for (int64_t d = 0; d < tile.valueDim; ++d)
      tile.sum[r * tile.valueDim + d] = 0.0f;
    if (codedKeys)
      quantizeQuery<V>(tile, r);
  }
  const int tiles = (tile.rows + MaxRows - 1) / MaxRows;
  for (int i = 0; i < tile.numSegments; ++i) {
    const AttentionSegment &segment = tile.segments[i];
    auto keysOf = [&](int64_t page) {
      return static_cast<const uint8_t *>(segment.kPages[page]) +
             tile.kvHead * segment.keyHeadBytes;
    };
    auto valuesOf = [&](int64_t page) {
      return static_cast<const uint8_t *>(segment.vPages[page]) +
             tile.kvHead * segment.valueHeadBytes;
    };
    const int64_t firstPage = segment.firstKey / pageKeys;
    Ahead(keysOf(firstPage), segment.keyHeadBytes, 1).template step<V>();
    Ahead(valuesOf(firstPage), segment.valueHeadBytes, 1).template step<V>();
    for (int64_t number = firstPage; number * pageKeys < segment.endKey; ++number) {
      TilePage page = {keysOf(number), valuesOf(number), number * pageKeys, {}, {}};
      if ((number + 1) * pageKeys < segment.endKey) {
        page.nextKeys = {keysOf(number + 1), segment.keyHeadBytes};
        page.nextValues = {valuesOf(number + 1), segment.valueHeadBytes};
      }
      for (int t = 0, row = 0; t < tiles; ++t) {
        const int rows = (tile.rows - row + tiles - t - 1) / (tiles - t);
        pageRowsUpTo<V, MaxRows>(tile, segment, page, row, rows);
        row += rows;
      }
    }
  }
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ATTENTION_ATTENTIONKERNEL_H
