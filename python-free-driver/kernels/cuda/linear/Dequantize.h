//===- Dequantize.h - codes into fragments of operand A ---------------------------------===//
//
// Dequantizer<format, T>::expand turns a lane's words of one unit (WeightOrder.h) into the A
// registers of four k16 steps, holding q - z exactly (|q - z| <= 256 is exact in f16 and bf16; bf16
// zero points above 127 round). Scales are applied to the sums, by the caller.
//
// The recipes put a code into the low mantissa bits of a magic number, so that (magic | q) is
// magic + q, and subtract magic + z; fields that lie higher give magic + q 2^i, and one fused
// multiply-add by 2^-i subtracts magic 2^-i + z: each step is exact. f16 has ten mantissa bits
// (fields up to bit 9), bf16 seven, so there more shifts are needed. Constants depend on the zero
// point alone, once per group: one set for row p (even registers), one for row p + 8.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_DEQUANTIZE_H
#define QRT_KERNELS_CUDA_LINEAR_DEQUANTIZE_H

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/layout/WeightOrder.h"

namespace qrt::cuda {

/// Both halves of a 32-bit register.
constexpr uint32_t twice(uint32_t bits16) { return bits16 | bits16 << 16; }

/// Arithmetic that the recipes need of a type.
template <class T>
struct Magic;
template <>
struct Magic<F16> {
  static constexpr uint32_t one = 0x3c00, number = 0x6400; ///< 1, 1024
  static constexpr int mantissaBits = 10;
  static constexpr uint32_t powerOfHalf(int i) { return one - (uint32_t(i) << 10); }
  static QRT_DEVICE uint32_t fma(uint32_t a, uint32_t b, uint32_t c) { return fmaF16x2(a, b, c); }
  static QRT_DEVICE uint32_t add(uint32_t a, uint32_t b) { return addF16x2(a, b); }
};
template <>
struct Magic<BF16> {
  static constexpr uint32_t one = 0x3f80, number = 0x4300; ///< 1, 128
  static constexpr int mantissaBits = 7;
  static constexpr uint32_t powerOfHalf(int i) { return one - (uint32_t(i) << 7); }
  static QRT_DEVICE uint32_t fma(uint32_t a, uint32_t b, uint32_t c) { return fmaBf16x2(a, b, c); }
  /// sm_80 has no packed bf16 addition.
  static QRT_DEVICE uint32_t add(uint32_t a, uint32_t b) { return fmaBf16x2(a, twice(one), b); }
};

/// -(2^mantissaBits / 2^shift + zeroPoint), twice: what is added to a field at bit `shift`.
template <class T>
QRT_DEVICE uint32_t fieldOffset(int shift, int zeroPoint) {
  float value =
      -(static_cast<float>((1 << Magic<T>::mantissaBits) >> shift) + static_cast<float>(zeroPoint));
  return T::pack(value, value);
}

/// The field at bit `shift` of both halves of `word`, as values q - z.
template <class T, int bits, int shift>
QRT_DEVICE uint32_t fieldValue(uint32_t word, uint32_t offset) {
  constexpr uint32_t mask = twice(((1u << bits) - 1u) << shift);
  static_assert(shift + bits <= Magic<T>::mantissaBits, "the field must fit the mantissa");
  uint32_t raw = maskOr<mask, twice(Magic<T>::number)>(word);
  if constexpr (shift == 0)
    return Magic<T>::add(raw, offset);
  else
    return Magic<T>::fma(raw, twice(Magic<T>::powerOfHalf(shift)), offset);
}

template <WeightFormat format, class T>
struct Dequantizer;

// ---- 4 bits: nibble 4 half + reg. Row p is always the lower of a byte, row p + 8 the upper.
template <class T>
struct Dequantizer<WeightFormat::U4, T> {
  struct Offsets {
    uint32_t low, high; ///< for row p, row p + 8
  };
  static constexpr int highShift = Magic<T>::mantissaBits >= 8 ? 4 : 0;

