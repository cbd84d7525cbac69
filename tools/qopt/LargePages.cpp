//===- LargePages.cpp - Large allocations of qopt: huge pages, used again ---------------------===//
// A layer's activations, Hessian and factor are hundreds of MiB that come and go with each layer.
// Getting them from the system each time took a tenth of the time of a calibration in a virtual
// machine: in pages of 4 KiB for the faults, in pages of 2 MiB for clearing them. So what was freed
// is kept for the next allocation of its size, as long as the sum of what lives and what is kept
// stays below one and a half times the most that ever lived: what a layer needs in turn. With
// --max-memory nothing is kept.
// Sanitizers bring their own operators.
#include "LargePages.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <malloc.h>
#include <mutex>
#include <new>
#include <sys/mman.h>

#if defined(__GLIBC__) && defined(MADV_HUGEPAGE) && !defined(__SANITIZE_ADDRESS__) &&              \
    !defined(__SANITIZE_THREAD__)

namespace {

constexpr size_t pageBytes = size_t(2) << 20, smallest = 2 * pageBytes;

struct Block {
  void *memory = nullptr;
  size_t bytes = 0;
};

/// Nothing in here may allocate by operator new.
class LargeBlocks {
public:
  void *take(size_t size) {
    const size_t bytes = (size + pageBytes - 1) / pageBytes * pageBytes;
    if (bytes < size)
      return nullptr;
    std::lock_guard lock(mutex);
    Block block = reuse(bytes);
    if (!block.memory) {
      makeRoom(bytes);
      block = {std::aligned_alloc(pageBytes, bytes), bytes};
      if (!block.memory)
        return nullptr;
      madvise(block.memory, bytes, MADV_HUGEPAGE); // refused where the kernel has none
    }
    if (live == most)
      return block.memory; // freed like any other
    living[live++] = block;
    livingBytes += block.bytes;
    peakBytes = std::max(peakBytes, livingBytes);
    return block.memory;
  }

  /// False for what take() did not give.
  bool give(void *memory) {
    if (reinterpret_cast<uintptr_t>(memory) % pageBytes)
      return false;
    std::lock_guard lock(mutex);
    Block *block = std::find_if(living, living + live,
                                [&](const Block &other) { return other.memory == memory; });
    if (block == living + live)
      return false;
    const Block freed = *block;
    *block = living[--live];
    livingBytes -= freed.bytes;
    if (!keeps) {
      std::free(freed.memory);
      return true;
    }
    if (kept == most)
      drop();
    keeping[kept++] = freed;
    keptBytes += freed.bytes;
    return true;
  }

  void keepNothing() {
    std::lock_guard lock(mutex);
    keeps = false;
    while (kept > 0)
      drop();
  }

private:
  static constexpr size_t most = 1024;

  /// The smallest kept block that is large enough and wastes no more than an eighth.
  Block reuse(size_t bytes) {
    Block *best = nullptr;
    for (Block *block = keeping; block != keeping + kept; ++block)
      if (block->bytes >= bytes && block->bytes - bytes <= bytes / 8 &&
          (!best || block->bytes < best->bytes))
        best = block;
    return best ? remove(best) : Block();
  }

  void makeRoom(size_t bytes) {
    while (kept > 0 && livingBytes + keptBytes + bytes > peakBytes + peakBytes / 2)
      drop();
  }

  /// The one that was freed first.
  void drop() { std::free(remove(keeping).memory); }

  Block remove(Block *block) {
    const Block removed = *block;
    std::copy(block + 1, keeping + kept, block);
    --kept;
    keptBytes -= removed.bytes;
    return removed;
  }

  std::mutex mutex;
  bool keeps = true;
  Block living[most], keeping[most]; ///< keeping: in the order in which they were freed
  size_t live = 0, kept = 0, livingBytes = 0, keptBytes = 0, peakBytes = 0;
};

/// Never destroyed: the last deletes come behind main().
LargeBlocks &largeBlocks() {
  alignas(LargeBlocks) static char memory[sizeof(LargeBlocks)];
  static LargeBlocks *blocks = [] {
    // Large blocks are mappings of their own whatever was freed before: freed, they are gone.
    mallopt(M_MMAP_THRESHOLD, static_cast<int>(smallest));
    return new (memory) LargeBlocks;
  }();
  return *blocks;
}

void *allocate(size_t size) {
  return size < smallest ? std::malloc(size ? size : 1) : largeBlocks().take(size);
}

} // namespace

void *operator new(size_t size) {
  while (true) {
    if (void *memory = allocate(size))
      return memory;
    std::new_handler handler = std::get_new_handler();
    if (!handler)
      throw std::bad_alloc();
    handler();
  }
}

void operator delete(void *memory) noexcept {
  if (memory && !largeBlocks().give(memory))
    std::free(memory);
}
void operator delete(void *memory, size_t) noexcept { operator delete(memory); }

void keepNoFreedMemory() { largeBlocks().keepNothing(); }

#else

void keepNoFreedMemory() {}

#endif
