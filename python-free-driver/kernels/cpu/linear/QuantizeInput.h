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

/// One block of one token.
template <int Block>
struct QuantizedBlock {
  alignas(64) int32_t value[Block];
  float scale;
  int32_t sum;
};

/// The block, its values from `count` on as zeros; `padded` is room for that. Every loop here has a
/// constant length, so that the compiler vectorizes it whole.
template <int Block>
inline const float *padBlock(const float *x, int count, float *padded) {
  if (count == Block)
    return x;
  for (int i = 0; i < Block; ++i)
    padded[i] = i < count ? x[i] : 0.0f;
  return padded;
}

/// The largest magnitude; a NaN or an infinity if there is one.
template <int Block>
inline float largestMagnitude(const float *x) {
  int32_t top = 0;
  for (int i = 0; i < Block; ++i) {
    int32_t bits = __builtin_bit_cast(int32_t, x[i]) & 0x7fffffff;
    top = bits > top ? bits : top;
  }
  return __builtin_bit_cast(float, top);
}

/// x times `inverse`, with Clamp at most +-largestA8, to integers.
template <int Block, bool Clamp>
inline void roundBlock(const float *x, float inverse, QuantizedBlock<Block> &out) {
  constexpr float magic = 12582912.0f; // 1.5 * 2^23
  constexpr uint32_t magicBits = 0x4b400000;
  uint32_t sum = 0;
  for (int i = 0; i < Block; ++i) {
    float scaled = x[i] * inverse;
    if (Clamp) {
      scaled = scaled > largestA8 ? largestA8 : scaled;
      scaled = scaled < -largestA8 ? -largestA8 : scaled;
    }
    uint32_t q = __builtin_bit_cast(uint32_t, scaled + magic) - magicBits;
    out.value[i] = static_cast<int32_t>(q);
    sum += q;
  }
  out.sum = static_cast<int32_t>(sum);
}

/// Scales by the block's largest magnitude, which becomes `largest`, or by staticScale if that is
/// not 0; then what it does not reach is clamped.
template <int Block>
inline void quantizeBlock(const float *x, int count, float largest, float staticScale,
                          QuantizedBlock<Block> &out) {
  alignas(64) float padded[Block];
  x = padBlock<Block>(x, count, padded);
  const float magnitude = largestMagnitude<Block>(x);
  if (!(magnitude <= 3.402823466e38f)) { // an infinity or a NaN makes the whole result NaN
    for (int i = 0; i < Block; ++i)
      out.value[i] = 0;
    out.scale = __builtin_nanf("");
    out.sum = 0;
    return;
  }
  if (staticScale != 0.0f) {
    out.scale = staticScale;
    return roundBlock<Block, true>(x, 1.0f / staticScale, out);
  }
  // A magnitude so small that its scale is denormal counts as zero.
  out.scale = magnitude / largest;
  const bool zero = out.scale < 0x1p-126f;
  const float inverse = zero ? 0.0f : largest / magnitude;
  out.scale = zero ? 0.0f : out.scale;
  roundBlock<Block, false>(x, inverse, out);
}

/// Writes the steps of one block for one token of a tile; `values` points at the token's first word
/// of the block, `stride` is the distance in words from step to step in the form's order.
template <int Block, int Words, int Fields>
inline void storePlanes(const QuantizedBlock<Block> &q, int32_t *values, int64_t stride) {
  alignas(64) int8_t low[Block], high[Block];
  for (int i = 0; i < Block; ++i)
    low[i] = static_cast<int8_t>(q.value[i]);
  if constexpr (Words == 2)
    for (int i = 0; i < Block; ++i)
      high[i] = static_cast<int8_t>((q.value[i] - low[i]) >> 8);
  constexpr int units = Block / 4 / Fields;
  for (int unit = 0; unit < units; ++unit)
    for (int field = 0; field < Fields; ++field, values += stride) {
      const int k = 4 * (field * units + unit);
      __builtin_memcpy(values + Words - 1, low + k, 4);
      if constexpr (Words == 2)
        __builtin_memcpy(values, high + k, 4);
    }
}

template <int Block>
inline void storePairs(const QuantizedBlock<Block> &q, int32_t *values, int64_t stride) {
  for (int step = 0; step < Block / 4; ++step, values += stride) {
    const int32_t *a = q.value + 4 * step;
    values[0] = static_cast<int32_t>((a[0] & 0xffff) | static_cast<uint32_t>(a[2]) << 16);
    values[1] = static_cast<int32_t>((a[1] & 0xffff) | static_cast<uint32_t>(a[3]) << 16);
  }
}

/// Blocks [begin, end) of all tiles, tile by tile and in each token by token, which reads the input
/// in its order; Fields is 0 for pairs of int16.
template <int Block, int Words, int Fields>
void quantizeTiles(const QuantizeArgs &args, int64_t begin, int64_t end) {
  const IntegerInput out = args.out;
  const int64_t wordsPerToken = args.blocks * (Block / 4) * Words, tile = out.form.tile;
  const float largest = out.activation == Activation::A8 ? largestA8 : largestA16;
  QuantizedBlock<Block> q;
  for (int64_t item = begin; item < end;) {
    const int64_t first = item / args.blocks * tile, firstBlock = item % args.blocks;
    const int64_t left = args.blocks - firstBlock, count = end - item < left ? end - item : left;
    const int64_t tokens = args.m - first < tile ? args.m - first : tile;
    const int64_t stride = tokens * Words;
    for (int64_t token = 0; token < tokens; ++token)
      for (int64_t block = firstBlock; block < firstBlock + count; ++block) {
        const float *x = args.src + (first + token) * args.srcStride + block * Block;
        const int64_t rest = args.k - block * Block, at = first * args.blocks + block * tokens;
        quantizeBlock<Block>(x, static_cast<int>(rest < Block ? rest : Block), largest,
                             args.staticScales ? args.staticScales[block] : 0.0f, q);
        out.scales[at + token] = q.scale;
        out.sums[at + token] = args.sumFactor * q.sum;
        int32_t *values =
            out.values + first * wordsPerToken + block * (Block / 4) * stride + token * Words;
        if constexpr (Fields == 0)
          storePairs<Block>(q, values, stride);
        else
          storePlanes<Block, Words, Fields>(q, values, stride);
      }
    item += count;
  }
}

template <int Block>
void quantizeForm(const QuantizeArgs &args, int64_t begin, int64_t end) {
  const InputForm &form = args.out.form;
  auto planes = [&]<int Fields>() {
    if (form.words == 1)
      quantizeTiles<Block, 1, Fields>(args, begin, end);
    else
      quantizeTiles<Block, 2, Fields>(args, begin, end);
  };
  if (form.int16)
    quantizeTiles<Block, 2, 0>(args, begin, end);
  else if (form.fields == 1)
    planes.template operator()<1>();
  else if (form.fields == 2)
    planes.template operator()<2>();
  else if (form.fields == 4)
    planes.template operator()<4>();
  else
    planes.template operator()<8>();
}

void quantizeInputGeneric(const QuantizeArgs &args, int64_t begin, int64_t end) {
  if (args.block == 128)
    quantizeForm<128>(args, begin, end);
  else if (args.block == 64)
    quantizeForm<64>(args, begin, end);
  else
    quantizeForm<32>(args, begin, end);
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_LINEAR_QUANTIZEINPUT_H
