//===- Cost.h - What one token of a model costs -----------------------------------------------===//
// Counted from the program, as an ideal engine would: every weight of a linear is read once per
// step, one row of an embedding per token, keys and values of the context once per token.
// Token-major programs only; of a generic one, the linears are counted and nothing else.
#ifndef QRT_BENCH_COST_H
#define QRT_BENCH_COST_H

#include "Bench/Probe.h"
#include "qrt/Model.h"

namespace qrt::bench {

struct Cost {
  int64_t weights = 0;     ///< elements of matrices, each stored one counted once
  int64_t weightBytes = 0; ///< codes, scales and zero points of those
  int64_t stepBytes = 0;   ///< weight bytes that one step reads, whatever its tokens
  int64_t tokenBytes = 0;  ///< further bytes per token: embedding rows
  int64_t kvElements = 0;  ///< elements of keys and values per token of context
  std::vector<Bytes> read; ///< the stored bytes behind stepBytes, each once

  /// Operations of linears, by what limits them on an instruction set.
  struct Operations {
    double f32 = 0, bf16 = 0, int8 = 0;
  };
  Operations perToken;    ///< of every token
  Operations perSelected; ///< of every token whose logits are computed

  /// 8 * weightBytes / weights
  double bitsPerWeight() const;
};

/// 16-bit activations count as two int8 products where a processor multiplies them so (AVX-512), as
/// f32 on AVX2.
Cost costOf(const Model &model, kernels::Isa isa);

} // namespace qrt::bench

#endif // QRT_BENCH_COST_H
