//===- ScriptEngine.h - An engine whose next token is a function of the text ------------------===//
// Keeps what was fed, checks that calls follow the contract of Engine.h, and counts them.
#ifndef QRT_TEST_SCRIPTENGINE_H
#define QRT_TEST_SCRIPTENGINE_H

#include "qrt/Engine.h"

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <vector>

namespace qrt::test {

class ScriptEngine : public Engine {
public:
  using Script = std::function<int32_t(const std::vector<int32_t> &)>;
  ScriptEngine(int32_t vocab, Script script, int64_t context = 0)
      : vocab(vocab), context(context), script(std::move(script)) {}

  Result<int> addSequence() override {
    int seq = 0;
    while (sequences.contains(seq))
      ++seq;
    sequences[seq] = {};
    alternate[seq] = {};
    return seq;
  }
  void release(int seq) override { EXPECT_EQ(sequences.erase(seq), 1u); }
  Status truncate(int seq, int64_t length) override {
    EXPECT_LE(length, int64_t(sequences.at(seq).size()));
    sequences.at(seq).resize(size_t(length));
    return Status::ok();
  }
  int64_t length(int seq) const override { return int64_t(sequences.at(seq).size()); }
  int32_t vocabSize() const override { return vocab; }
  int64_t maxContext() const override { return context; }
  bool alternateWeights() const override { return secondSet; }
  Result<StepResult> step(std::span<const Chunk> chunks) override {
    ++steps;
    std::set<int> seen;
    logits.clear();
    if (failAt == steps)
      return resourceExhausted("as the test wants");
    for (const Chunk &chunk : chunks) {
      EXPECT_TRUE(seen.insert(chunk.seq).second);
      EXPECT_FALSE(chunk.tokens.empty());
      EXPECT_TRUE(secondSet || !chunk.alternate);
      auto &tokens = sequences.at(chunk.seq);
      auto &sets = alternate[chunk.seq];
      sets.resize(tokens.size());
      sets.insert(sets.end(), chunk.tokens.size(), chunk.alternate);
      tokens.insert(tokens.end(), chunk.tokens.begin(), chunk.tokens.end());
      EXPECT_TRUE(context == 0 || int64_t(tokens.size()) <= context);
      largest = std::max(largest, chunk.tokens.size());
      if (chunk.logits == Logits::Last) {
        logits.resize(logits.size() + size_t(vocab), 0.0f);
        const auto &chosen = chunk.alternate && secondScript ? secondScript : script;
        logits[logits.size() - size_t(vocab) + size_t(chosen(tokens))] =
            !chunk.alternate && unsureAt.contains(tokens.size()) ? 1 : sharpness;
      }
    }
    widest = std::max(widest, chunks.size());
    return StepResult{logits.data(), int64_t(logits.size()) / vocab};
  }
  EngineStats stats() const override { return {}; }

  int32_t vocab;
  int64_t context;
  Script script, secondScript; ///< of the second weight set, if it differs
  bool secondSet = false;
  float sharpness = 20;
  std::set<size_t> unsureAt; ///< lengths of text behind which the first weight set is unsure
  int64_t steps = 0, failAt = -1;
  size_t largest = 0, widest = 0;
  std::map<int, std::vector<int32_t>> sequences;
  std::map<int, std::vector<bool>> alternate; ///< per token: by the second set; kept when released
  std::vector<float> logits;
};

} // namespace qrt::test

#endif // QRT_TEST_SCRIPTENGINE_H
