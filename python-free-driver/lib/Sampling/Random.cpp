//===- Random.cpp - Philox4x32-10 ------------------------------------------------------------===//
#include "Sampling/Random.h"

namespace qrt {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    uint64_t a = uint64_t(0xD2511F53u) * c[0], b = uint64_t(0xCD9E8D57u) * c[2];
    c = {uint32_t(b >> 32) ^ c[1] ^ k[0], uint32_t(b), uint32_t(a >> 32) ^ c[3] ^ k[1],
         uint32_t(a)};
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
  return c;
}

double uniformAt(uint64_t seed, uint64_t position, uint64_t stream) {
  auto block = philox4x32(
      {uint32_t(position), uint32_t(position >> 32), uint32_t(stream), uint32_t(stream >> 32)},
      {uint32_t(seed), uint32_t(seed >> 32)});
  uint64_t bits = uint64_t(block[0]) << 32 | block[1];
  return double(bits >> 11) * 0x1p-53;
}

} // namespace qrt
