//===- attention.h - causal attention over paged keys and values --------------===//
//
// For every query row of every sequence and every head h, with keys and values of kv head
// h / (heads / kvHeads):
//
//   s[j] = scale * q . k[j],   s[j] = softcap * tanh(s[j] / softcap) where softcap > 0
//   out  = sum_j softmax(s)[j] v[j]   over  max(0, p - window + 1) <= j <= p
//
// p is the query's position; window = 0 means no limit. f32 arithmetic on keys and values stored as
// f32, f16, bf16 (KvPairs.h has their layout) or in codes of 8 or 4 bits (I8, I4; KvCodes.h has
// their layout, AttentionCodes.h the arithmetic); keys and values may differ. Queries, after
// scaling, are rounded to bf16 for bf16 keys, and weights for bf16 values, as the products of bf16
// pairs of recent processors take them: 2^-9 relative per number, and the same on every other
// processor. Online softmax, one pass over the cache.
//
// Pages hold kvPageTokens tokens of one layer and sequence: keys [kvHeads][headDim][64]
// (transposed, so that scores of 16 keys are one vector and need no horizontal sums), values
// [kvHeads][64][valueDim], unless their type says otherwise. The order of summation depends only on
// the sizes of a sequence, not on threads or on what it is batched with.
//
// Coded caches may also hold some tokens precisely, in f16: a query at p reads those of positions
// below `sink` (KVQuant, arXiv 2401.18079, section 3.5: the first tokens attract attention) and
// above p - recent (KIVI, arXiv 2402.02750, section 3.2) from the precise pages and all others from
// the codes, so that what a query reads depends on its position alone, not on how a sequence was
// cut into steps.
//
// Key balance: coded keys are stored as k / balance and queries multiplied by it, which cancels;
// one factor per kv head and feature. It gives features with large keys (the biases of Qwen2) no
// more than their share of the code range: per-channel scales for keys, as in KIVI and KVQuant, but
// static, so that a token's codes need no other token.
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

/// The type of precise pages.
inline constexpr DType kvPreciseType = DType::F16;

/// Bytes of one page of keys (isKey, dim = headDim) or values (dim = valueDim) of type F32, F16,
/// BF16, I8 or I4; 0 for other types and for heads that have no codes (kvCodeLayout). A multiple
/// of 64 for BF16, I8 and I4.
size_t kvPageBytes(int64_t kvHeads, int64_t dim, DType type, bool isKey);

/// InvalidArgument for types that no cache has, Unsupported for heads that have no codes.
Status checkKvTypes(int64_t headDim, DType keyType, int64_t valueDim, DType valueType);

/// Keys and values of one sequence in one layer. Pages are 64-byte aligned; page i holds tokens
/// 64 i .. 64 i + 63. Every page of codes holds finite scales.
struct KvView {
  const void *const *kPages = nullptr;
  const void *const *vPages = nullptr;
  int64_t length = 0; ///< tokens in the cache, those of this step included
  DType keyType = DType::F32, valueType = DType::F32;
  /// Precise pages, by the same numbers; used where keys or values are coded and sink or recent
  /// say so. Pages that no query needs may be null.
  const void *const *kPrecise = nullptr;
  const void *const *vPrecise = nullptr;
  int64_t preciseFrom = 0; ///< recent tokens before it have no precise copy
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
  /// Of coded caches: tokens that are read from precise pages, and the balance of keys
  /// [kvHeads, headDim] or null.
  int64_t sink = 0, recent = 0;
  const float *keyBalance = nullptr;
};

/// InvalidArgument: heads that kvHeads does not divide, sizes that are not positive, a cache
/// shorter than its queries' positions, an unsupported type, or sequences of different types.
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
  void *const *kPrecise = nullptr; ///< pages that get a precise copy too; null ones are skipped
  void *const *vPrecise = nullptr;
};

struct KvAppendArgs {
  const float *k = nullptr; ///< [rows, kvHeads * headDim]
  int64_t kStride = 0;
  const float *v = nullptr; ///< [rows, kvHeads * valueDim]
  int64_t vStride = 0;
  int64_t kvHeads = 0, headDim = 0, valueDim = 0;
  DType keyType = DType::F32, valueType = DType::F32;
  std::span<const KvAppendSequence> sequences;
  const float *keyBalance = nullptr; ///< [kvHeads, headDim], positive; of coded keys
};

/// Writes the rows' keys and values into their pages, rounding to their types. The pages must
/// exist.
Status kvAppend(ThreadPool &pool, const KvAppendArgs &args);

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ATTENTION_ATTENTION_H
