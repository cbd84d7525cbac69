//===- Random.cpp - Philox4x32-10 ------------------------------------------------------------===//
#include "Sampling/Random.h"

#include "Support/DrawMath.h"

namespace qrt {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  uint32_t counter[4] = {c[0], c[1], c[2], c[3]}, key[2] = {k[0], k[1]};
  draw::philox4x32(counter, key);
  return {counter[0], counter[1], counter[2], counter[3]};
}

double uniformAt(uint64_t seed, uint64_t position, uint64_t stream) {
  return double(draw::uniformBits(seed, position, stream)) * 0x1p-53;
}

} // namespace qrt
