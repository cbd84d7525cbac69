//===- QuantizeInput.h - f32 activations to integers -------------------------===//
//
// The definition of A16 and A8 (linear.h). Included by every variant, inside an anonymous
// namespace and without library calls, so that each is compiled and vectorized with its own
// flags; it uses only operations with one right answer, so that all give the same bits:
// the largest magnitude is taken on the bit patterns (a NaN then wins), and rounding to nearest
// even is done by adding 1.5 * 2^23.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_LINEAR_QUANTIZEINPUT_H
#define QRT_KERNELS_CPU_LINEAR_QUANTIZEINPUT_H

#include "kernels/cpu/linear/Variants.h"

namespace qrt::kernels {
namespace {

inline constexpr float largestA8 = 127.0f;
/// 127 * 256: the largest value whose high plane fits int8.
inline constexpr float largestA16 = 32512.0f;

/// One block of one token, `count` of `block` values valid.
struct QuantizedBlock {
  alignas(64) int32_t value[channelBlock];
  float scale;
  int32_t sum;
};

inline void quantizeBlock(const float *x, int count, int block, float largest,
                          QuantizedBlock &out) {
  alignas(64) float padded[channelBlock];
  for (int i = 0; i < count; ++i)
    padded[i] = x[i];
  for (int i = count; i < block; ++i)
    padded[i] = 0.0f;
  int32_t top = 0;
  for (int i = 0; i < block; ++i) {
    int32_t bits = __builtin_bit_cast(int32_t, padded[i]) & 0x7fffffff;
    top = bits > top ? bits : top;
  }
  const float magnitude = __builtin_bit_cast(float, top);
  if (!(magnitude <= 3.402823466e38f)) { // an infinity or a NaN makes the whole result NaN
    for (int i = 0; i < block; ++i)
      out.value[i] = 0;
    out.scale = __builtin_nanf("");
    out.sum = 0;
    return;
  }
  // A magnitude so small that its scale is denormal counts as zero.
  out.scale = magnitude / largest;
  const bool zero = out.scale < 0x1p-126f;
  const float inverse = zero ? 0.0f : largest / magnitude;
  out.scale = zero ? 0.0f : out.scale;
  constexpr float magic = 12582912.0f; // 1.5 * 2^23
  constexpr uint32_t magicBits = 0x4b400000;
  // Unsigned, since NaN and infinity give codes of any size, whose sum may wrap.
  uint32_t sum = 0;
  for (int i = 0; i < block; ++i) {
    uint32_t q = __builtin_bit_cast(uint32_t, padded[i] * inverse + magic) - magicBits;
    out.value[i] = static_cast<int32_t>(q);
    sum += q;
  }
  out.sum = static_cast<int32_t>(sum);
}

/// Writes the steps of one block for one token of a tile; `values` points at the token's first word
/// of the block, `stride` is the distance in words from step to step in the form's order.
inline void storePlanes(const QuantizedBlock &q, int block, const InputForm &form, int32_t *values,
                        int64_t stride) {
  alignas(64) int8_t low[channelBlock], high[channelBlock];
  for (int i = 0; i < block; ++i) {
    low[i] = static_cast<int8_t>(q.value[i]);
    high[i] = static_cast<int8_t>((q.value[i] - low[i]) >> 8);
  }
  const int units = block / 4 / form.fields;
  for (int unit = 0; unit < units; ++unit)
    for (int field = 0; field < form.fields; ++field, values += stride) {
      const int k = 4 * (field * units + unit);
      __builtin_memcpy(values + form.words - 1, low + k, 4);
      if (form.words == 2)
        __builtin_memcpy(values, high + k, 4);
    }
}

inline void storePairs(const QuantizedBlock &q, int block, int32_t *values, int64_t stride) {
  for (int step = 0; step < block / 4; ++step) {
    const int32_t *a = q.value + 4 * step;
    values[step * stride] =
        static_cast<int32_t>((a[0] & 0xffff) | static_cast<uint32_t>(a[2]) << 16);
    values[step * stride + 1] =
        static_cast<int32_t>((a[1] & 0xffff) | static_cast<uint32_t>(a[3]) << 16);
  }
}

void quantizeInputGeneric(const QuantizeArgs &args, int64_t begin, int64_t end) {
  const IntegerInput &out = args.out;
  const int64_t stepsPerBlock = args.block / 4;
  const int64_t wordsPerToken = args.blocks * stepsPerBlock * out.form.words;
  const float largest = out.activation == Activation::A8 ? largestA8 : largestA16;
  QuantizedBlock q;
  for (int64_t tile = begin; tile < end; ++tile) {
    int64_t first = tile * out.form.tile;
    int64_t tokens = args.m - first < out.form.tile ? args.m - first : out.form.tile;
    int32_t *values = out.values + first * wordsPerToken;
    for (int64_t token = 0; token < tokens; ++token) {
      const float *x = args.src + (first + token) * args.srcStride;
      for (int64_t block = 0; block < args.blocks; ++block) {
        int64_t left = args.k - block * args.block;
        int count = static_cast<int>(left < args.block ? left : args.block);
        quantizeBlock(x + block * args.block, count, args.block, largest, q);
        out.scales[first * args.blocks + block * tokens + token] = q.scale;
        out.sums[first * args.blocks + block * tokens + token] = q.sum;
        int64_t stride = tokens * out.form.words;
        int32_t *at = values + block * stepsPerBlock * stride + token * out.form.words;
        if (out.form.int16)
          storePairs(q, args.block, at, stride);
        else
          storePlanes(q, args.block, out.form, at, stride);
      }
    }
  }
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_LINEAR_QUANTIZEINPUT_H
