//===- DeriveMarkers.h - A marker table from two engines and reasoning texts -----------------===//
#ifndef QRT_EVAL_DERIVEMARKERS_H
#define QRT_EVAL_DERIVEMARKERS_H

#include "Eval/TokenRows.h"
#include "Generation/ModelTexts.h"
#include "Reasoning/MarkerEvidence.h"
#include "qrt/Engine.h"

#include <functional>
#include <span>

namespace qrt {

/// Teacher-forces both engines on `rows` and adds every scored position inside the thinking (all
/// scored positions of a model without think tags) to the evidence. InvalidArgument: no tokenizer,
/// no such position, or what readInLockStep() refuses. `progress` gets the tokens done and may stop
/// the run by returning an error.
Status gatherEvidence(Engine &reference, Engine &model, const ModelTexts &texts,
                      std::span<const TokenRow> rows, int64_t chunk, int threads,
                      MarkerEvidence &evidence,
                      const std::function<Status(int64_t)> &progress = {});

/// The generated ids of `rows` inside the thinking, row by row.
std::vector<std::vector<int32_t>> thinkingOf(const ModelTexts &texts,
                                             std::span<const TokenRow> rows);

} // namespace qrt

#endif // QRT_EVAL_DERIVEMARKERS_H
