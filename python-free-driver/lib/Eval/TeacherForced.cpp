//===- TeacherForced.cpp - Two models on the same text ----------------------------------------===//
#include "Eval/TeacherForced.h"

#include "Eval/LockStep.h"
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

} // namespace

int64_t teacherForcedChunk(int32_t vocabSize) {
  return std::clamp<int64_t>((int64_t(32) << 20) / 4 / std::max(vocabSize, 1), 1, 512);
}

Result<Comparison> compareTeacherForced(Engine &reference, Engine &model,
                                        std::span<const TokenRow> rows, const AuditTokens &audit,
                                        int64_t chunk, int threads,
                                        const std::function<Status(int64_t)> &progress) {
  const auto vocab = size_t(reference.vocabSize());
  Totals totals(audit, int64_t(rows.size()));
  kernels::ThreadPool pool(threads);
  std::vector<PositionScore> scores;
  int64_t done = 0;
  auto visit = [&](const LockStepChunk &c) -> Status {
    const TokenRow &row = rows[c.row];
    scores.assign(size_t(c.count), {});
    auto target = [&](int64_t i) { return size_t(c.first + i); };
    pool.parallelFor(c.count, 1, [&](int64_t from, int64_t to, int) {
      for (int64_t i = from; i < to; ++i)
        if (row.scored[target(i)])
          scores[size_t(i)] =
              scorePosition({c.reference + size_t(i) * vocab, vocab},
                            {c.model + size_t(i) * vocab, vocab}, row.ids[target(i)], audit);
    });
    for (int64_t i = 0; i < c.count; ++i)
      if (row.scored[target(i)]) {
        if (!scores[size_t(i)].finite)
          return internalError("sequence " + std::to_string(c.row) + ", token " +
                               std::to_string(c.first + i - 1) + ": logits are not finite");
        totals.add(scores[size_t(i)], row.ids[target(i)]);
      }
    if (c.lastOfRow)
      totals.endSequence();
    done += c.count;
    return progress ? progress(done) : Status::ok();
  };
  QRT_RETURN_IF_ERROR(readInLockStep(reference, model, rows, chunk, visit));
  return totals.finish();
}

} // namespace qrt
