//===- Checksum.cpp - XXH64, streaming -------------------------------------------------------===//
#include "Format/Checksum.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace qrt {

static_assert(std::endian::native == std::endian::little, ".qmod files are little endian");

static constexpr uint64_t prime1 = 0x9e3779b185ebca87, prime2 = 0xc2b2ae3d27d4eb4f,
                          prime3 = 0x165667b19e3779f9, prime4 = 0x85ebca77c2b2ae63,
                          prime5 = 0x27d4eb2f165667c5;

template <class T>
static T load(const uint8_t *from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

static uint64_t mixLane(uint64_t lane, uint64_t input) {
  return std::rotl(lane + input * prime2, 31) * prime1;
}

void Checksum::consume(const uint8_t *block) {
  for (int i = 0; i < 4; ++i)
    lanes[i] = mixLane(lanes[i], load<uint64_t>(block + 8 * i));
}

void Checksum::update(const void *data, size_t size) {
  const uint8_t *from = static_cast<const uint8_t *>(data);
  total += size;
  if (pendingBytes > 0) {
    size_t part = std::min(size, sizeof pending - pendingBytes);
    std::memcpy(pending + pendingBytes, from, part);
    pendingBytes += part;
    from += part;
    size -= part;
    if (pendingBytes < sizeof pending)
      return;
    consume(pending);
    pendingBytes = 0;
  }
  for (; size >= 32; from += 32, size -= 32)
    consume(from);
  if (size > 0)
    std::memcpy(pending, from, size);
  pendingBytes = size;
}

uint64_t Checksum::digest() const {
  uint64_t hash = prime5;
  if (total >= 32) {
    hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) +
           std::rotl(lanes[3], 18);
    for (uint64_t lane : lanes)
      hash = (hash ^ mixLane(0, lane)) * prime1 + prime4;
  }
  hash += total;
  size_t at = 0;
  for (; at + 8 <= pendingBytes; at += 8)
    hash = std::rotl(hash ^ mixLane(0, load<uint64_t>(pending + at)), 27) * prime1 + prime4;
  if (at + 4 <= pendingBytes) {
    hash = std::rotl(hash ^ load<uint32_t>(pending + at) * prime1, 23) * prime2 + prime3;
    at += 4;
  }
  for (; at < pendingBytes; ++at)
    hash = std::rotl(hash ^ pending[at] * prime5, 11) * prime1;
  hash = (hash ^ (hash >> 33)) * prime2;
  hash = (hash ^ (hash >> 29)) * prime3;
  return hash ^ (hash >> 32);
}

} // namespace qrt
