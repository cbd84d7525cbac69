//===- KvStage.h - sixteen keys or values of a head on their way to a warp --------------------===//
//
// A warp of the decode attention owns its stages: it starts their copies, waits for them and opens
// them alone, without a barrier of the block. A stage holds sixteen consecutive rows of one block
// of the cache: f16 and bf16 as a tile whose rows are padded (flashStride), codes as they lie in
// the cache, with their scales and zero points behind them; open() makes an f16 tile of those.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_KVSTAGE_H
#define QRT_KERNELS_CUDA_ATTENTION_KVSTAGE_H

#include "kernels/cuda/attention/KvTile.h"

namespace qrt::cuda {

inline constexpr int stageKeys = 16;

/// Which keys of a stage are read from a precise block instead.
struct NoPrecise {
  static constexpr bool any = false;
};
struct PreciseRows {
  static constexpr bool any = true;
  const uint8_t *rows;  ///< f16, of the head, from the first key of the stage on
  PreciseTokens tokens; ///< counted from that key
};

/// The keys (or values) of one head in every block. `dim`: columns of the tile, a power of two.
template <int dim, DType type>
struct KvStage {
  static constexpr bool coded = type == DType::I8 || type == DType::I4;
  static constexpr int stride = flashStride(dim), tileBytes = stageKeys * stride * 2;
  static constexpr int groupShift = type == DType::I4 ? 5 : 7; ///< of the preferred group
  static constexpr int codeBytes = stageKeys * (type == DType::I4 ? dim / 2 : dim);
  static constexpr int maxGroups = dim >> groupShift > 1 ? dim >> groupShift : 1;
  static constexpr int scaleBytes = stageKeys * maxGroups * 2;
  static constexpr int bytes =
      coded ? codeBytes + scaleBytes + (type == DType::I4 ? stageKeys * maxGroups : 0) : tileBytes;
  static constexpr int pieces = stageKeys * dim / 8 / warpLanes; ///< of eight columns, of a lane
  static_assert(bytes % 16 == 0 && maxGroups <= 8);

  int width;  ///< columns that there are, a multiple of 8
  int rowsAt; ///< from the start of a block of the cache
  int scalesAt, zerosAt;

  /// In the cache; scales of a row.
  QRT_DEVICE int rowBytes() const {
    return type == DType::I4 ? width / 2 : type == DType::I8 ? width : 2 * width;
  }
  QRT_DEVICE int groups() const {
    return maxGroups > 1 && width % (1 << groupShift) == 0 ? width >> groupShift : 1;
  }

  QRT_DEVICE KvStage(const AttentionParams &p, int head, bool isKey) {
    width = int(isKey ? p.headDim : p.valueDim);
    const int heads = int(p.kvHeads);
    const auto offset = int(isKey ? p.kv.keyOffset : p.kv.valueOffset);
    rowsAt = offset + head * kvBlockTokens * rowBytes();
    scalesAt = offset + heads * kvBlockTokens * rowBytes() + head * kvBlockTokens * groups() * 2;
    zerosAt = offset + heads * kvBlockTokens * (rowBytes() + groups() * 2) +
              head * kvBlockTokens * groups();
  }

  /// Starts the copies of tokens `token` .. `token` + 15 of a block, `valid` of which exist; commit
  /// is the caller's.
  QRT_DEVICE void fetch(uint8_t *stage, const uint8_t *block, int token, int valid) const {
    const int lane = laneIndex();
    const uint8_t *from = block + rowsAt + token * rowBytes();
    if constexpr (!coded) {
      if (width == dim) { // sixteen rows lie as they are numbered
        uint8_t *to = stage + (lane / (dim / 8) * stride + lane % (dim / 8) * 8) * 2;
        from += lane * 16;
        QRT_UNROLL
        for (int i = 0; i < pieces; ++i) {
          constexpr int rows = warpLanes * 8 / dim; ///< of a round; dim 256: one
          const bool inside = lane / (dim / 8) + i * rows < valid;
          copyAsync16(to + i * rows * stride * 2, from + i * warpLanes * 16, inside ? 16 : 0);
        }
        return;
      }
      QRT_NO_UNROLL
      for (int i = 0; i < pieces; ++i) {
        const int index = lane + i * warpLanes;
        const int key = index / (dim / 8), column = index % (dim / 8) * 8;
        const bool inside = key < valid && column < width;
        copyAsync16(stage + (key * stride + column) * 2,
                    inside ? from + key * rowBytes() + column * 2 : block, inside ? 16 : 0);
      }
    } else {
      QRT_UNROLL
      for (int i = 0; i < (codeBytes / 16 + warpLanes - 1) / warpLanes; ++i) {
        const int piece = lane + i * warpLanes;
        if (piece < rowBytes()) // sixteen rows
          copyAsync16(stage + piece * 16, from + piece * 16);
      }
      if (lane < 2 * groups())
        copyAsync16(stage + codeBytes + lane * 16,
                    block + scalesAt + token * groups() * 2 + lane * 16);
      if (type == DType::I4 && lane >= 16 && lane < 16 + groups())
        copyAsync16(stage + codeBytes + scaleBytes + (lane - 16) * 16,
                    block + zerosAt + token * groups() + (lane - 16) * 16);
    }
  }

