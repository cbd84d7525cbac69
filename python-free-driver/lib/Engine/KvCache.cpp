//===- KvCache.cpp - Paged keys and values of many sequences ---------------------------------===//
#include "Engine/KvCache.h"

#include "kernels/cpu/attention/attention.h"

#include <algorithm>
#include <cstring>

namespace qrt {

using kernels::kvPageTokens;

/// Of address space; blocks are touched when they are taken.
static constexpr int64_t slabBytes = int64_t(32) << 20;

static int64_t alignUp(int64_t bytes) { return (bytes + 63) / 64 * 64; }
static size_t pagesOf(int64_t tokens) {
  return static_cast<size_t>((tokens + kvPageTokens - 1) / kvPageTokens);
}
static bool keepsPrecise(const KvSpec &spec) {
  return spec.isCoded() && (spec.sink > 0 || spec.recent > 0);
}

void KvCache::Pool::layOut(const std::vector<CacheSpec> &caches, DType keys, DType values) {
  for (const CacheSpec &cache : caches) {
    Layout layout;
    layout.keyOffset = bytes;
    bytes += alignUp(int64_t(kernels::kvPageBytes(cache.kvHeads, cache.headDim, keys, true)));
    layout.valueOffset = bytes;
    bytes += alignUp(int64_t(kernels::kvPageBytes(cache.kvHeads, cache.valueDim, values, false)));
    layouts.push_back(layout);
  }
}

KvCache::KvCache(const std::vector<CacheSpec> &caches, const KvSpec &spec, MemoryBudget &budget)
    : format(spec), budget(budget) {
  stored.layOut(caches, spec.keys, spec.values);
  if (keepsPrecise(spec))
    precise.layOut(caches, kernels::kvPreciseType, kernels::kvPreciseType);
}

KvBlockBytes kvBlockBytes(const std::vector<CacheSpec> &caches, const KvSpec &spec) {
  KvBlockBytes out;
  auto sum = [&](DType keys, DType values) {
    int64_t bytes = 0;
    for (const CacheSpec &cache : caches)
      bytes += alignUp(int64_t(kernels::kvPageBytes(cache.kvHeads, cache.headDim, keys, true))) +
               alignUp(int64_t(kernels::kvPageBytes(cache.kvHeads, cache.valueDim, values, false)));
    return bytes;
  };
  out.stored = sum(spec.keys, spec.values);
  out.precise = keepsPrecise(spec) ? sum(kernels::kvPreciseType, kernels::kvPreciseType) : 0;
  return out;
}

double kvReadBytes(const std::vector<CacheSpec> &caches, const KvSpec &spec, double context) {
  const KvBlockBytes bytes = kvBlockBytes(caches, spec);
  const double kept = spec.isCoded() ? std::min(context, double(spec.sink + spec.recent)) : 0;
  return ((context - kept) * double(bytes.stored) + kept * double(bytes.precise)) /
         double(kvPageTokens);
}

Result<void *> KvCache::Pool::take(MemoryBudget &budget, const char *what) {
  if (!freeBlocks.empty()) {
    void *block = freeBlocks.back();
    freeBlocks.pop_back();
    return block;
  }
  QRT_RETURN_IF_ERROR(budget.take(bytes, std::string("KV cache, ") + what + " " +
                                             std::to_string(blocks + 1) + " of 64 tokens"));
  const int64_t perSlab = std::max<int64_t>(1, slabBytes / bytes), inSlab = blocks % perSlab;
  if (inSlab == 0) {
    PageMemory slab(static_cast<size_t>(perSlab * bytes));
    if (!slab.data()) {
      budget.giveBack(bytes);
      return resourceExhausted("KV cache: the system refused " + std::to_string(perSlab * bytes) +
                               " bytes");
    }
    slabs.push_back(std::move(slab));
  }
  void *block = slabs.back().data() + inSlab * bytes;
  ++blocks;
  // Kernels read whole pages and weigh what lies behind the length with zero; it must be finite.
  // Fresh memory is zero; this touches it on the node of the calling thread.
  std::memset(block, 0, static_cast<size_t>(bytes));
  return block;
}

Status KvCache::grow(Sequence &sequence, int64_t tokens) {
  if (stored.bytes == 0)
    return Status::ok(); // a program without attention
  for (auto *table :
       {&sequence.keyPages, &sequence.valuePages, &sequence.preciseKeys, &sequence.preciseValues})
    table->resize(stored.layouts.size());
  const size_t before = sequence.blocks.size();
  while (sequence.blocks.size() < pagesOf(tokens)) {
    auto block = stored.take(budget, "block");
    if (!block) {
      shrink(sequence, int64_t(before) * kvPageTokens);
      return block.status();
    }
    sequence.blocks.push_back(*block);
    sequence.preciseBlocks.push_back(nullptr);
    char *base = static_cast<char *>(*block);
    for (size_t cache = 0; cache < stored.layouts.size(); ++cache) {
      sequence.keyPages[cache].push_back(base + stored.layouts[cache].keyOffset);
      sequence.valuePages[cache].push_back(base + stored.layouts[cache].valueOffset);
      sequence.preciseKeys[cache].push_back(nullptr);
      sequence.preciseValues[cache].push_back(nullptr);
    }
  }
  return Status::ok();
}

void KvCache::dropPrecise(Sequence &sequence, size_t block) {
  if (!sequence.preciseBlocks[block])
    return;
  precise.freeBlocks.push_back(sequence.preciseBlocks[block]);
  sequence.preciseBlocks[block] = nullptr;
  for (auto *table : {&sequence.preciseKeys, &sequence.preciseValues})
    for (auto &pages : *table)
      pages[block] = nullptr;
}

void KvCache::shrink(Sequence &sequence, int64_t tokens) {
  while (sequence.blocks.size() > pagesOf(tokens)) {
    dropPrecise(sequence, sequence.blocks.size() - 1);
    stored.freeBlocks.push_back(sequence.blocks.back());
    sequence.blocks.pop_back();
    sequence.preciseBlocks.pop_back();
    for (auto *table :
         {&sequence.keyPages, &sequence.valuePages, &sequence.preciseKeys, &sequence.preciseValues})
      for (auto &pages : *table)
        pages.pop_back();
  }
  sequence.preciseFrom = std::min(sequence.preciseFrom, tokens);
}

Status KvCache::growPrecise(Sequence &sequence, int64_t position, int64_t tokens) {
  if (precise.bytes == 0)
    return Status::ok();
  const int64_t end = format.recent > 0 ? position + tokens : format.sink;
  for (auto block = size_t(position / kvPageTokens);
       block < std::min(pagesOf(end), sequence.blocks.size()); ++block) {
    if (sequence.preciseBlocks[block])
      continue;
    QRT_ASSIGN_OR_RETURN(void *memory, precise.take(budget, "precise block"));
    sequence.preciseBlocks[block] = memory;
    char *base = static_cast<char *>(memory);
    for (size_t cache = 0; cache < precise.layouts.size(); ++cache) {
      sequence.preciseKeys[cache][block] = base + precise.layouts[cache].keyOffset;
      sequence.preciseValues[cache][block] = base + precise.layouts[cache].valueOffset;
    }
  }
  return Status::ok();
}

void KvCache::releasePrecise(Sequence &sequence, int64_t length) {
  if (precise.bytes == 0)
    return;
  // A query at position p reads from p - recent + 1 on.
  const int64_t first = length - kvRollBack - format.recent + 1;
  const int64_t from = std::max<int64_t>(0, first) / kvPageTokens;
  const auto end = std::min(size_t(from), sequence.blocks.size());
  for (size_t block = pagesOf(format.sink); block < end; ++block)
    dropPrecise(sequence, block);
  if (from * kvPageTokens > sequence.preciseFrom)
    sequence.preciseFrom = from * kvPageTokens;
}

} // namespace qrt
