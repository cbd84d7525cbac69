//===- LockStep.h - Two engines read the same text -------------------------------------------===//
#ifndef QRT_EVAL_LOCKSTEP_H
#define QRT_EVAL_LOCKSTEP_H

#include "Eval/TokenRows.h"
#include "qrt/Engine.h"
#include "qrt/Status.h"

#include <cstdint>
#include <functional>
#include <span>

namespace qrt {

/// Logits of both models for `count` positions of one row, [count, vocabulary]; those of position i
/// predict the row's token `first + i`.
struct LockStepChunk {
  size_t row;
  int64_t first, count;
  const float *reference, *model;
  bool lastOfRow;
};

/// Feeds every row but its last token to both engines, at most `chunk` tokens at a time, and visits
/// the logits. InvalidArgument: vocabularies differ, or a row is longer than a context. An error of
/// `visit` ends the run. Sequences are given back whatever happens.
Status readInLockStep(Engine &reference, Engine &model, std::span<const TokenRow> rows,
                      int64_t chunk, const std::function<Status(const LockStepChunk &)> &visit);

} // namespace qrt

#endif // QRT_EVAL_LOCKSTEP_H
