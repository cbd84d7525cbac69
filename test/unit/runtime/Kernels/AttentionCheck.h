//===- AttentionCheck.h - Attention against naive float64 ------------------------------------===//
#ifndef QRT_TEST_ATTENTIONCHECK_H
#define QRT_TEST_ATTENTIONCHECK_H

#include "EmulatedVariants.h"
#include "LinearFixture.h"
#include "TestVariants.h"
#include "kernels/cpu/attention/attention.h"
#include "kernels/cpu/vector/Variants.h"

#include <memory>
#include <string>
#include <vector>

namespace qrt::kernels::test {

struct AttentionShape {
  int64_t heads, kvHeads, headDim, valueDim;
  int64_t window = 0;
  float softcap = 0.0f;
  int64_t sink = 0, recent = 0;
  bool balanced = false;
  double keySpread = 1.0; ///< every eighth key feature is as much larger
  double keyGrowth = 0.0; ///< keys are 1 + this * their position as large
};

struct KvTypes {
  DType keys, values;
  KvTypes(DType both) : keys(both), values(both) {}
  KvTypes(DType keys, DType values) : keys(keys), values(values) {}
};

/// One sequence with its pages, and the values as the cache holds them (rounded to its type).
struct KvSequence {
  std::vector<std::unique_ptr<AlignedBytes>> memory;
  std::vector<void *> kPages, vPages, kPrecise, vPrecise;
  std::vector<float> k, v;                     ///< [length, kvHeads * dim]
  std::vector<float> kPreciseRow, vPreciseRow; ///< the same as precise pages hold them
};

/// Random keys and values, appended to pages of these types.
KvSequence makeSequence(ThreadPool &pool, const AttentionShape &shape, int64_t length,
                        KvTypes types, uint32_t seed);

struct AttentionRun {
  int64_t length, tokens; ///< the last `tokens` of `length` are queries
};

/// Attention of all runs in one batch: near the naive one, the same with three threads, within the
/// workspace that it announces.
void checkAttention(const VectorKernels &kernels, const std::string &name,
                    const AttentionShape &shape, const std::vector<AttentionRun> &runs,
                    KvTypes types);

inline std::vector<Variant<VectorKernels>> runnableVariants() {
  return runnable<VectorKernels>(vectorVariants(), emulatedVectorVariants());
}

} // namespace qrt::kernels::test

#endif // QRT_TEST_ATTENTIONCHECK_H
