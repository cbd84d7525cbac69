//===- MemoryBudget.h - Ask before allocating ------------------------------------------------===//
// Counts what one engine has allocated and refuses, with figures, what would pass its limit or the
// free memory of the machine. Not thread safe.
#ifndef QRT_ENGINE_MEMORYBUDGET_H
#define QRT_ENGINE_MEMORYBUDGET_H

#include "qrt/Status.h"

#include <cstdint>
#include <string>

namespace qrt {

class MemoryBudget {
public:
  /// limit: bytes this engine may have in all, 0 = only the machine's free memory limits it.
  explicit MemoryBudget(int64_t limit) : limit(limit) {}

  /// Could `bytes` more be allocated now? ResourceExhausted: "KV cache for 4096 tokens: needs ...".
  Status check(int64_t bytes, const std::string &what) const;
  /// check(), and count them.
  Status take(int64_t bytes, const std::string &what);
  void giveBack(int64_t bytes) { used -= bytes; }
  int64_t usedBytes() const { return used; }

private:
  int64_t limit;
  int64_t used = 0;
};

} // namespace qrt

#endif // QRT_ENGINE_MEMORYBUDGET_H
