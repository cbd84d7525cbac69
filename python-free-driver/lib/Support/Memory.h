//===- Memory.h - How much memory is free ----------------------------------------------------===//
// Asked before every large allocation, so that a model too large for the machine gets a message
// instead of the kernel's out-of-memory killer.
// Thread safety: free functions without state.
#ifndef QRT_SUPPORT_MEMORY_H
#define QRT_SUPPORT_MEMORY_H

#include <cstdint>
#include <string>

namespace qrt {

/// Bytes that can be allocated without swapping: the smaller of MemAvailable in /proc/meminfo and
/// what the control groups (v1 or v2, this one and its parents) leave; page cache that can be
/// dropped counts as free. INT64_MAX if neither is known. QRT_FREE_MEMORY (bytes) in the
/// environment lowers the answer: tests and batch systems use it.
int64_t availableMemory();

/// Resident memory of this process that is not backed by files (those pages can be dropped); 0
/// where /proc does not say.
int64_t residentMemory();

/// "1.50 GiB", "12.0 MiB", "512 bytes": for messages.
std::string formatBytes(int64_t bytes);

} // namespace qrt

#endif // QRT_SUPPORT_MEMORY_H