  /// What this lane waited for becomes, for the warp, an f16 tile of `valid` rows and zeros:
  /// `tile`, or the stage itself where it holds no codes. `fresh`: null, or the row behind them
  /// (FreshRow.h). All lanes together.
  template <class Precise>
  QRT_DEVICE const uint16_t *open(uint8_t *stage, uint16_t *tile, int valid, const uint16_t *fresh,
                                  bool &overflow, const Precise &precise) const {
    const int lane = laneIndex();
    if constexpr (coded)
      syncWarp(); // the copies of all lanes
    QRT_UNROLL
    for (int i = 0; i < (type == DType::F16 ? 0 : pieces); ++i) {
      const int index = lane + i * warpLanes;
      const int key = index / (dim / 8), column = index % (dim / 8) * 8;
      const bool inside = key < valid && column < width;
      if constexpr (coded) {
        Words4 words = {};
        if constexpr (Precise::any) {
          if (inside)
            words = precise.tokens.has(key) ? loadGlobal(reinterpret_cast<const Words4 *>(
                                                  precise.rows + (key * width + column) * 2))
                                            : eightOf(stage, key, column);
        } else if (inside) {
          words = eightOf(stage, key, column);
        }
        storeShared(reinterpret_cast<Words4 *>(tile + key * stride + column), words);
      } else { // bf16 that this lane has copied
        auto *at = reinterpret_cast<Words4 *>(stage + (key * stride + column) * 2);
        if (inside)
          storeShared(at, halvesOfBf16(loadShared(at), overflow));
      }
    }
    syncWarp();
    uint16_t *opened = coded ? tile : reinterpret_cast<uint16_t *>(stage);
    if (fresh) {
      if (lane < dim / 8)
        storeShared(reinterpret_cast<Words4 *>(opened + valid * stride + lane * 8),
                    loadShared(reinterpret_cast<const Words4 *>(fresh + lane * 8)));
      syncWarp();
    }
    return opened;
  }

private:
  /// Eight elements of a coded row: (code - zero point) is exact in f16, the product is rounded.
  QRT_DEVICE Words4 eightOf(const uint8_t *stage, int key, int column) const {
    const int at = key * groups() + (groups() > 1 ? column >> groupShift : 0);
    const uint32_t scale =
        loadShared(reinterpret_cast<const uint16_t *>(stage + codeBytes) + at) * 0x10001u;
    Words4 words;
    if constexpr (type == DType::I8) {
      const auto codes =
          loadShared(reinterpret_cast<const Words2 *>(stage + key * rowBytes() + column));
      QRT_UNROLL
      for (int i = 0; i < 4; ++i) // 1024 + code, less 1024 + 128
        words.w[i] = addF16x2(permuteBytes(codes.w[i / 2], 0x64646464u, i % 2 ? 0x4342u : 0x4140u),
                              0xe480e480u);
    } else {
      const uint32_t codes =
          loadShared(reinterpret_cast<const uint32_t *>(stage + key * rowBytes() + column / 2));
      const uint32_t zero =
          loadShared(stage + codeBytes + scaleBytes + at) * 0x10001u + 0xe400e400u;
      uint32_t apart[4]; // codes i and i + 4
      QRT_UNROLL
      for (int i = 0; i < 4; ++i)
        apart[i] = addF16x2(maskOr<0x000f000fu, 0x64006400u>(codes >> (4 * i)), zero);
      QRT_UNROLL
      for (int i = 0; i < 4; ++i)
        words.w[i] =
            permuteBytes(apart[i % 2 * 2], apart[i % 2 * 2 + 1], i < 2 ? 0x5410u : 0x7632u);
    }
    QRT_UNROLL
    for (int i = 0; i < 4; ++i)
      words.w[i] = mulF16x2(words.w[i], scale);
    return words;
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_KVSTAGE_H
