//===- attention.h - causal attention over paged keys and values --------------===//
//
// For every query row of every sequence and every head h, with keys and values of kv head
// h / (heads / kvHeads):
//
//   s[j] = scale * q . k[j],   s[j] = softcap * tanh(s[j] / softcap) where softcap > 0
//   out  = sum_j softmax(s)[j] v[j]   over  max(0, p - window + 1) <= j <= p
//
// p is the query's position; window = 0 means no limit. f32 arithmetic on keys and values stored as
// f32, f16 or bf16; online softmax, one pass over the cache.
//
// Pages hold kvPageTokens tokens of one layer and sequence: keys [kvHeads][headDim][64]
// (transposed, so that scores of 16 keys are one vector and need no horizontal sums), values
// [kvHeads][64][valueDim]. The order of summation depends only on the sizes of a sequence, not on
// threads or on what it is batched with.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ATTENTION_ATTENTION_H
#define QRT_KERNELS_CPU_ATTENTION_ATTENTION_H

#include "kernels/cpu/Workspace.h"
#include "kernels/cpu/threading/ThreadPool.h"
#include "qrt/DType.h"
#include "qrt/Status.h"

#include <cstdint>
#include <span>

namespace qrt::kernels {

inline constexpr int64_t kvPageTokens = 64;

/// Bytes of one key page (dim = headDim) or value page (dim = valueDim); type F32, F16 or BF16.
size_t kvPageBytes(int64_t kvHeads, int64_t dim, DType type);

/// Keys and values of one sequence in one layer. Pages are 64-byte aligned; page i holds tokens
/// 64 i .. 64 i + 63.
struct KvView {
  const void *const *kPages = nullptr;
  const void *const *vPages = nullptr;
  int64_t length = 0; ///< tokens in the cache, those of this step included
  DType type = DType::F32;
};

/// A run of query rows of one sequence: row firstRow + i is at position `position` + i.
struct AttentionSequence {
  int64_t firstRow = 0;
  int64_t tokens = 0;
  int64_t position = 0;
  KvView kv;
};

struct AttentionArgs {
  float *dst = nullptr; ///< [rows, heads * valueDim]
  int64_t dstStride = 0;
  const float *q = nullptr; ///< [rows, heads * headDim]
  int64_t qStride = 0;
  int64_t heads = 0, kvHeads = 0, headDim = 0, valueDim = 0;
  float scale = 1.0f;
  float softcap = 0.0f;
  int64_t window = 0;
  std::span<const AttentionSequence> sequences;
};

/// InvalidArgument: heads that kvHeads does not divide, sizes that are not positive, a cache
/// shorter than its queries' positions, or an unsupported type.
Status attention(ThreadPool &pool, const AttentionArgs &args, Workspace &workspace);

/// An upper bound of the scratch bytes for steps of up to maxTokens rows in up to maxSequences
/// sequences whose caches hold up to maxContext tokens.
size_t attentionWorkspaceBytes(int threads, int64_t heads, int64_t kvHeads, int64_t headDim,
                               int64_t valueDim, int64_t maxTokens, int64_t maxSequences,
                               int64_t maxContext);

/// Where the rows of one sequence go.
struct KvAppendSequence {
  int64_t firstRow = 0;
  int64_t tokens = 0;
  int64_t position = 0;
  void *const *kPages = nullptr;
  void *const *vPages = nullptr;
};

struct KvAppendArgs {
  const float *k = nullptr; ///< [rows, kvHeads * headDim]
  int64_t kStride = 0;
  const float *v = nullptr; ///< [rows, kvHeads * valueDim]
  int64_t vStride = 0;
  int64_t kvHeads = 0, headDim = 0, valueDim = 0;
  DType type = DType::F32;
  std::span<const KvAppendSequence> sequences;
};

/// Writes the rows' keys and values into their pages, rounding to `type`. The pages must exist.
Status kvAppend(ThreadPool &pool, const KvAppendArgs &args);

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ATTENTION_ATTENTION_H
