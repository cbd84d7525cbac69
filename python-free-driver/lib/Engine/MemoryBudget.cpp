//===- MemoryBudget.cpp - Ask before allocating ----------------------------------------------===//
#include "Engine/MemoryBudget.h"

#include "Support/Memory.h"

namespace qrt {

Status MemoryBudget::check(int64_t bytes, const std::string &what) const {
  if (limit > 0 && (bytes > limit || used > limit - bytes))
    return resourceExhausted(what + ": needs " + formatBytes(bytes) + ", " + formatBytes(used) +
                             " are in use and the limit is " + formatBytes(limit));
  int64_t available = availableMemory();
  if (bytes > available)
    return resourceExhausted(what + ": needs " + formatBytes(bytes) + ", the machine has " +
                             formatBytes(available) + " free");
  return Status::ok();
}

Status MemoryBudget::take(int64_t bytes, const std::string &what) {
  QRT_RETURN_IF_ERROR(check(bytes, what));
  used += bytes;
  return Status::ok();
}

} // namespace qrt
