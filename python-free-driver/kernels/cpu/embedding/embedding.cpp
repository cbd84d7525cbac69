//===- embedding.cpp - token embedding lookup --------------------------------===//
//
// Splits over tokens; ids are checked first, since they come from the user.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/embedding/embedding.h"

#include <string>

namespace qrt::kernels {

Status embeddingGather(ThreadPool &pool, const WeightView &table, const int32_t *ids,
                       int64_t tokens, int64_t offset, float *dst, int64_t dstStride) {
  for (int64_t t = 0; t < tokens; ++t)
    if (ids[t] + offset < 0 || ids[t] + offset >= table.desc.n)
      return Status::error(StatusCode::InvalidArgument, "token id " + std::to_string(ids[t]) +
                                                            " at index " + std::to_string(t) +
                                                            " is outside the embedding table of " +
                                                            std::to_string(table.desc.n) + " rows");
  pool.parallelFor(tokens, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t)
      dequantizeRow(table, ids[t] + offset, dst + t * dstStride);
  });
  return Status::ok();
}

} // namespace qrt::kernels
