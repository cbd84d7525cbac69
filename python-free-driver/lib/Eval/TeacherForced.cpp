//===- TeacherForced.cpp - Two models on the same text
//-------------------------------------------===//
#include "Eval/TeacherForced.h"

#include "Eval/PositionScore.h"
#include "Eval/Statistics.h"
#include "kernels/cpu/threading/ThreadPool.h"

#include <algorithm>
#include <cmath>

namespace qrt {
namespace {

/// Sums over positions, in their order.
class Totals {
public:
  Totals(const AuditTokens &audit, int64_t sequences) : audit(audit), shifts(audit.markers.size()) {
    out.sequences = sequences;
    for (size_t m = 0; m < shifts.size(); ++m)
      shifts[m].token = audit.markers[m];
    auto entry = [&](const char *name, const std::vector<int32_t> &ids) {
      if (!ids.empty())
        out.audit.push_back({name});
    };
    entry("end_of_think", audit.endOfThink);
    entry("end_of_text", audit.endOfText);
    entry("markers", audit.markers);
  }

  void add(const PositionScore &s, int32_t next) {
    kl.push_back(s.kl);
    entropy.push_back(s.entropyReference);
    nllReference.push_back(s.nllReference);
    nllModel.push_back(s.nllModel);
    entropyModel += s.entropyModel;
    same += s.sameTop;
    for (AuditEntry &entry : out.audit) {
      const bool think = entry.name == "end_of_think", text = entry.name == "end_of_text";
      const std::vector<int32_t> &ids = think  ? audit.endOfThink
                                        : text ? audit.endOfText
                                               : audit.markers;
      const double (&mass)[2] = think ? s.endOfThink : text ? s.endOfText : s.allMarkers;
      entry.meanReference += mass[0];
      entry.meanModel += mass[1];
      if (std::find(ids.begin(), ids.end(), next) != ids.end()) {
        ++entry.targets;
        entry.targetReference += mass[0];
        entry.targetModel += mass[1];
      }
    }
    for (size_t m = 0; m < shifts.size(); ++m) {
      shifts[m].meanReference += s.markerReference[m];
      shifts[m].meanModel += s.markerModel[m];
    }
    for (const MarkerEvent &e : s.events) {
      TokenShift &shift = shifts[size_t(e.marker)];
      ++shift.events;
      shift.meanLogRatio += e.logRatio;
      shift.meanLogOdds += e.logOdds;
      shift.meanRankShift += e.rankShift;
      shift.meanKl += s.kl;
    }
  }

  void endSequence() {
    if (ends.empty() ? !kl.empty() : ends.back() < int64_t(kl.size()))
      ends.push_back(int64_t(kl.size()));
  }

  Comparison finish() {
    const double n = double(kl.size());
    out.tokens = int64_t(kl.size());
    out.klMean = meanOf(kl);
    out.klMedian = quantileOf(kl, 0.5);
    out.klP999 = quantileOf(kl, 0.999);
    out.klMax = *std::max_element(kl.begin(), kl.end());
    out.klStderr = clusteredError(kl, ends);
    out.top1 = double(same) / n;
    out.perplexity = std::exp(meanOf(nllModel));
    out.perplexityReference = std::exp(meanOf(nllReference));
    // The difference of the two is far steadier than either.
    std::vector<double> difference(kl.size());
    for (size_t i = 0; i < kl.size(); ++i)
      difference[i] = nllModel[i] - nllReference[i];
    double mean = meanOf(difference), error = clusteredError(difference, ends);
    out.perplexityRatioLow = std::exp(mean - 1.96 * error);
    out.perplexityRatioHigh = std::exp(mean + 1.96 * error);
    out.entropyReference = meanOf(entropy);
    out.entropyModel = entropyModel / n;
    out.klEntropySpearman = spearman(kl, entropy);
    for (TokenShift &s : shifts) {
      s.meanReference /= n;
      s.meanModel /= n;
      if (s.events == 0)
        continue;
      for (double *sum : {&s.meanLogRatio, &s.meanLogOdds, &s.meanRankShift, &s.meanKl})
        *sum /= double(s.events);
      out.markers.push_back(s);
    }
    for (AuditEntry &e : out.audit) {
      e.meanReference /= n;
      e.meanModel /= n;
      if (e.targets > 0) {
        e.targetReference /= double(e.targets);
        e.targetModel /= double(e.targets);
      }
      bool ends = e.name != "markers";
      e.collapsed = ends && e.targets > 0 ? e.targetModel < 0.5 * e.targetReference
                                          : ends && e.meanModel < 0.5 * e.meanReference;
    }
    out.kl.assign(kl.begin(), kl.end());
    out.entropy.assign(entropy.begin(), entropy.end());
    return std::move(out);
  }

private:
  const AuditTokens &audit;
  std::vector<TokenShift> shifts;
  Comparison out;
  std::vector<double> kl, entropy, nllReference, nllModel;
  std::vector<int64_t> ends;
  double entropyModel = 0;
  int64_t same = 0;
};

/// Gives the sequence back however the function ends.
struct ScopedSequence {
  Engine &engine;
  int seq;
  ~ScopedSequence() { engine.release(seq); }
};

} // namespace

int64_t teacherForcedChunk(int32_t vocabSize) {
  return std::clamp<int64_t>((int64_t(32) << 20) / 4 / std::max(vocabSize, 1), 1, 512);
}

Result<Comparison> compareTeacherForced(Engine &reference, Engine &model,
                                        std::span<const TokenRow> rows, const AuditTokens &audit,
                                        int64_t chunk, int threads,
                                        const std::function<Status(int64_t)> &progress) {
  const int32_t vocab = reference.vocabSize();
  if (model.vocabSize() != vocab)
    return invalidArgument("the vocabularies differ: reference " + std::to_string(vocab) +
                           ", model " + std::to_string(model.vocabSize()));
  Totals totals(audit, int64_t(rows.size()));
  kernels::ThreadPool pool(threads);
  std::vector<PositionScore> scores;
  int64_t done = 0;
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
      scores.assign(size_t(count), {});
      auto target = [&](int64_t i) { return size_t(begin + i + 1); };
      pool.parallelFor(count, 1, [&](int64_t from, int64_t to, int) {
        for (int64_t i = from; i < to; ++i)
          if (row.scored[target(i)])
            scores[size_t(i)] =
                scorePosition({p->logits + i * vocab, size_t(vocab)},
                              {q->logits + i * vocab, size_t(vocab)}, row.ids[target(i)], audit);
      });
      for (int64_t i = 0; i < count; ++i)
        if (row.scored[target(i)]) {
          if (!scores[size_t(i)].finite)
            return internalError("sequence " + std::to_string(r) + ", token " +
                                 std::to_string(begin + i) + ": logits are not finite");
          totals.add(scores[size_t(i)], row.ids[target(i)]);
        }
      done += count;
      if (progress)
        QRT_RETURN_IF_ERROR(progress(done));
    }
    totals.endSequence();
  }
  return totals.finish();
}

} // namespace qrt
