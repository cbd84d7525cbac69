//===- PageMemory.h - Memory in huge pages where the system has them ------------------------===//
// Reading a stream through pages of 4 KiB costs a walk of the page table per page, of two tables in
// a virtual machine: one core of a virtual EPYC read 19 GB/s so, 36 GB/s through pages of 2 MiB.
// Thread safety: functions without state; an object belongs to one thread.
#ifndef QRT_SUPPORT_PAGEMEMORY_H
#define QRT_SUPPORT_PAGEMEMORY_H

#include <cstddef>

namespace qrt {

inline constexpr size_t hugePageBytes = size_t(2) << 20;

/// mmap()s `length` > 0 bytes, read-only and private, of an open file, or zeroed and writable
/// anonymous memory (fd < 0), at an address that huge pages can start at, and asks for them. Memory
/// shorter than a huge page is mapped plainly. Null with errno set on failure; munmap() frees it.
void *mapPages(int fd, size_t length);

/// Anonymous zeroed memory; pages that nobody touches cost nothing.
class PageMemory {
public:
  PageMemory() = default;
  /// Empty if the system refuses.
  explicit PageMemory(size_t length);
  PageMemory(PageMemory &&other) noexcept;
  PageMemory &operator=(PageMemory &&other) noexcept;
  PageMemory(const PageMemory &) = delete;
  PageMemory &operator=(const PageMemory &) = delete;
  ~PageMemory();

  char *data() const { return static_cast<char *>(base); }
  size_t size() const { return length; }

private:
  void *base = nullptr;
  size_t length = 0;
};

} // namespace qrt

#endif // QRT_SUPPORT_PAGEMEMORY_H
