//===- KvCache.h - Paged keys and values of many sequences -----------------------------------===//
// A block holds 64 tokens of one sequence in every layer: for each cache a key page and a value
// page in the layout of kernels/cpu/attention/attention.h. Sequences take blocks as they grow;
// blocks of released and truncated sequences go to a free list and are used again, so the cache
// costs what the longest moment needed. One block for all layers keeps one table per sequence;
// layers with a sliding window keep blocks they no longer read.
//
// Where tokens are kept precisely beside their codes (KvSpec), blocks of a second kind hold them:
// made before the tokens are written, and given back when they have left the window by kvRollBack
// tokens, so that a roll-back up to that length changes nothing. After a longer one, tokens whose
// precise copies are gone stay codes.
// Not thread safe.
#ifndef QRT_ENGINE_KVCACHE_H
#define QRT_ENGINE_KVCACHE_H

#include "Engine/MemoryBudget.h"
#include "Format/Program.h"
#include "Support/PageMemory.h"
#include "qrt/KvSpec.h"

#include <vector>

namespace qrt {

/// Tokens that a sequence may be cut by and still have its whole window.
inline constexpr int64_t kvRollBack = 128;

/// Bytes of the two kinds of blocks of 64 tokens; precise is 0 where nothing is kept precisely.
struct KvBlockBytes {
  int64_t stored = 0, precise = 0;
};
KvBlockBytes kvBlockBytes(const std::vector<CacheSpec> &caches, const KvSpec &spec);
/// Bytes of keys and values that attending to `context` tokens reads, sliding windows aside.
double kvReadBytes(const std::vector<CacheSpec> &caches, const KvSpec &spec, double context);

class KvCache {
public:
  KvCache(const std::vector<CacheSpec> &caches, const KvSpec &spec, MemoryBudget &budget);

  /// The pages of one sequence: per cache the page pointers that the kernels read.
  struct Sequence {
    bool inUse = false;
    int64_t length = 0;
    std::vector<void *> blocks;
    std::vector<std::vector<void *>> keyPages, valuePages; ///< [cache][block]
    /// The same for precise blocks; null where there is none.
    std::vector<void *> preciseBlocks;
    std::vector<std::vector<void *>> preciseKeys, preciseValues;
    int64_t preciseFrom = 0; ///< tokens from here on have a precise copy
  };

  /// Makes room for `tokens` tokens in all; on error the sequence keeps the blocks it had.
  Status grow(Sequence &sequence, int64_t tokens);
  /// Returns the blocks behind `tokens` tokens to the free list.
  void shrink(Sequence &sequence, int64_t tokens);

  /// Makes precise blocks for tokens [position, position + tokens).
  Status growPrecise(Sequence &sequence, int64_t position, int64_t tokens);
  /// Gives precise blocks back that no query behind `length` - kvRollBack tokens reads.
  void releasePrecise(Sequence &sequence, int64_t length);

  const KvSpec &spec() const { return format; }
  /// Of the first block of a sequence, with its precise copy.
  int64_t bytesPerBlock() const { return stored.bytes + precise.bytes; }
  int64_t blocksInUse() const { return stored.inUse(); }
  int64_t totalBytes() const { return stored.totalBytes() + precise.totalBytes(); }

private:
  /// Blocks of one kind, cut one by one from slabs of huge pages: more than a block's bytes are
  /// touched only by the part of its last huge page.
  struct Pool {
    struct Layout {
      int64_t keyOffset, valueOffset;
    };
    std::vector<Layout> layouts;
    int64_t bytes = 0;
    int64_t blocks = 0; ///< cut so far
    std::vector<PageMemory> slabs;
    std::vector<void *> freeBlocks;

    void layOut(const std::vector<CacheSpec> &caches, DType keys, DType values);
    Result<void *> take(MemoryBudget &budget, const char *what);
    int64_t inUse() const { return blocks - int64_t(freeBlocks.size()); }
    int64_t totalBytes() const { return blocks * bytes; }
  };

  void dropPrecise(Sequence &sequence, size_t block);

  KvSpec format;
  MemoryBudget &budget;
  Pool stored, precise;
};

} // namespace qrt

#endif // QRT_ENGINE_KVCACHE_H
