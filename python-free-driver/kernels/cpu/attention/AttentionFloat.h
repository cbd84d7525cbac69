//===- AttentionFloat.h - scores and weighted sums over pages of floats --------===//
//
// Keys are stored transposed: a vector of keys times a broadcast query feature. Key and value
// vectors are loaded, and converted, once per register tile of R rows: the query heads that share a
// kv head share the read. Each element is summed in one order whatever R is.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ATTENTION_ATTENTIONFLOAT_H
#define QRT_KERNELS_CPU_ATTENTION_ATTENTIONFLOAT_H

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
struct KvF16 {
  using Type = uint16_t;
  template <class V>
  static typename V::Type load(const uint16_t *p) {
    return V::loadHalf(p);
  }
};

/// How a row's earlier sums (shrink) and the weights of this page (local) are to be scaled.
struct PageRow {
  float shrink, local;
};

/// Register tiles are functions of their own: inlined, their sums are spilled.
#define QRT_TILE __attribute__((noinline))

inline constexpr int pageKeys = static_cast<int>(kvPageTokens);

/// Memory that will be read next, fetched evenly over the steps of a loop, so that reading never
/// waits for arithmetic: heads of pages are too short for the hardware to notice them.
class Ahead {
public:
  Ahead(const uint8_t *next, int64_t bytes, int64_t steps)
      : next(next), end(next + bytes),
        stride(steps > 0 ? (bytes + 64 * steps - 1) / (64 * steps) * 64 : 0) {}
  template <class V>
  void step() {
    const uint8_t *stop = end - next < stride ? end : next + stride;
    for (; next < stop; next += 64)
      V::prefetch(next);
  }

private:
  const uint8_t *next, *end;
  int64_t stride; ///< bytes per step
};

/// What follows a page in order of use; no bytes: nothing.
using Upcoming = PageHead;

/// scores[r][0..63] of R rows against one key page [headDim][64].
template <class V, class Kv, int R>
QRT_TILE void scorePage(const AttentionTile &tile, const typename Kv::Type *keys, int row,
                        Upcoming upcoming) {
  constexpr int L = R <= 2 || (R <= 4 && V::width == 16) ? 4 : 2; // vectors of keys
  const int64_t dim = tile.headDim;
  Ahead ahead(upcoming.data, upcoming.bytes, pageKeys / (L * V::width) * dim);
  for (int key = 0; key < pageKeys; key += L * V::width) {
    typename V::Type acc[R][L];
    QRT_FOR (r, R)
      QRT_FOR (l, L)
        acc[r][l] = V::zero();
    for (int64_t d = 0; d < dim; ++d) {
      ahead.step<V>();
      typename V::Type k[L];
      QRT_FOR (l, L)
        k[l] = Kv::template load<V>(keys + d * pageKeys + key + l * V::width);
      QRT_FOR (r, R) {
        typename V::Type q = V::set1(tile.q[(row + r) * dim + d]);
        QRT_FOR (l, L)
          acc[r][l] = V::fma(q, k[l], acc[r][l]);
      }
    }
    QRT_FOR (r, R)
      QRT_FOR (l, L)
        V::store(tile.scores + (row + r) * pageKeys + key + l * V::width, acc[r][l]);
  }
}

/// sum[r] += weights[r][first..end) * values[..][valueDim] for R rows.
template <class V, class Kv, int R>
QRT_TILE void addValues(const AttentionTile &tile, const typename Kv::Type *values, int row,
                        int first, int end, Upcoming upcoming) {
  constexpr int L = R <= 2 || (R <= 4 && V::width == 16) ? 4 : 2;
  const int64_t dim = tile.valueDim;
  Ahead ahead(upcoming.data, upcoming.bytes, dim / (L * V::width) * (end - first));
  int64_t d = 0;
  for (; d + L * V::width <= dim; d += L * V::width) {
    typename V::Type acc[R][L];
    QRT_FOR (r, R)
      QRT_FOR (l, L)
        acc[r][l] = V::load(tile.sum + (row + r) * dim + d + l * V::width);
    for (int key = first; key < end; ++key) {
      ahead.step<V>();
      typename V::Type v[L];
      QRT_FOR (l, L)
        v[l] = Kv::template load<V>(values + key * dim + d + l * V::width);
      QRT_FOR (r, R) {
        typename V::Type p = V::set1(tile.scores[(row + r) * pageKeys + key]);
        QRT_FOR (l, L)
          acc[r][l] = V::fma(p, v[l], acc[r][l]);
      }
    }
    QRT_FOR (r, R)
      QRT_FOR (l, L)
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

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ATTENTION_ATTENTIONFLOAT_H
