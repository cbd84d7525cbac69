//===- embedding.h - token embedding lookup ----------------------------------===//
//
// dst[t, :] = table[ids[t] + offset, :], the table in any weight format of linear.h.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_EMBEDDING_EMBEDDING_H
#define QRT_KERNELS_CPU_EMBEDDING_EMBEDDING_H

#include "kernels/cpu/linear/linear.h"

#include <cstdint>

namespace qrt::kernels {

/// dst is [tokens, table.desc.k] with row stride dstStride. InvalidArgument names the first id
/// outside the table; dst is then untouched.
Status embeddingGather(ThreadPool &pool, const WeightView &table, const int32_t *ids,
                       int64_t tokens, int64_t offset, float *dst, int64_t dstStride);

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_EMBEDDING_EMBEDDING_H
