//===- WgmmaTokens.h - activations into the tiles of WgmmaLinear ------------------------------===//
//
// Writes the rows of a product as WgmmaLinear's tiles lie in shared memory (WgmmaTile.h), so that
// it fetches each with one bulk copy: [token tile][unit][tile]. Rows beyond the last and k beyond
// the last are zeros. A thread moves half a line: 32 k of one row, four pieces of four words, which
// it transposes.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_WGMMATOKENS_H
#define QRT_KERNELS_CUDA_LINEAR_WGMMATOKENS_H

#include "kernels/cuda/device/Simt.h"
#include "kernels/cuda/layout/WgmmaTile.h"
#include "kernels/cuda/linear/LinearPlan.h"

namespace qrt::cuda {

struct WgmmaTokensParams {
  Matrix src; ///< [rows, k] of 16 bits, rows at multiples of 16 bytes
  int64_t rows = 0, k = 0;
  int32_t tokens = 0, tokenBlocks = 0, units = 0; ///< of a tile; tiles; units of k
  void *tiles = nullptr; ///< WgmmaPlan::tokenBytes(), at a multiple of 16 bytes
};

struct WgmmaTokens {
  using Params = WgmmaTokensParams;
  static constexpr int threads = 256, minBlocks = 1;
  static constexpr int halfK = unitK / 2, pieceK = 8;

  static QRT_DEVICE void run(const Params &p) {
    const int halves = 2 * p.units;
    const int64_t at = int64_t(blockIndex().x) * threads + threadIndex();
    const int64_t row = at / halves;
    if (row >= int64_t(p.tokenBlocks) * p.tokens)
      return;
    const int half = int(at % halves);
    uint32_t words[4][4]; // [piece][word]
    const auto *from = static_cast<const uint16_t *>(p.src.data) + row * p.src.stride;
    QRT_UNROLL
    for (int piece = 0; piece < 4; ++piece)
      load(from, half * halfK + piece * pieceK, row < p.rows ? p.k : 0, words[piece]);
    const int token = int(row % p.tokens);
    auto *tile = static_cast<uint8_t *>(p.tiles) +
                 (row / p.tokens * p.units + half / 2) * int64_t(p.tokens) * wgmmaLineBytes;
    QRT_UNROLL
    for (int piece = 0; piece < 4; ++piece)
      storeGlobal(
          reinterpret_cast<Words4 *>(tile + swizzledByte(token, half % 2 * 64 + piece * 16)),
          Words4{{words[0][piece], words[1][piece], words[2][piece], words[3][piece]}});
  }

private:
  /// Eight elements from k on; those at `end` and beyond are zeros.
  static QRT_DEVICE void load(const uint16_t *from, int64_t k, int64_t end, uint32_t (&to)[4]) {
    if (k + pieceK <= end) {
      const Words4 w = loadGlobal(reinterpret_cast<const Words4 *>(from + k));
      QRT_UNROLL
      for (int i = 0; i < 4; ++i)
        to[i] = w.w[i];
      return;
    }
    QRT_UNROLL
    for (int i = 0; i < 4; ++i) {
      const uint32_t low = k + 2 * i < end ? loadGlobal(from + k + 2 * i) : 0u;
      const uint32_t high = k + 2 * i + 1 < end ? loadGlobal(from + k + 2 * i + 1) : 0u;
      to[i] = low | high << 16;
    }
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_WGMMATOKENS_H
