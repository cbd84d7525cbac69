//===- KvCache.cpp - Paged keys and values of many sequences ---------------------------------===//
#include "Engine/KvCache.h"

#include "kernels/cpu/attention/attention.h"

#include <cstdlib>
#include <cstring>

namespace qrt {

static int64_t alignUp(int64_t bytes) { return (bytes + 63) / 64 * 64; }

void KvCache::Free::operator()(void *p) const { std::free(p); }

KvCache::KvCache(const std::vector<CacheSpec> &caches, DType type, MemoryBudget &budget)
    : type(type), budget(budget) {
  for (const CacheSpec &cache : caches) {
    Layout layout;
    layout.keyOffset = blockBytes;
    blockBytes += alignUp(kernels::kvPageBytes(cache.kvHeads, cache.headDim, type));
    layout.valueOffset = blockBytes;
    blockBytes += alignUp(kernels::kvPageBytes(cache.kvHeads, cache.valueDim, type));
    layouts.push_back(layout);
  }
}

Result<void *> KvCache::takeBlock() {
  if (!freeBlocks.empty()) {
    void *block = freeBlocks.back();
    freeBlocks.pop_back();
    return block;
  }
  QRT_RETURN_IF_ERROR(budget.take(
      blockBytes, "KV cache, block " + std::to_string(blocks.size() + 1) + " of 64 tokens"));
  std::unique_ptr<void, Free> block(std::aligned_alloc(64, static_cast<size_t>(blockBytes)));
  if (!block) {
    budget.giveBack(blockBytes);
    return resourceExhausted("KV cache: the system refused " + std::to_string(blockBytes) +
                             " bytes");
  }
  // Kernels read whole pages and weigh what lies behind the length with zero; it must be finite.
  std::memset(block.get(), 0, static_cast<size_t>(blockBytes));
  blocks.push_back(std::move(block));
  return blocks.back().get();
}

Status KvCache::grow(Sequence &sequence, int64_t tokens) {
  if (blockBytes == 0)
    return Status::ok(); // a program without attention
  sequence.keyPages.resize(layouts.size());
  sequence.valuePages.resize(layouts.size());
  const size_t before = sequence.blocks.size();
  const auto needed =
      static_cast<size_t>((tokens + kernels::kvPageTokens - 1) / kernels::kvPageTokens);
  while (sequence.blocks.size() < needed) {
    auto block = takeBlock();
    if (!block) {
      shrink(sequence, int64_t(before) * kernels::kvPageTokens);
      return block.status();
    }
    sequence.blocks.push_back(*block);
    char *base = static_cast<char *>(*block);
    for (size_t cache = 0; cache < layouts.size(); ++cache) {
      sequence.keyPages[cache].push_back(base + layouts[cache].keyOffset);
      sequence.valuePages[cache].push_back(base + layouts[cache].valueOffset);
    }
  }
  return Status::ok();
}

void KvCache::shrink(Sequence &sequence, int64_t tokens) {
  const auto keep =
      static_cast<size_t>((tokens + kernels::kvPageTokens - 1) / kernels::kvPageTokens);
  while (sequence.blocks.size() > keep) {
    freeBlocks.push_back(sequence.blocks.back());
    sequence.blocks.pop_back();
    for (auto &pages : sequence.keyPages)
      pages.pop_back();
    for (auto &pages : sequence.valuePages)
      pages.pop_back();
  }
}

} // namespace qrt
