//===- Dequantize.h - codes into fragments of operand A ---------------------------------===//
//
// CodeFields<format, T>::expandStep takes a lane's words of one unit (WeightOrder.h) apart into the
// A registers of a k16 step. What becomes of a field is the affair of the Values it is given:
//
//   ExactCodes  q - z (|q - z| <= 256 is exact in f16 and bf16; bf16 zero points above 127 round)
//   RawCodes    a number that is linear in q, by one instruction: the caller corrects the sums
//
// ExactCodes puts a code into the low mantissa bits of a magic number, so that (magic | q) is magic
// + q, and subtracts magic + z; fields that lie at bit i give magic + q 2^i, and one fused
// multiply-add by 2^-i subtracts magic 2^-i + z: each step is exact. f16 has ten mantissa bits
// (fields up to bit 9), bf16 seven, so there more shifts are needed.
//
// RawCodes leaves out the arithmetic. In f16 a masked field *is* the subnormal number q 2^(i - 24),
// which tensor cores multiply exactly (Fasi et al., "Numerical behavior of NVIDIA tensor cores",
// PeerJ CS 2021, section 4.1); in bf16, whose subnormal products would leave the range of f32, it
// is magic + q 2^i. Either way
//
//   sum (q - z) a = factor * sum raw a - (z + bias) * sum a
//
// with one factor and bias per row, since the fields of row p, and those of row p + 8, lie at one
// place each. Scales are applied to the sums in both cases.
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

/// The bits of a field of `bits` bits at `shift` of both halves.
constexpr uint32_t fieldMask(int bits, int shift) { return twice(((1u << bits) - 1u) << shift); }

// ---- Where the fields of a step lie: expandStep gives a[0], a[2] = low(word), a[1], a[3] =
// high(word) of words whose fields of row p lie at lowShift, of row p + 8 at highShift.
template <WeightFormat format, class T>
struct CodeFields;

/// Nibble 4 half + reg: row p is always the lower of a byte, row p + 8 the upper.
template <class T>
struct CodeFields<WeightFormat::U4, T> {
  static constexpr int lowShift = 0, highShift = Magic<T>::mantissaBits >= 8 ? 4 : 0;
  template <class Values>
  static QRT_DEVICE void expandStep(const uint32_t *words, int step, const Values &v,
                                    uint32_t (&a)[4]) {
    const uint32_t w = words[step];
    a[0] = v.low(w);
    a[1] = v.high(w >> (4 - highShift));
    a[2] = v.low(w >> 8);
    a[3] = v.high(w >> (12 - highShift));
  }
};

/// Word step / 2, bits 8 (reg >> 1) + 4 (step & 1) + 2 (reg & 1).
template <class T>
struct CodeFields<WeightFormat::U2, T> {
  static constexpr int lowShift = 0, highShift = 2;
  template <class Values>
  static QRT_DEVICE void expandStep(const uint32_t *words, int step, const Values &v,
                                    uint32_t (&a)[4]) {
    const uint32_t w = words[step / 2] >> (step % 2 * 4),
                   next = words[step / 2] >> (step % 2 * 4 + 8);
    a[0] = v.low(w);
    a[1] = v.high(w);
    a[2] = v.low(next);
    a[3] = v.high(next);
  }
};

/// Steps 0 to 2: word step, bits 3 reg. The last one is what these leave: bits 12 to 15.
template <class T>
struct CodeFields<WeightFormat::U3, T> {
  static constexpr int lowShift = 0, highShift = 3;
  template <class Values>
  static QRT_DEVICE void expandStep(const uint32_t *words, int step, const Values &v,
                                    uint32_t (&a)[4]) {
    if (step < 3) {
      const uint32_t w = words[step], next = w >> 6;
      a[0] = v.low(w);
      a[1] = v.high(w);
      a[2] = v.low(next);
      a[3] = v.high(next);
      return;
    }
    const uint32_t first = words[0] >> 12, second = words[1] >> 12;
    a[0] = v.low(first);
    a[2] = v.low(second);
    a[1] = v.high(words[2] >> 9);
    a[3] = v.high((first & 0x00080008u) | (second & 0x00080008u) << 1 |
                  (words[2] >> 10 & 0x00200020u));
  }
};

/// Word 2 step + (reg & 1), byte 2 half + (reg >> 1).
template <class T>
struct CodeFields<WeightFormat::U8, T> {
  static constexpr int lowShift = 0, highShift = 0;
  template <class Values>
  static QRT_DEVICE void expandStep(const uint32_t *words, int step, const Values &v,
                                    uint32_t (&a)[4]) {
    a[0] = v.template bytes<false>(words[2 * step], false);
    a[1] = v.template bytes<false>(words[2 * step + 1], true);
    a[2] = v.template bytes<true>(words[2 * step], false);
    a[3] = v.template bytes<true>(words[2 * step + 1], true);
  }
};

/// Bytes 0 and 2 (odd: 1 and 3) of a word in the halves of a register, below the upper bytes of
/// `above`.
template <bool odd>
QRT_DEVICE uint32_t bytesBelow(uint32_t w, uint32_t above) {
  return permuteBytes(w, above, odd ? 0x5351u : 0x5250u);
}

