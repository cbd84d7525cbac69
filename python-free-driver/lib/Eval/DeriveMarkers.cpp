//===- DeriveMarkers.cpp - A marker table from two engines and reasoning texts ---------------===//
#include "Eval/DeriveMarkers.h"

#include "Eval/LockStep.h"
#include "Reasoning/ThinkPlaces.h"
#include "kernels/cpu/threading/ThreadPool.h"

namespace qrt {
std::vector<std::vector<int32_t>> thinkingOf(const ModelTexts &texts,
                                             std::span<const TokenRow> rows) {
  std::vector<std::vector<int32_t>> out;
  for (const TokenRow &row : rows) {
    const auto places = thinkPlaces(*texts.tokenizer, texts.thinkTags, row.ids);
    out.emplace_back();
    for (size_t i = 0; i < row.ids.size(); ++i)
      if (row.scored[i] && places[i].thinking)
        out.back().push_back(row.ids[i]);
  }
  return out;
}

Status gatherEvidence(Engine &reference, Engine &model, const ModelTexts &texts,
                      std::span<const TokenRow> rows, int64_t chunk, int threads,
                      MarkerEvidence &evidence, const std::function<Status(int64_t)> &progress) {
  if (!texts.tokenizer)
    return invalidArgument("markers cannot be derived: the model has no tokenizer");
  const auto vocab = size_t(reference.vocabSize());
  kernels::ThreadPool pool(threads);
  std::vector<ThinkPlace> places;
  size_t placesRow = rows.size();
  std::vector<std::vector<LikelyToken>> p, q;
  int64_t done = 0, used = 0;
  auto visit = [&](const LockStepChunk &c) -> Status {
    if (placesRow != c.row) {
      places = thinkPlaces(*texts.tokenizer, texts.thinkTags, rows[c.row].ids);
      placesRow = c.row;
    }
    auto counts = [&](int64_t i) {
      const auto target = size_t(c.first + i);
      return rows[c.row].scored[target] && places[target].thinking;
    };
    p.assign(size_t(c.count), {});
    q.assign(size_t(c.count), {});
    pool.parallelFor(c.count, 1, [&](int64_t from, int64_t to, int) {
      for (int64_t i = from; i < to; ++i)
        if (counts(i)) {
          p[size_t(i)] = likelyTokens({c.reference + size_t(i) * vocab, vocab});
          q[size_t(i)] = likelyTokens({c.model + size_t(i) * vocab, vocab});
        }
    });
    for (int64_t i = 0; i < c.count; ++i) {
      if (!counts(i))
        continue;
      if (p[size_t(i)].empty() || q[size_t(i)].empty())
        return internalError("sequence " + std::to_string(c.row) + ", token " +
                             std::to_string(c.first + i - 1) + ": logits are not finite");
      evidence.add(p[size_t(i)], q[size_t(i)], places[size_t(c.first + i)].lineStart);
      ++used;
    }
    if (c.lastOfRow)
      evidence.endText();
    done += c.count;
    return progress ? progress(done) : Status::ok();
  };
  QRT_RETURN_IF_ERROR(readInLockStep(reference, model, rows, chunk, visit));
  if (used == 0)
    return invalidArgument("markers cannot be derived: no scored token is inside a thinking");
  for (const TokenRow &row : rows)
    evidence.readText(row.ids);
  return Status::ok();
}

} // namespace qrt
