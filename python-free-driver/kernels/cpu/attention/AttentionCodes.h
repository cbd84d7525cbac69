//===- AttentionCodes.h - scores and weighted sums over pages of codes ---------===//
//
// Queries and weights become 16-bit integers, so that codes enter 16-bit dot products as they lie
// in the page (KvCodes.h), without conversion to floats:
//
//   score   scale[j] qs (sum_d q16[d] code[j][d] - zero[j] sum_d q16[d]),  q16 = q / qs,
//           qs = max|q| / 32767 per row and group of features
//   sum     f sum_j w16[j] (code[j][d] - zero[j]),  w16 = 32767 p[j] scale[j] / s, s the largest
//           scale of the page and group, p relative to the page's own largest score
//
// Integer sums are exact: |sum| <= 256 features * 255 * 32767 < 2^31.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ATTENTION_ATTENTIONCODES_H
#define QRT_KERNELS_CPU_ATTENTION_ATTENTIONCODES_H

#include "kernels/cpu/attention/AttentionFloat.h"
#include "kernels/cpu/attention/KvCodes.h"

namespace qrt::kernels {
namespace {

inline constexpr float largestA16Code = 32767.0f;

/// Two neighbouring 16-bit numbers as one word to broadcast.
inline int32_t pairAt(const int16_t *p) {
  int32_t word;
  __builtin_memcpy(&word, p, 4);
  return word;
}

/// Row `row` of q, times the balance of the keys, to integers.
template <class V>
void quantizeQuery(const AttentionTile &tile, int row) {
  const KvCodeLayout &codes = *tile.keyCodes;
  const int64_t width = codes.units * codes.unit;
  int16_t *out = tile.qCodes + row * width;
  const float *q = tile.q + row * codes.dim;
  for (int64_t g = 0; g < codes.groups; ++g) {
    float top = 0.0f;
    bool finite = true;
    alignas(64) float x[256];
    for (int64_t i = 0; i < codes.group; ++i) {
      const int64_t d = g * codes.group + i;
      x[i] = tile.balance ? q[d] * tile.balance[d] : q[d];
      const float magnitude = x[i] < 0.0f ? -x[i] : x[i];
      top = magnitude > top ? magnitude : top;
      finite &= magnitude <= 3.402823466e38f;
    }
    const bool zero = top < 0x1p-100f;
    const float inverse = zero ? 0.0f : largestA16Code / top;
    int32_t sum = 0;
    for (int64_t i = 0; i < codes.group; ++i) {
      constexpr float magic = 12582912.0f; // 1.5 * 2^23: adding it rounds to an integer
      const int32_t code = __builtin_bit_cast(int32_t, x[i] * inverse + magic) - 0x4b400000;
      out[g * codes.group + i] = static_cast<int16_t>(finite ? code : 0);
      sum += finite ? code : 0;
    }
    tile.qScales[row * codes.groups + g] = !finite ? __builtin_nanf("")
                                           : zero  ? 0.0f
                                                   : top / largestA16Code;
    tile.qSums[row * codes.groups + g] = sum;
  }
  for (int64_t d = codes.dim; d < width; ++d)
    out[d] = 0;
}

/// scores[r][0..63] of R rows against one key page.
template <class V, int Bits, int R>
QRT_TILE void scoreCodes(const AttentionTile &tile, const uint8_t *head, int row,
                         Upcoming upcoming) {
  constexpr int L = R <= 2 || (R <= 4 && V::width == 16) ? 4 : 2;
  constexpr int unit = 32 / Bits;
  const KvCodeLayout &codes = *tile.keyCodes;
  const int64_t width = codes.units * unit, groupUnits = (codes.group + unit - 1) / unit;
  const typename V::Int mask = V::set1Int(((1 << Bits) - 1) * 0x10001);
  Ahead ahead(upcoming.data, upcoming.bytes, pageKeys / (L * V::width) * codes.units);
  for (int64_t g = 0; g < codes.groups; ++g) {
    const auto *words = reinterpret_cast<const int32_t *>(head) + g * groupUnits * pageKeys;
    const auto *scales =
        reinterpret_cast<const uint16_t *>(head + codes.scalesOffset) + g * pageKeys;
    const uint8_t *zeros = head + codes.zeroPointsOffset + g * pageKeys;
    const int16_t *q = tile.qCodes + row * width + g * codes.group;
    for (int key = 0; key < pageKeys; key += L * V::width) {
      typename V::Int acc[R][L];
      QRT_FOR (r, R)
        QRT_FOR (l, L)
          acc[r][l] = V::set1Int(Bits == 8 ? -128 * tile.qSums[(row + r) * codes.groups + g] : 0);
      for (int64_t u = 0; u < groupUnits; ++u) {
        ahead.step<V>();
        typename V::Int word[L];
        QRT_FOR (l, L)
          word[l] = V::loadInt(words + u * pageKeys + key + l * V::width);
        QRT_FOR (n, unit / 2) {
          typename V::Int code[L];
          QRT_FOR (l, L)
            code[l] = V::template codes16<Bits>(word[l], n, mask);
          QRT_FOR (r, R) {
            typename V::Int pair = V::set1Int(pairAt(q + r * width + u * unit + 2 * n));
            QRT_FOR (l, L)
              acc[r][l] = V::dot16(acc[r][l], pair, code[l]);
          }
        }
      }
      QRT_FOR (l, L) {
        const int at = key + l * V::width;
        const typename V::Type scale = V::loadHalf(scales + at);
        typename V::Type zero = V::zero();
        if constexpr (Bits != 8)
          zero = V::loadBytes(zeros + at);
        QRT_FOR (r, R) {
          const int64_t entry = (row + r) * codes.groups + g;
          typename V::Type x = V::toFloat(acc[r][l]);
          if constexpr (Bits != 8)
            x = V::sub(x, V::mul(zero, V::set1(static_cast<float>(tile.qSums[entry]))));
          x = V::mul(x, V::mul(scale, V::set1(tile.qScales[entry])));
          float *out = tile.scores + (row + r) * pageKeys + at;
          V::store(out, g == 0 ? x : V::add(x, V::load(out)));
        }
      }
    }
  }
}

/// What the rows of one page share about one group of value features.
struct ValueGroup {
  alignas(64) float scale[pageKeys];  ///< relative to the largest, times 32767; 0 outside
  alignas(64) int16_t zero[pageKeys]; ///< zero points
  float largest;                      ///< / 32767; NaN if a scale is
};

template <class V, int Bits>
void prepareValueGroup(const KvCodeLayout &codes, const uint8_t *head, int64_t g, int first,
                       int end, ValueGroup &out) {
  const auto *scales = reinterpret_cast<const uint16_t *>(head + codes.scalesOffset) + g * pageKeys;
  for (int i = 0; i < pageKeys; i += V::width)
    V::store(out.scale + i, V::loadHalf(scales + i));
  for (int i = 0; i < first; ++i)
    out.scale[i] = 0.0f;
  for (int i = end; i < pageKeys; ++i)
    out.scale[i] = 0.0f;
  typename V::Type top = V::zero(), sum = V::zero();
  for (int i = 0; i < pageKeys; i += V::width) {
    top = V::max(top, V::load(out.scale + i));
    sum = V::add(sum, V::load(out.scale + i));
  }
  const float largest = V::reduceMax(top), total = V::reduceAdd(sum);
  out.largest = total == total ? largest / largestA16Code : total;
  const typename V::Type factor = V::set1(largest > 0.0f ? largestA16Code / largest : 0.0f);
  for (int i = 0; i < pageKeys; i += V::width)
    V::store(out.scale + i, V::mul(factor, V::load(out.scale + i)));
  if constexpr (Bits != 8) {
    const uint8_t *zeros = head + codes.zeroPointsOffset + g * pageKeys;
    for (int i = 0; i < pageKeys; i += V::width)
      V::storeInt16(out.zero + i, V::loadBytes(zeros + i));
  } else {
    for (int i = 0; i < pageKeys; ++i)
      out.zero[i] = 128;
  }
}

/// Weights of a row, which lie in the scores, times the scales of a group; returns minus their
/// products with the zero points.
template <class V>
int32_t roundWeights(const float *p, const ValueGroup &group, int16_t *weights) {
  typename V::Int zeros = V::set1Int(0);
  for (int i = 0; i < pageKeys; i += V::width)
    V::storeInt16(weights + i, V::mul(V::load(p + i), V::load(group.scale + i)));
  for (int i = 0; i < pageKeys; i += 2 * V::width)
    zeros = V::dot16(zeros, V::loadInt(weights + i), V::loadInt(group.zero + i));
  return -V::reduceAddInt(zeros);
}

/// Two vectors of sums of R rows.
template <class V, int R>
struct CodeSums {
  alignas(64) int32_t sum[R][2][V::width];
};

/// The register tile: units [first, end) of the words of two vectors of features.
template <class V, int Bits, int R>
QRT_TILE void sumCodes(const int32_t *words, int64_t rowUnits, int64_t second, int first, int end,
                       const int16_t (*weights)[pageKeys], const int32_t *zeroSums, Ahead &ahead,
                       CodeSums<V, R> &out) {
  constexpr int unit = 32 / Bits;
  const typename V::Int mask = V::set1Int(((1 << Bits) - 1) * 0x10001);
  typename V::Int acc[R][2];
  QRT_FOR (r, R)
    QRT_FOR (l, 2)
      acc[r][l] = V::set1Int(zeroSums[r]);
  Ahead next = ahead;
  for (int u = first; u < end; ++u) {
    next.step<V>();
    const typename V::Int word[2] = {V::loadInt(words + u * rowUnits),
                                     V::loadInt(words + u * rowUnits + second)};
    QRT_FOR (n, unit / 2) {
      typename V::Int code[2];
      QRT_FOR (l, 2)
        code[l] = V::template codes16<Bits>(word[l], n, mask);
      QRT_FOR (r, R) {
        const typename V::Int pair = V::set1Int(pairAt(weights[r] + u * unit + 2 * n));
        QRT_FOR (l, 2)
          acc[r][l] = V::dot16(acc[r][l], pair, code[l]);
      }
    }
  }
  QRT_FOR (r, R)
    QRT_FOR (l, 2)
      V::storeInt(out.sum[r][l], acc[r][l]);
  ahead = next;
}

/// sum[r] = shrink[r] sum[r] + local[r] weights[r][..] values for R rows.
template <class V, int Bits, int R>
void addCodes(const AttentionTile &tile, const uint8_t *head, int row, int first, int end,
              const PageRow *rows, Upcoming upcoming) {
  constexpr int unit = 32 / Bits;
  const KvCodeLayout &codes = *tile.valueCodes;
  const int firstUnit = first / unit, endUnit = (end + unit - 1) / unit;
  const int64_t tiles = codes.groups * ((codes.group + 2 * V::width - 1) / (2 * V::width));
  Ahead ahead(upcoming.data, upcoming.bytes, tiles * (endUnit - firstUnit));
  alignas(64) int16_t weights[R][pageKeys];
  int32_t zeroSums[R];
  ValueGroup group;
  CodeSums<V, R> sums;
  for (int64_t g = 0; g < codes.groups; ++g) {
    prepareValueGroup<V, Bits>(codes, head, g, first, end, group);
    for (int r = 0; r < R; ++r)
      zeroSums[r] = roundWeights<V>(tile.scores + (row + r) * pageKeys, group, weights[r]);
    const int64_t endDim = (g + 1) * codes.group;
    for (int64_t d = g * codes.group; d < endDim; d += 2 * V::width) {
      // Lanes behind a group that is narrower are computed on its padding and not kept.
      const int64_t second = d + V::width < endDim ? V::width : 0;
      sumCodes<V, Bits, R>(reinterpret_cast<const int32_t *>(head) + d, codes.rowUnits, second,
                           firstUnit, endUnit, weights, zeroSums, ahead, sums);
      for (int r = 0; r < R; ++r) {
        const typename V::Type shrink = V::set1(rows[r].shrink),
                               factor = V::set1(rows[r].local * group.largest);
        for (int l = 0; l < 2; ++l) {
          const int64_t at = d + l * V::width;
          if (at >= endDim)
            break;
          float *out = tile.sum + (row + r) * codes.dim + at;
          const typename V::Type x = V::mul(V::toFloat(V::loadInt(sums.sum[r][l])), factor);
          if (at + V::width <= endDim)
            V::store(out, V::fma(V::load(out), shrink, x));
          else
            storePart<V>(out, V::fma(loadPart<V>(out, endDim - at), shrink, x), endDim - at);
        }
      }
    }
  }
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ATTENTION_ATTENTIONCODES_H