  static QRT_DEVICE Offsets offsets(int zeroPoint, int zeroPoint8) {
    return {fieldOffset<T>(0, zeroPoint), fieldOffset<T>(highShift, zeroPoint8)};
  }
  static QRT_DEVICE void expandStep(const uint32_t *words, int step, const Offsets &o,
                                    uint32_t (&a)[4]) {
    const uint32_t w = words[step], next = w >> 8;
    a[0] = fieldValue<T, 4, 0>(w, o.low);
    a[2] = fieldValue<T, 4, 0>(next, o.low);
    if constexpr (highShift == 4) {
      a[1] = fieldValue<T, 4, 4>(w, o.high);
      a[3] = fieldValue<T, 4, 4>(next, o.high);
    } else {
      a[1] = fieldValue<T, 4, 0>(w >> 4, o.high);
      a[3] = fieldValue<T, 4, 0>(w >> 12, o.high);
    }
  }
};

// ---- 8 bits: word 2 step + (reg & 1), byte 2 half + (reg >> 1).
template <>
struct Dequantizer<WeightFormat::U8, F16> {
  struct Offsets {
    uint32_t low, high;
  };
  static QRT_DEVICE Offsets offsets(int zeroPoint, int zeroPoint8) {
    return {fieldOffset<F16>(0, zeroPoint), fieldOffset<F16>(0, zeroPoint8)};
  }
  static QRT_DEVICE void expandStep(const uint32_t *words, int step, const Offsets &o,
                                    uint32_t (&a)[4]) {
    QRT_UNROLL
    for (int row8 = 0; row8 < 2; ++row8) {
      const uint32_t w = words[2 * step + row8], offset = row8 ? o.high : o.low;
      a[row8] = addF16x2(permuteBytes(w, 0x64646464u, 0x5250u), offset);
      a[row8 + 2] = addF16x2(permuteBytes(w, 0x64646464u, 0x5351u), offset);
    }
  }
};
/// bf16 has seven bits behind the magic: 128 + the low seven bits, minus 256 or, where the code's
/// top bit is set, 128, is q - 128.
template <>
struct Dequantizer<WeightFormat::U8, BF16> {
  struct Offsets {
    uint32_t low, high; ///< 128 - z
    bool needed;
  };
  static QRT_DEVICE Offsets offsets(int zeroPoint, int zeroPoint8) {
    const float low = static_cast<float>(128 - zeroPoint);
    const float high = static_cast<float>(128 - zeroPoint8);
    return {packBf16(low, low), packBf16(high, high), zeroPoint != 128 || zeroPoint8 != 128};
  }
  static QRT_DEVICE uint32_t signedValue(uint32_t w) {
    const uint32_t low = maskOr<0x007f007fu, 0x43004300u>(w);
    const uint32_t top = maskXor<0x00800080u, 0xc380c380u>(w); // -256 or -128
    return fmaBf16x2(low, twice(Magic<BF16>::one), top);
  }
  static QRT_DEVICE void expandStep(const uint32_t *words, int step, const Offsets &o,
                                    uint32_t (&a)[4]) {
    QRT_UNROLL
    for (int row8 = 0; row8 < 2; ++row8) {
      const uint32_t w = words[2 * step + row8];
      a[row8] = signedValue(w);
      a[row8 + 2] = signedValue(w >> 8);
      if (o.needed) {
        a[row8] = Magic<BF16>::add(a[row8], row8 ? o.high : o.low);
        a[row8 + 2] = Magic<BF16>::add(a[row8 + 2], row8 ? o.high : o.low);
      }
    }
  }
};

// ---- 2 bits: word step / 2, bits 8 (reg >> 1) + 4 (step & 1) + 2 (reg & 1) of both halves.
template <class T>
struct Dequantizer<WeightFormat::U2, T> {
  /// By position after the shift: f16 fields at 0 .. 6, bf16 at 0, 2, 4.
  static constexpr int positions = Magic<T>::mantissaBits >= 8 ? 4 : 3;
  struct Offsets {
    uint32_t low[positions], high[positions];
  };
  static QRT_DEVICE Offsets offsets(int zeroPoint, int zeroPoint8) {
    Offsets o;
    QRT_UNROLL
    for (int i = 0; i < positions; ++i) {
      o.low[i] = fieldOffset<T>(2 * i, zeroPoint);
      o.high[i] = fieldOffset<T>(2 * i, zeroPoint8);
    }
    return o;
  }
  template <int bit>
  static QRT_DEVICE uint32_t at(uint32_t w, const Offsets &o) {
    constexpr int shift = bit / (2 * positions) * 2 * positions, field = (bit - shift) / 2;
    constexpr bool isHigh = (bit / 2) & 1;
    return fieldValue<T, 2, 2 * field>(shift ? w >> shift : w,
                                       isHigh ? o.high[field] : o.low[field]);
  }
  static QRT_DEVICE void expandStep(const uint32_t *words, int step, const Offsets &o,
                                    uint32_t (&a)[4]) {
    const uint32_t w = words[step / 2];
    if (step & 1) {
      a[0] = at<4>(w, o), a[1] = at<6>(w, o), a[2] = at<12>(w, o), a[3] = at<14>(w, o);
    } else {
      a[0] = at<0>(w, o), a[1] = at<2>(w, o), a[2] = at<8>(w, o), a[3] = at<10>(w, o);
    }
  }
};

// ---- 3 bits: pair j = 4 step + reg in word j / 5, field j % 5; pair 15 in the words' top bits.
template <class T>
struct Dequantizer<WeightFormat::U3, T> {
  static constexpr int positions = Magic<T>::mantissaBits >= 9 ? 3 : 2;
  struct Offsets {
    uint32_t low[positions], high[positions];
  };
  static QRT_DEVICE Offsets offsets(int zeroPoint, int zeroPoint8) {
    Offsets o;
    QRT_UNROLL
    for (int i = 0; i < positions; ++i) {
      o.low[i] = fieldOffset<T>(3 * i, zeroPoint);
      o.high[i] = fieldOffset<T>(3 * i, zeroPoint8);
    }
    return o;
  }
  template <int pair>
  static QRT_DEVICE uint32_t at(const uint32_t *words, const Offsets &o) {
    constexpr bool isHigh = pair & 1;
    if constexpr (pair == splitPair) {
      const uint32_t code = (words[0] >> 15 & 0x00010001u) | (words[1] >> 14 & 0x00020002u) |
                            (words[2] >> 13 & 0x00040004u);
      return fieldValue<T, 3, 0>(code, o.high[0]);
    } else {
      constexpr int bit = pair % 5 * 3, shift = bit / (3 * positions) * 3 * positions;
      constexpr int field = (bit - shift) / 3;
      const uint32_t w = words[pair / 5];
      return fieldValue<T, 3, 3 * field>(shift ? w >> shift : w,
                                         isHigh ? o.high[field] : o.low[field]);
    }
  }
  static QRT_DEVICE void expandStep(const uint32_t *words, int step, const Offsets &o,
                                    uint32_t (&a)[4]) {
    switch (step) {
    case 0:
      a[0] = at<0>(words, o), a[1] = at<1>(words, o), a[2] = at<2>(words, o),
      a[3] = at<3>(words, o);
      break;
    case 1:
      a[0] = at<4>(words, o), a[1] = at<5>(words, o), a[2] = at<6>(words, o),
      a[3] = at<7>(words, o);
      break;
    case 2:
      a[0] = at<8>(words, o), a[1] = at<9>(words, o), a[2] = at<10>(words, o),
      a[3] = at<11>(words, o);
      break;
    default:
      a[0] = at<12>(words, o), a[1] = at<13>(words, o), a[2] = at<14>(words, o),
      a[3] = at<15>(words, o);
    }
  }
};

// ---- 16 bits: the register is the word; another type than the activations' is converted.
template <class Stored, class T>
struct DenseDequantizer {
  struct Offsets {};
  static QRT_DEVICE Offsets offsets(int, int) { return {}; }
  static QRT_DEVICE void expandStep(const uint32_t *words, int step, const Offsets &,
                                    uint32_t (&a)[4]) {
    QRT_UNROLL
    for (int reg = 0; reg < 4; ++reg) {
      const uint32_t w = words[4 * step + reg];
      if constexpr (Stored::type == T::type)
        a[reg] = w;
      else
        a[reg] = T::pack(Stored::widen(static_cast<uint16_t>(w)),
                         Stored::widen(static_cast<uint16_t>(w >> 16)));
    }
  }
};
template <class T>
struct Dequantizer<WeightFormat::F16, T> : DenseDequantizer<F16, T> {};
template <class T>
struct Dequantizer<WeightFormat::BF16, T> : DenseDequantizer<BF16, T> {};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_DEQUANTIZE_H
