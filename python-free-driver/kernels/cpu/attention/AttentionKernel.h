//===- AttentionKernel.h - one attention tile on a vector type ---------------===//
//
// Page by page: scores of all rows against 64 keys, online softmax, then the weighted sum of
// values. Rows are taken in register tiles of at most MaxRows. Float pages: AttentionFloat.h,
// bf16: AttentionPairs.h, codes: AttentionCodes.h.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ATTENTION_ATTENTIONKERNEL_H
#define QRT_KERNELS_CPU_ATTENTION_ATTENTIONKERNEL_H

#include "kernels/cpu/attention/AttentionCodes.h"
#include "kernels/cpu/attention/AttentionPairs.h"
#include "kernels/cpu/attention/AttentionSoftmax.h"

namespace qrt::kernels {
namespace {

template <class V, int R>
void scoreRows(const AttentionTile &tile, DType type, const void *head, int row,
               Upcoming upcoming) {
  switch (type) {
  case DType::F32:
    return scorePage<V, KvF32, R>(tile, static_cast<const float *>(head), row, upcoming);
  case DType::F16:
    return scorePage<V, KvF16, R>(tile, static_cast<const uint16_t *>(head), row, upcoming);
  case DType::BF16:
    return scorePairs<V, R>(tile, static_cast<const int32_t *>(head), row, upcoming);
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
             const PageRow *rows, const PairWeights<V, R> &weights, Upcoming upcoming) {
  switch (type) {
  case DType::F32:
    return addValues<V, KvF32, R>(tile, static_cast<const float *>(head), row, first, end,
                                  upcoming);
  case DType::F16:
    return addValues<V, KvF16, R>(tile, static_cast<const uint16_t *>(head), row, first, end,
                                  upcoming);
  case DType::BF16:
    return addPairs<V, R>(tile, static_cast<const int32_t *>(head), row, first, end, weights,
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
              int row, RowTotals<V> &totals) {
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
  KeyRange seen[R];
  for (int r = 0; r < R; ++r) {
    seen[r] = {inPage(segment.from[row + r]), inPage(segment.to[row + r])};
    if (tile.softcap > 0.0f && seen[r].first < seen[r].end)
      capScores<V>(tile.scores + (row + r) * pageKeys, tile.softcap);
  }
  PageRow rows[R];
  PairWeights<V, R> weights;
  if (segment.valueType == DType::I8 || segment.valueType == DType::I4)
    pageWeights<V, R>(tile, row, seen, rows, totals);
  else if (segment.valueType == DType::BF16)
    runningWeights<V, R, true>(tile, row, seen, totals,
                               [&](int r, int i, typename V::Type p)
                                   QRT_INLINE { return V::storeRounded(weights.of[r] + i, p); });
  else
    runningWeights<V, R, false>(tile, row, seen, totals,
                                [&](int r, int i, typename V::Type p) QRT_INLINE {
                                  V::store(tile.scores + (row + r) * pageKeys + i, p);
                                  return p;
                                });
  addRows<V, R>(tile, segment.valueType, page.values, row, first, end, rows, weights,
                row == 0 ? page.nextValues : none);
}

template <class V, int R>
void pageRowsUpTo(const AttentionTile &tile, const AttentionSegment &segment, const TilePage &page,
                  int row, int count, RowTotals<V> &totals) {
  if constexpr (R > 1)
    if (count < R)
      return pageRowsUpTo<V, R - 1>(tile, segment, page, row, count, totals);
  pageRows<V, R>(tile, segment, page, row, totals);
}

template <class V, int MaxRows>
void attentionTileKernel(const AttentionTile &tile) {
  bool codedKeys = false, pairedKeys = false; // one of them at most
  for (int i = 0; i < tile.numSegments; ++i) {
    codedKeys |= tile.segments[i].keyType == DType::I8 || tile.segments[i].keyType == DType::I4;
    pairedKeys |= tile.segments[i].keyType == DType::BF16;
  }
  RowTotals<V> totals;
  for (int r = 0; r < tile.rows; ++r) {
    tile.maximum[r] = -__builtin_inff();
    V::store(totals.of[r], V::zero());
    for (int64_t d = 0; d < tile.valueDim; ++d)
      tile.sum[r * tile.valueDim + d] = 0.0f;
    if (codedKeys)
      quantizeQuery<V>(tile, r);
    if (pairedKeys)
      roundQuery<V>(tile, r);
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
    if (i > 0 || !tile.fetched) {
      Ahead(keysOf(firstPage), segment.keyHeadBytes, 1).template step<V>();
      Ahead(valuesOf(firstPage), segment.valueHeadBytes, 1).template step<V>();
    }
    for (int64_t number = firstPage; number * pageKeys < segment.endKey; ++number) {
      TilePage page = {keysOf(number), valuesOf(number), number * pageKeys, tile.nextKeys,
                       tile.nextValues};
      if ((number + 1) * pageKeys < segment.endKey) {
        page.nextKeys = {keysOf(number + 1), segment.keyHeadBytes};
        page.nextValues = {valuesOf(number + 1), segment.valueHeadBytes};
      }
      for (int t = 0, row = 0; t < tiles; ++t) {
        const int rows = (tile.rows - row + tiles - t - 1) / (tiles - t);
        pageRowsUpTo<V, MaxRows>(tile, segment, page, row, rows, totals);
        row += rows;
      }
    }
  }
  for (int r = 0; r < tile.rows; ++r)
    tile.total[r] = V::reduceAdd(V::load(totals.of[r]));
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ATTENTION_ATTENTIONKERNEL_H
