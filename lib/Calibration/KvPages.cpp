//===- KvPages.cpp - Keys and values of one chunk in one layer -------------------------------===//
#include "KvPages.h"

#include "Support/Memory.h"

#include <cstring>

using namespace qrt::kernels;

namespace qopt::calibration {

static size_t alignUp(size_t bytes) { return (bytes + 63) / 64 * 64; }

qrt::Status KvPages::prepare(const std::vector<int64_t> &lengths, int64_t kvHeads, int64_t headDim,
                             int64_t valueDim) {
  const size_t keyBytes = alignUp(kvPageBytes(kvHeads, headDim, qrt::DType::F32, true));
  const size_t valueBytes = alignUp(kvPageBytes(kvHeads, valueDim, qrt::DType::F32, false));
  size_t pages = 0;
  for (int64_t length : lengths)
    pages += (length + kvPageTokens - 1) / kvPageTokens;
  const size_t bytes = pages * (keyBytes + valueBytes);
  if (bytes > capacity) {
    memory.reset(std::aligned_alloc(64, bytes));
    capacity = memory ? bytes : 0;
    if (!memory)
      return qrt::resourceExhausted("keys and values of a chunk need " +
                                    qrt::formatBytes(static_cast<int64_t>(bytes)));
  }
  // Kernels read whole pages and weigh what lies behind the length with zero; it must be finite.
  std::memset(memory.get(), 0, bytes);
  table.assign(lengths.size(), {});
  char *next = static_cast<char *>(memory.get());
  for (size_t i = 0; i < lengths.size(); ++i)
    for (int64_t begin = 0; begin < lengths[i]; begin += kvPageTokens) {
      table[i].keys.push_back(next);
      table[i].values.push_back(next + keyBytes);
      next += keyBytes + valueBytes;
    }
  return qrt::Status::ok();
}

} // namespace qopt::calibration
