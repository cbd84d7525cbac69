//===- KvCache.h - Paged keys and values of many sequences -----------------------------------===//
// A block holds 64 tokens of one sequence in every layer: for each cache a key page and a value
// page in the layout of kernels/cpu/attention/attention.h. Sequences take blocks as they grow;
// blocks of released and truncated sequences go to a free list and are used again, so the cache
// costs what the longest moment needed. One block for all layers keeps one table per sequence;
// layers with a sliding window keep blocks they no longer read.
// Not thread safe.
#ifndef QRT_ENGINE_KVCACHE_H
#define QRT_ENGINE_KVCACHE_H

#include "Engine/MemoryBudget.h"
#include "Format/Program.h"
#include "qrt/DType.h"

#include <memory>
#include <vector>

namespace qrt {

class KvCache {
public:
  KvCache(const std::vector<CacheSpec> &caches, DType type, MemoryBudget &budget);

  /// The pages of one sequence: per cache the page pointers that the kernels read.
  struct Sequence {
    bool inUse = false;
    int64_t length = 0;
    std::vector<void *> blocks;
    std::vector<std::vector<void *>> keyPages, valuePages; ///< [cache][block]
  };

  /// Makes room for `tokens` tokens in all; on error the sequence keeps the blocks it had.
  Status grow(Sequence &sequence, int64_t tokens);
  /// Returns the blocks behind `tokens` tokens to the free list.
  void shrink(Sequence &sequence, int64_t tokens);

  DType dtype() const { return type; }
  int64_t bytesPerBlock() const { return blockBytes; }
  int64_t blocksInUse() const { return int64_t(blocks.size() - freeBlocks.size()); }
  int64_t totalBytes() const { return int64_t(blocks.size()) * blockBytes; }

private:
  struct Layout {
    int64_t keyOffset, valueOffset;
  };
  struct Free {
    void operator()(void *p) const;
  };
  Result<void *> takeBlock();

  DType type;
  MemoryBudget &budget;
  std::vector<Layout> layouts;
  int64_t blockBytes = 0;
  std::vector<std::unique_ptr<void, Free>> blocks;
  std::vector<void *> freeBlocks;
};

} // namespace qrt

#endif // QRT_ENGINE_KVCACHE_H
