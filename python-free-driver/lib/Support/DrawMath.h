//===- DrawMath.h - Arithmetic of a draw, the same on the CPU and on a device ----------------===//
// Plain IEEE operations in f64 and integers, none of them fused, so that every machine computes the
// same bits. Weights are fixed point: their sums are exact and do not depend on an order, so a draw
// is the same whether one thread adds them or ten thousand (compile with contraction off).
// Thread safety: pure functions.
#ifndef QRT_SUPPORT_DRAWMATH_H
#define QRT_SUPPORT_DRAWMATH_H

#include <bit>
#include <cstdint>

namespace qrt::draw {

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011) in place: c = counter, k = key.
constexpr void philox4x32(uint32_t (&c)[4], uint32_t (&k)[2]) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t(0xD2511F53u) * c[0], b = uint64_t(0xCD9E8D57u) * c[2];
    const uint32_t next[4] = {uint32_t(b >> 32) ^ c[1] ^ k[0], uint32_t(b),
                              uint32_t(a >> 32) ^ c[3] ^ k[1], uint32_t(a)};
    for (int i = 0; i < 4; ++i)
      c[i] = next[i];
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
}

/// 53 random bits: those of the block at {position, stream} under the key `seed`.
constexpr uint64_t uniformBits(uint64_t seed, uint64_t position, uint64_t stream) {
  uint32_t counter[4] = {uint32_t(position), uint32_t(position >> 32), uint32_t(stream),
                         uint32_t(stream >> 32)};
  uint32_t key[2] = {uint32_t(seed), uint32_t(seed >> 32)};
  philox4x32(counter, key);
  return (uint64_t(counter[0]) << 32 | counter[1]) >> 11;
}

/// exp(x) for x <= 0, relative error below 3e-16; 0 below -45.
constexpr double expOfNegative(double x) {
  if (!(x >= -45))
    return 0;
  constexpr double log2e = 1.4426950408889634, ln2High = 6.93147180369123816490e-01,
                   ln2Low = 1.90821492927058770002e-10; // ln 2 = high + low, high has 32 bits
  const int64_t n = int64_t(x * log2e - 0.5);           // truncation rounds to nearest for x <= 0
  const double r = (x - double(n) * ln2High) - double(n) * ln2Low;
  // Taylor to r^13 / 13!; |r| <= 0.35 leaves 4e-18.
  const double factorials[] = {479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0, 720.0,
                               120.0,       24.0,       6.0,       2.0,      1.0,     1.0};
  double y = 1.0 / 6227020800.0;
  for (double f : factorials)
    y = y * r + 1.0 / f;
  return y * std::bit_cast<double>(uint64_t(1023 + n) << 52);
}

/// The weight of the largest logit; sums of up to 2^23 weights fit into 64 bits.
inline constexpr double unitWeight = 0x1p40;

/// exp((logit - max) / temperature) as fixed point, rounded to nearest; logit <= max.
constexpr uint64_t weight(float logit, float max, float temperature) {
  const double d = double(logit) - double(max);
  return uint64_t(expOfNegative(d / double(temperature)) * unitWeight + 0.5);
}

/// Is the mass of the likeliest candidates so far still below top-p of the total?
constexpr bool belowTopP(uint64_t mass, uint64_t total, float topP) {
  return double(mass) < double(topP) * double(total);
}
/// Does min-p keep a candidate of this weight?
constexpr bool reachesMinP(uint64_t weight, float minP) {
  return weight > 0 && double(weight) >= double(minP) * unitWeight;
}

/// floor(bits * total / 2^53) for bits below 2^53: below total.
constexpr uint64_t scaled(uint64_t bits, uint64_t total) {
  const uint64_t a = bits << 11; // the high half of a * total
  const uint64_t aLow = uint32_t(a), aHigh = a >> 32, tLow = uint32_t(total), tHigh = total >> 32;
  const uint64_t middle = aHigh * tLow + (aLow * tLow >> 32);
  return aHigh * tHigh + (middle >> 32) + ((aLow * tHigh + uint32_t(middle)) >> 32);
}

/// Candidates in their order: larger logits first, then lower tokens; larger keys come first.
/// Not for NaN.
constexpr uint64_t rankKey(float logit, int32_t token) {
  const uint32_t bits = logit == 0 ? 0 : std::bit_cast<uint32_t>(logit); // -0 as 0
  const uint32_t ordered = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return uint64_t(ordered) << 32 | (0xFFFFFFFFu - uint32_t(token));
}
constexpr int32_t tokenOfKey(uint64_t key) { return int32_t(0xFFFFFFFFu - uint32_t(key)); }

} // namespace qrt::draw

#endif // QRT_SUPPORT_DRAWMATH_H
