//===- Checksum.h - XXH64, streaming ---------------------------------------------------------===//
// The 64-bit xxHash (Yann Collet, specification in the xxHash repository, doc/xxhash_spec.md) with
// seed 0, written from its specification: fast enough to check gigabytes (several bytes per cycle)
// and known to find every accidental change that matters. It is not a signature.
#ifndef QRT_FORMAT_CHECKSUM_H
#define QRT_FORMAT_CHECKSUM_H

#include <cstddef>
#include <cstdint>
#include <span>

namespace qrt {

class Checksum {
public:
  void update(const void *data, size_t size);
  /// The hash of everything so far; more may follow.
  uint64_t digest() const;

  static uint64_t of(std::span<const uint8_t> bytes) {
    Checksum sum;
    sum.update(bytes.data(), bytes.size());
    return sum.digest();
  }

private:
  void consume(const uint8_t *block);

  uint64_t lanes[4] = {0x60ea27eeadc0b5d6, 0xc2b2ae3d27d4eb4f, 0, 0x61c8864e7a143579};
  uint8_t pending[32];
  size_t pendingBytes = 0;
  uint64_t total = 0;
};

} // namespace qrt

#endif // QRT_FORMAT_CHECKSUM_H
