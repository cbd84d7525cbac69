//===- Random.h - Random numbers that are the same everywhere ---------------------------------===//
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011): a bijection of a 128-bit counter under a 64-bit key. The key is the request's seed, the
// counter is {position, stream}, so a draw depends on nothing that happened before it: neither on
// the batch, nor on rolled back tokens, nor on the machine. Thread safety: pure functions.
#ifndef QRT_SAMPLING_RANDOM_H
#define QRT_SAMPLING_RANDOM_H

#include <array>
#include <cstdint>

namespace qrt {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// Uniform in [0, 1), a multiple of 2^-53: the first two words of the block at {position, stream}.
double uniformAt(uint64_t seed, uint64_t position, uint64_t stream);

} // namespace qrt

#endif // QRT_SAMPLING_RANDOM_H