/// bf16 has seven bits behind the magic: 128 + the low seven bits, minus 256 or, where the code's
/// top bit is set, 128, is q - 128.
template <bool odd>
QRT_DEVICE uint32_t signedBytesBf16(uint32_t w) {
  if constexpr (odd)
    w >>= 8;
  const uint32_t low = maskOr<0x007f007fu, 0x43004300u>(w);
  const uint32_t top = maskXor<0x00800080u, 0xc380c380u>(w); // -256 or -128
  return fmaBf16x2(low, twice(Magic<BF16>::one), top);
}

// ---- What becomes of a field.
template <WeightFormat format, class T>
struct RawCodes {
  static constexpr int bits = laneWords(format);
  static constexpr int lowShift = CodeFields<format, T>::lowShift,
                       highShift = CodeFields<format, T>::highShift;
  static constexpr bool subnormal = T::type == DType::F16;

  static constexpr float factor(int shift) {
    return subnormal ? float(1 << (24 - shift)) : 1.0f / float(1 << shift);
  }
  static constexpr float bias(int shift) {
    if (!subnormal && bits == 8)
      return -128.0f; // signedBytesBf16
    return subnormal ? 0.0f : float(1 << Magic<T>::mantissaBits) / float(1 << shift);
  }
  static constexpr float lowFactor = factor(lowShift), highFactor = factor(highShift);
  static constexpr float lowBias = bias(lowShift), highBias = bias(highShift);

  template <int shift>
  static QRT_DEVICE uint32_t field(uint32_t w) {
    static_assert(shift + bits <= Magic<T>::mantissaBits, "the field must fit the mantissa");
    if constexpr (subnormal)
      return w & fieldMask(bits, shift);
    else
      return maskOr<fieldMask(bits, shift), twice(Magic<T>::number)>(w);
  }
  QRT_DEVICE uint32_t low(uint32_t w) const { return field<lowShift>(w); }
  QRT_DEVICE uint32_t high(uint32_t w) const { return field<highShift>(w); }
  template <bool odd>
  QRT_DEVICE uint32_t bytes(uint32_t w, bool) const {
    if constexpr (subnormal)
      return bytesBelow<odd>(w, 0);
    else
      return signedBytesBf16<odd>(w);
  }
};

template <WeightFormat format, class T>
struct ExactCodes {
  static constexpr int bits = laneWords(format);
  static constexpr int lowShift = CodeFields<format, T>::lowShift,
                       highShift = CodeFields<format, T>::highShift;
  static constexpr bool signedBytes = bits == 8 && T::type == DType::BF16;
  uint32_t lowOffset, highOffset; ///< what is added to a field of row p, row p + 8
  bool needed;                    ///< signedBytes: some zero point is not 128

  /// -(magic / 2^shift + zeroPoint), twice; signedBytes: 128 - zeroPoint.
  static QRT_DEVICE uint32_t offset(int shift, int zeroPoint) {
    const float magic =
        signedBytes ? -128.0f : static_cast<float>((1 << Magic<T>::mantissaBits) >> shift);
    const float value = -(magic + static_cast<float>(zeroPoint));
    return T::pack(value, value);
  }
  ExactCodes() = default;
  QRT_DEVICE ExactCodes(int zeroPoint, int zeroPoint8)
      : lowOffset(offset(lowShift, zeroPoint)), highOffset(offset(highShift, zeroPoint8)),
        needed(zeroPoint != 128 || zeroPoint8 != 128) {}

  template <int shift>
  static QRT_DEVICE uint32_t field(uint32_t w, uint32_t offset) {
    static_assert(shift + bits <= Magic<T>::mantissaBits, "the field must fit the mantissa");
    const uint32_t raw = maskOr<fieldMask(bits, shift), twice(Magic<T>::number)>(w);
    if constexpr (shift == 0)
      return Magic<T>::add(raw, offset);
    else
      return Magic<T>::fma(raw, twice(Magic<T>::powerOfHalf(shift)), offset);
  }
  QRT_DEVICE uint32_t low(uint32_t w) const { return field<lowShift>(w, lowOffset); }
  QRT_DEVICE uint32_t high(uint32_t w) const { return field<highShift>(w, highOffset); }
  template <bool odd>
  QRT_DEVICE uint32_t bytes(uint32_t w, bool isHigh) const {
    const uint32_t offset = isHigh ? highOffset : lowOffset;
    if constexpr (!signedBytes)
      return Magic<T>::add(bytesBelow<odd>(w, twice(Magic<T>::number)), offset);
    const uint32_t value = signedBytesBf16<odd>(w);
    return needed ? Magic<T>::add(value, offset) : value;
  }
};

// ---- 16 bits: the register is the word; another type than the activations' is converted.
template <class Stored, class T>
struct DenseFields {
  template <class Values>
  static QRT_DEVICE void expandStep(const uint32_t *words, int step, const Values &,
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
struct CodeFields<WeightFormat::F16, T> : DenseFields<F16, T> {};
template <class T>
struct CodeFields<WeightFormat::BF16, T> : DenseFields<BF16, T> {};

struct DenseValues {};
template <class T>
struct RawCodes<WeightFormat::F16, T> : DenseValues {};
template <class T>
struct RawCodes<WeightFormat::BF16, T> : DenseValues {};
template <class T>
struct ExactCodes<WeightFormat::F16, T> : DenseValues {};
template <class T>
struct ExactCodes<WeightFormat::BF16, T> : DenseValues {};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_DEQUANTIZE_H
