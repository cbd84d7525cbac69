//===- GeneratorChoice.cpp - The next tokens of a batch, on the CPU or on the engine ---------===//
// An engine on a device can choose tokens itself: then only they travel to the host. That needs
// controls that are known before the logits are, which they are except where a thinking budget
// waits for the end of a sentence, or an unsure step is to be left to the FP16 weights; such a
// step, and one that wants log-probabilities, takes the logits.
#include "Generation/GeneratorImpl.h"

#include <algorithm>

namespace qrt {

Status Generator::Impl::stepAndChoose(std::span<const Engine::Chunk> chunks,
                                      std::span<ActiveRequest *const> who) {
  // At most three lists over the history, and short ones.
  int64_t entries = 0;
  bool leave = engine.maxSampleEntries() > 0;
  for (size_t i = 0; i < chunks.size() && leave; ++i) {
    if (chunks[i].logits == Engine::Logits::None)
      continue;
    leave = who[i]->canLeaveChoice();
    entries += who[i]->sampleEntries(engine.vocabSize());
  }
  if (leave && entries <= engine.maxSampleEntries())
    return chooseOnEngine(chunks, who);

  auto result = engine.step(chunks);
  if (!result && makeRoom(result.status()))
    result = engine.step(chunks);
  if (!result)
    return result.status();
  const float *row = result->logits;
  for (size_t i = 0; i < chunks.size(); ++i) {
    who[i]->feed(int64_t(chunks[i].tokens.size()), chunks[i].alternate);
    if (chunks[i].logits == Engine::Logits::None)
      continue;
    const std::span<const float> logits(row, size_t(engine.vocabSize()));
    if (!who[i]->fallsBack(logits))
      QRT_RETURN_IF_ERROR(who[i]->advance(sampler, logits));
    row += engine.vocabSize();
  }
  return Status::ok();
}

Status Generator::Impl::lookAhead(std::span<const Engine::Chunk> chunks,
                                  std::span<ActiveRequest *const> who, std::vector<SampleRow> &rows,
                                  std::vector<SampleEntry> &entries) {
  // The next step must be this batch again, one token each.
  bool known = engine.worksAhead() && (waiting.empty() || running.size() == chunks.size());
  for (size_t i = 0; i < chunks.size() && known; ++i) {
    known = chunks[i].tokens.size() == 1 && chunks[i].logits == Engine::Logits::Last;
    if (known) {
      QRT_ASSIGN_OR_RETURN(known, who[i]->prepareAhead(lists, rows.emplace_back(), entries));
    }
  }
  if (!known || int64_t(entries.size()) > engine.maxSampleEntries()) {
    rows.clear();
    entries.clear();
  }
  return Status::ok();
}

Status Generator::Impl::chooseOnEngine(std::span<const Engine::Chunk> chunks,
                                       std::span<ActiveRequest *const> who) {
  std::vector<SampleRow> rows;
  std::vector<SampleEntry> entries;
  for (size_t i = 0; i < chunks.size(); ++i)
    if (chunks[i].logits != Engine::Logits::None)
      QRT_RETURN_IF_ERROR(who[i]->prepare(lists, rows.emplace_back(), entries));
  std::vector<SampleRow> nextRows;
  std::vector<SampleEntry> nextEntries;
  QRT_RETURN_IF_ERROR(lookAhead(chunks, who, nextRows, nextEntries));
  const Engine::Ahead ahead = {nextRows, nextEntries};
  auto stepped = engine.stepAndSample(chunks, rows, entries, ahead);
  if (!stepped && makeRoom(stepped.status()))
    stepped = engine.stepAndSample(chunks, rows, entries, ahead);
  if (!stepped)
    return stepped.status();
  const std::span<const SampleResult> results = *stepped;
  size_t next = 0;
  for (size_t i = 0; i < chunks.size(); ++i) {
    who[i]->feed(int64_t(chunks[i].tokens.size()), chunks[i].alternate);
    if (chunks[i].logits == Engine::Logits::None)
      continue;
    const SampleResult &chosen = results[next++];
    SampledToken token;
    token.token = chosen.token;
    token.penalised = chosen.penalised != 0;
    token.bannedBest = chosen.bannedBest;
    QRT_RETURN_IF_ERROR(who[i]->take(std::move(token)));
  }
  return Status::ok();
}

} // namespace qrt
