//===- SampleLists.cpp - A step's sampling as lists, for the sampler of a device -------------===//
#include "Sampling/SampleLists.h"

#include "Sampling/Repetition.h"

#include <algorithm>

namespace qrt {

SampleLists::SampleLists(int32_t vocabSize) : vocabSize(vocabSize), counts(size_t(vocabSize), 0) {}

Status SampleLists::fill(const History &history, const SamplingOptions &options,
                         const StepControls &controls, uint64_t stream, SampleRow &row,
                         std::vector<SampleEntry> &entries) {
  return fill(history, 0, options, controls, stream, row, entries);
}

Status SampleLists::fillAhead(const History &history, const SamplingOptions &options,
                              const StepControls &controls, uint64_t stream, SampleRow &row,
                              std::vector<SampleEntry> &entries) {
  if (!canLookAhead(options))
    return internalError("the lists of a step depend on a token that is not known");
  return fill(history, 1, options, controls, stream, row, entries);
}

/// `unknown` tokens, 0 or 1, stand behind the history.
Status SampleLists::fill(const History &history, int unknown, const SamplingOptions &options,
                         const StepControls &controls, uint64_t stream, SampleRow &row,
                         std::vector<SampleEntry> &entries) {
  if (!canExpress(options, controls))
    return invalidArgument("log-probabilities and grammar masks need the sampler of the CPU");
  if (controls.forced && (*controls.forced < 0 || *controls.forced >= vocabSize))
    return invalidArgument("forced token " + std::to_string(*controls.forced) +
                           " is outside the vocabulary");
  auto known = [&](int32_t id) { return id >= 0 && id < vocabSize; };
  if (!std::all_of(controls.banned.begin(), controls.banned.end(), known))
    return invalidArgument("a banned token is outside the vocabulary");
  auto list = [&](auto append) {
    SampleList made;
    made.first = int32_t(entries.size());
    append();
    made.count = int32_t(entries.size()) - made.first;
    return made;
  };
  row = {};
  row.seed = options.seed;
  row.stream = stream;
  row.position = history.tokens.size() + uint64_t(unknown);
  row.temperature = controls.temperature.value_or(options.temperature);
  row.topK = options.topK;
  row.topP = options.topP;
  row.minP = options.minP;
  row.repetition = options.repetitionPenalty;
  row.presence = options.presencePenalty;
  row.frequency = options.frequencyPenalty;
  row.entropyMin = controls.entropyMin;
  row.forced = controls.forced.value_or(-1);
  row.banned = list([&] {
    for (int32_t id : controls.banned) // all inside the vocabulary: the bits count them
      entries.push_back({id, 0});
  });
  if (controls.forced)
    return Status::ok();
  row.bias = list([&] {
    const size_t first = entries.size();
    for (auto [id, bias] : options.logitBias)
      entries.push_back({id, bias});
    std::stable_sort(entries.begin() + ptrdiff_t(first), entries.end(),
                     [](const SampleEntry &a, const SampleEntry &b) { return a.token < b.token; });
  });
  row.penalties = list([&] {
    for (const TokenPenalty &p : controls.penalties)
      if (known(p.token))
        entries.push_back({p.token, p.amount});
  });
  if (options.repetitionPenalty != 1)
    row.seen = list([&] {
      const int32_t window = options.repetitionWindow;
      listSeen(history.tokens, window > 0 ? window - unknown : window, counts, entries);
    });
  const bool byCount = options.presencePenalty != 0 || options.frequencyPenalty != 0;
  row.carries = unknown > 0 && (options.repetitionPenalty != 1 || byCount);
  if (byCount)
    row.generated = list([&] {
      listSeen(history.tokens.subspan(size_t(history.promptLength)), 0, counts, entries);
    });
  row.dry = list([&] { listDry(history.tokens, options.dry, scratch, counts, entries); });
  return Status::ok();
}

} // namespace qrt
