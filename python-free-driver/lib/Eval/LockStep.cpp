//===- LockStep.cpp - Two engines read the same text -----------------------------------------===//
#include "Eval/LockStep.h"

#include <algorithm>
#include <string>

namespace qrt {

namespace {
/// Gives the sequence back however the function ends.
struct ScopedSequence {
  Engine &engine;
  int seq;
  ~ScopedSequence() { engine.release(seq); }
};
} // namespace

Status readInLockStep(Engine &reference, Engine &model, std::span<const TokenRow> rows,
                      int64_t chunk, const std::function<Status(const LockStepChunk &)> &visit) {
  if (model.vocabSize() != reference.vocabSize())
    return invalidArgument("the vocabularies differ: reference " +
                           std::to_string(reference.vocabSize()) + ", model " +
                           std::to_string(model.vocabSize()));
  for (size_t r = 0; r < rows.size(); ++r) {
    const TokenRow &row = rows[r];
    // The last token predicts nothing that is in the text.
    const int64_t length = int64_t(row.ids.size()) - 1;
    for (Engine *engine : {&reference, &model})
      if (engine->maxContext() > 0 && length > engine->maxContext())
        return invalidArgument(
            "sequence " + std::to_string(r) + " has " + std::to_string(row.ids.size()) +
            " tokens, more than the context of " + std::to_string(engine->maxContext()));
    QRT_ASSIGN_OR_RETURN(int seqP, reference.addSequence());
    ScopedSequence holdP{reference, seqP};
    QRT_ASSIGN_OR_RETURN(int seqQ, model.addSequence());
    ScopedSequence holdQ{model, seqQ};
    for (int64_t begin = 0; begin < length; begin += chunk) {
      const int64_t count = std::min(chunk, length - begin);
      auto ids = std::span(row.ids).subspan(size_t(begin), size_t(count));
      Engine::Chunk forP{seqP, ids, Engine::Logits::All}, forQ{seqQ, ids, Engine::Logits::All};
      auto p = reference.step({&forP, 1});
      if (!p)
        return p.status().withContext("reference");
      auto q = model.step({&forQ, 1});
      if (!q)
        return q.status().withContext("model");
      QRT_RETURN_IF_ERROR(
          visit({r, begin + 1, count, p->logits, q->logits, begin + count == length}));
    }
  }
  return Status::ok();
}

} // namespace qrt
