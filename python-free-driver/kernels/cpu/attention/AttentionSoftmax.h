//===- AttentionSoftmax.h - from the scores of a page to its weights -----------===//
//
// Online softmax: weights are exp(score - base) of a base per row, which is raised, and the sums so
// far scaled down, when a score lies more than `baseSlack` above it. Raising it for every larger
// score would cost a horizontal maximum per row and page; so far above, weights are still far from
// overflow, and relative precision does not depend on the base.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ATTENTION_ATTENTIONSOFTMAX_H
#define QRT_KERNELS_CPU_ATTENTION_ATTENTIONSOFTMAX_H

#include "kernels/cpu/attention/AttentionFloat.h"

namespace qrt::kernels {
namespace {

inline constexpr float baseSlack = 8.0f;

/// Lambdas that take registers.
#define QRT_INLINE __attribute__((always_inline))

/// exp(x) for x <= baseSlack, about 2e-7 + 6e-8 |x| relative, or 8e-5 where the result will be
/// rounded to bf16 (4e-3); 2^-126 where it would be less.
template <class V, bool Rounded = false>
typename V::Type softmaxExp(typename V::Type x) {
  using T = typename V::Type;
  const T magic = V::set1(12582912.0f); // 1.5 * 2^23: adding it rounds to an integer
  T t = V::max(V::set1(-126.0f), V::mul(x, V::set1(1.44269504088896341f))); // a NaN stays
  T shifted = V::add(t, magic);
  T f = V::sub(t, V::sub(shifted, magic));
  T p;
  if constexpr (Rounded) // least relative squares at 64 Chebyshev nodes
    p = polynomial<V>(f, {5.508868381e-02f, 2.426040515e-01f, 6.932762417e-01f, 9.999289404e-01f});
  else // Cephes exp2f
    p = polynomial<V>(f,
                      {1.535336188319500e-4f, 1.339887440266574e-3f, 9.618437357674640e-3f,
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

/// The keys of a page that a row sees.
struct KeyRange {
  int first, end;
};

/// Sums of the weights of a tile's rows, lane by lane.
template <class V>
struct RowTotals {
  alignas(64) float of[attentionTileRows][V::width];
};

/// Scores of keys that are not seen become -inf; returns the largest of each lane.
template <class V>
typename V::Type hideKeys(float *s, KeyRange seen) {
  for (int i = 0; i < seen.first; ++i)
    s[i] = -__builtin_inff();
  for (int i = seen.end; i < pageKeys; ++i)
    s[i] = -__builtin_inff();
  typename V::Type top = V::load(s);
  for (int i = V::width; i < pageKeys; i += V::width)
    top = V::max(top, V::load(s + i));
  return top;
}

/// finish(i, p) for the weights p of keys i, i + 1, ..: stores them and returns what is summed.
template <class V, bool Rounded, class Finish>
typename V::Type weighKeys(const float *s, bool whole, float base, Finish finish) {
  typename V::Type total = V::zero();
  const typename V::Type below = V::set1(base);
  for (int i = 0; i < pageKeys; i += V::width) {
    const typename V::Type x = V::load(s + i);
    typename V::Type p = softmaxExp<V, Rounded>(V::sub(x, below));
    if (!whole) // exactly 0 where a key is not seen
      p = V::select(V::less(x, V::set1(-3.402823466e38f)), V::zero(), p);
    total = V::add(total, finish(i, p));
  }
  return total;
}

/// The sums of a row are to be relative to `base`.
template <class V>
QRT_TILE void raiseBase(const AttentionTile &tile, int row, float base, RowTotals<V> &totals) {
  const typename V::Type shrink = softmaxExp<V>(V::set1(tile.maximum[row] - base));
  tile.maximum[row] = base;
  V::store(totals.of[row], V::mul(V::load(totals.of[row]), shrink));
  float *sum = tile.sum + row * tile.valueDim;
  int64_t d = 0;
  for (; d + V::width <= tile.valueDim; d += V::width)
    V::store(sum + d, V::mul(V::load(sum + d), shrink));
  if (d < tile.valueDim)
    storePart<V>(sum + d, V::mul(loadPart<V>(sum + d, tile.valueDim - d), shrink),
                 tile.valueDim - d);
}

/// Weights of R rows, relative to their bases. finish(r, i, p) as above.
template <class V, int R, bool Rounded, class Finish>
void runningWeights(const AttentionTile &tile, int row, const KeyRange *seen, RowTotals<V> &totals,
                    Finish finish) {
  constexpr float infinity = __builtin_inff();
  for (int r = 0; r < R; ++r) {
    if (seen[r].first >= seen[r].end) {
      for (int i = 0; i < pageKeys; i += V::width)
        finish(r, i, V::zero());
      continue;
    }
    float *s = tile.scores + (row + r) * pageKeys;
    const typename V::Type top = hideKeys<V>(s, seen[r]);
    float &base = tile.maximum[row + r];
    if (base == -infinity || V::any(V::less(V::set1(base + baseSlack), top))) {
      const float maximum = V::reduceMax(top);
      if (maximum > base)
        raiseBase<V>(tile, row + r, maximum, totals);
    }
    const bool whole = seen[r].first == 0 && seen[r].end == pageKeys && base > -infinity;
    const typename V::Type total = weighKeys<V, Rounded>(
        s, whole, base, [&](int i, typename V::Type p) QRT_INLINE { return finish(r, i, p); });
    V::store(totals.of[row + r], V::add(V::load(totals.of[row + r]), total));
  }
}

/// Weights of R rows, which stay in the scores, relative to the largest of the page; rows says how
/// they and the sums so far are to be scaled.
template <class V, int R>
void pageWeights(const AttentionTile &tile, int row, const KeyRange *seen, PageRow *rows,
                 RowTotals<V> &totals) {
  alignas(64) float shrink[V::width] = {}, local[V::width] = {};
  typename V::Type sums[R];
  for (int r = 0; r < R; ++r) {
    float *s = tile.scores + (row + r) * pageKeys;
    sums[r] = V::zero();
    if (seen[r].first >= seen[r].end) {
      for (int i = 0; i < pageKeys; ++i)
        s[i] = 0.0f;
      continue; // both factors will be exp(0)
    }
    const float maximum = V::reduceMax(hideKeys<V>(s, seen[r]));
    sums[r] = weighKeys<V, false>(s, false, maximum, [&](int i, typename V::Type p) QRT_INLINE {
      V::store(s + i, p);
      return p;
    });
    float &base = tile.maximum[row + r];
    const float before = base;
    base = maximum > before ? maximum : before;
    if (base > -__builtin_inff()) {
      shrink[r] = before - base;
      local[r] = maximum - base;
    }
  }
  V::store(shrink, softmaxExp<V>(V::load(shrink)));
  V::store(local, softmaxExp<V>(V::load(local)));
  for (int r = 0; r < R; ++r) {
    rows[r] = {shrink[r], local[r]};
    float *total = totals.of[row + r];
    V::store(total, V::fma(V::load(total), V::set1(shrink[r]), V::mul(sums[r], V::set1(local[r]))));
  }
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ATTENTION_ATTENTIONSOFTMAX_H
