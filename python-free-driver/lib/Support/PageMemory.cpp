//===- PageMemory.cpp - Memory in huge pages where the system has them ----------------------===//
#include "Support/PageMemory.h"

#include <cstdint>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace qrt {

static void *mapAt(void *address, int fd, size_t length, int extraFlags) {
  const int flags = MAP_PRIVATE | extraFlags | (fd < 0 ? MAP_ANONYMOUS : 0);
  void *at = mmap(address, length, fd < 0 ? PROT_READ | PROT_WRITE : PROT_READ, flags, fd, 0);
  return at == MAP_FAILED ? nullptr : at;
}

void *mapPages(int fd, size_t length) {
  if (length < hugePageBytes)
    return mapAt(nullptr, fd, length, 0);
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t rounded = (length + page - 1) / page * page, reserved = rounded + hugePageBytes;
  void *range = mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (range == MAP_FAILED)
    return mapAt(nullptr, fd, length, 0);
  const auto begin = reinterpret_cast<uintptr_t>(range);
  const uintptr_t start = (begin + hugePageBytes - 1) / hugePageBytes * hugePageBytes;
  void *at = mapAt(reinterpret_cast<void *>(start), fd, length, MAP_FIXED);
  if (!at) {
    munmap(range, reserved);
    return nullptr;
  }
  if (start > begin)
    munmap(range, start - begin);
  if (const size_t behind = begin + reserved - (start + rounded))
    munmap(reinterpret_cast<void *>(start + rounded), behind);
#if defined(MADV_HUGEPAGE)
  // Refused where the kernel has none. Of a file it takes effect when its pages are first read into
  // the page cache.
  madvise(at, length, MADV_HUGEPAGE);
#endif
  return at;
}

PageMemory::PageMemory(size_t bytes) {
  if (bytes > 0 && (base = mapPages(-1, bytes)))
    length = bytes;
}

PageMemory::PageMemory(PageMemory &&other) noexcept
    : base(std::exchange(other.base, nullptr)), length(std::exchange(other.length, 0)) {}

PageMemory &PageMemory::operator=(PageMemory &&other) noexcept {
  std::swap(base, other.base);
  std::swap(length, other.length);
  return *this;
}

PageMemory::~PageMemory() {
  if (base)
    munmap(base, length);
}

} // namespace qrt
