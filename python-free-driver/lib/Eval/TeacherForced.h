//===- TeacherForced.h - Two models on the same text ------------------------------------------===//
// Both models read the same tokens; p_t = softmax(reference logits), q_t = softmax(model logits),
// no temperature. Per predicted token, in nats (docs/reasoning.md; arXiv 2606.00206 for KL against
// entropy, the control-token audit is this project's):
//   KL_t = sum_v p(v) (ln p(v) - ln q(v))      H_t = - sum_v p(v) ln p(v)
// Events of a control token are the positions at which p or q give it at least 1 %.
// Memory: a chunk of logits per model, `chunk` x vocabulary, and 5 numbers per token.
// Deterministic whatever the thread count.
#ifndef QRT_EVAL_TEACHERFORCED_H
#define QRT_EVAL_TEACHERFORCED_H

#include "Eval/TokenRows.h"
#include "qrt/Engine.h"
#include "qrt/Status.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace qrt {

/// Tokens whose probability says whether thinking ends; all lists may be empty.
struct AuditTokens {
  std::vector<int32_t> endOfThink, endOfText, markers;
};

/// One token, or a class of tokens together, at all scored positions.
struct TokenShift {
  int32_t token = -1;
  double meanReference = 0, meanModel = 0; ///< mean probability over all scored positions
  int64_t events = 0;
  double meanLogRatio = 0;  ///< mean over events of ln q - ln p
  double meanLogOdds = 0;   ///< mean over events of logit q - logit p
  double meanRankShift = 0; ///< mean over events of rank in q - rank in p (0: likeliest)
  double meanKl = 0;        ///< mean KL_t over events
};

/// A class of control tokens where the text itself has one of them next: does the model still want
/// it?
struct AuditEntry {
  std::string name;                        ///< "end_of_think", "end_of_text", "markers"
  double meanReference = 0, meanModel = 0; ///< mean probability of the class, all scored positions
  int64_t targets = 0;                     ///< scored positions whose next token is of the class
  double targetReference = 0, targetModel = 0; ///< mean probability there
  bool collapsed =
      false; ///< end_of_*: the model gives less than half of the reference's mass there
};

struct Comparison {
  int64_t tokens = 0, sequences = 0;
  double klMean = 0, klMedian = 0, klP999 = 0, klMax = 0;
  double klStderr = 0; ///< clustered by sequence
  double top1 = 0;     ///< share of positions with the same most likely token
  double perplexity = 0, perplexityReference = 0;
  double perplexityRatioLow = 0, perplexityRatioHigh = 0; ///< 95 % interval of ppl / ppl_reference
  double entropyReference = 0, entropyModel = 0;          ///< means
  double klEntropySpearman = 0;
  std::vector<TokenShift>
      markers; ///< in the order of AuditTokens::markers, those without events left out
  std::vector<AuditEntry> audit;  ///< classes that have tokens
  std::vector<float> kl, entropy; ///< per scored token, for plots
};

/// InvalidArgument: vocabularies differ, or a row is longer than a context. `progress` gets the
/// tokens done and may stop the run by returning an error.
Result<Comparison> compareTeacherForced(Engine &reference, Engine &model,
                                        std::span<const TokenRow> rows, const AuditTokens &audit,
                                        int64_t chunk, int threads,
                                        const std::function<Status(int64_t)> &progress = {});

/// Tokens per chunk so that one model's logits stay below 32 MiB; between 1 and 512.
int64_t teacherForcedChunk(int32_t vocabSize);

} // namespace qrt

#endif // QRT_EVAL_TEACHERFORCED_H
