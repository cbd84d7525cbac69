//===- WgmmaTile.h - activations in shared memory as wgmma reads them ---------===//
//
// Operand B of wgmma: a tile of tokens x 64 of k (one unit of WeightOrder.h) in shared memory,
// K-major with the 128-byte swizzle (PTX ISA, "Shared Memory Matrix Layout"): a token is a line of
// 128 bytes, eight lines an atom of 1024 bytes, and 16-byte piece c of line l lies at c ^ (l % 8).
//
// Step s of the unit reads the pieces 2s and 2s + 1; in the fragments of A, lane t has word t of
// both (Fragments.h). By WeightOrder.h its weights are those of words 16 (s / 2) + 4t + 2 (s % 2)
// + r of the row (a word is two k), r = 0, 1 the piece: so within each 64 bytes of a row, the 4 x 4
// words are transposed on their way into the tile.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LAYOUT_WGMMATILE_H
#define QRT_KERNELS_CUDA_LAYOUT_WGMMATILE_H

#include "kernels/cuda/layout/WeightOrder.h"

namespace qrt::cuda {

inline constexpr int wgmmaLineBytes = unitK * 2, wgmmaAtomLines = 8;
inline constexpr int wgmmaAtomBytes = wgmmaLineBytes * wgmmaAtomLines; ///< tiles begin at multiples

/// Where byte `byte` of a token's line lies in the tile.
constexpr int swizzledByte(int token, int byte) {
  return token * wgmmaLineBytes + ((byte / 16 ^ token % wgmmaAtomLines) * 16 + byte % 16);
}
/// The place in its line of word `word` (two k) of a row's unit.
constexpr int wgmmaWordOf(int word) { return word / 16 * 16 + word % 4 * 4 + word % 16 / 4; }
/// Where the 4 bytes of word `word` of a token lie in the tile.
constexpr int wgmmaTokenByte(int token, int word) {
  return swizzledByte(token, 4 * wgmmaWordOf(word));
}

/// Matrix descriptor of a tile: address and distance of atoms in 16 bytes, 128-byte swizzle; the
/// other distance is not used by it. `address`: in the shared window, a multiple of wgmmaAtomBytes.
constexpr uint64_t wgmmaDescriptor(uint32_t address) {
  return (address & 0x3ffffu) >> 4 | uint64_t(1) << 16 | uint64_t(wgmmaAtomBytes / 16) << 32 |
         uint64_t(1) << 62;
}
/// What step `step` adds to it: 16 k are 32 bytes, within the swizzle's period.
constexpr uint64_t wgmmaStepOffset(int step) { return uint64_t(step) * 2; }

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LAYOUT_WGMMATILE_H
