//===- SequenceEngine.h - What every engine does with its sequences --------------------------===//
// Numbers, lengths and limits of sequences are the same on every device and for every kind of
// program; what they hold (KV pages, blocks of a device, tensors) is the engine's. `Sequence` has
// members `inUse` and `length`.
#ifndef QRT_ENGINE_SEQUENCEENGINE_H
#define QRT_ENGINE_SEQUENCEENGINE_H

#include "Engine/Chunks.h"
#include "qrt/Engine.h"

#include <memory>
#include <type_traits>
#include <vector>

namespace qrt {

template <class Sequence>
class SequenceEngine : public Engine {
public:
  Result<int> addSequence() final {
    size_t free = 0;
    while (free < sequences.size() && sequences[free].inUse)
      ++free;
    if (free == maxSequences)
      return resourceExhausted(std::to_string(maxSequences) + " sequences are in use");
    if (free == sequences.size())
      sequences.emplace_back();
    sequences[free].inUse = true;
    return int(free);
  }
  void release(int seq) final {
    if (length(seq) < 0)
      return;
    cut(seq, 0);
    sequences[size_t(seq)].inUse = false;
  }
  Status truncate(int seq, int64_t newLength) final {
    if (length(seq) < 0)
      return invalidArgument("no sequence " + std::to_string(seq));
    if (newLength < 0 || newLength > length(seq))
      return invalidArgument("cannot truncate a sequence of " + std::to_string(length(seq)) +
                             " tokens to " + std::to_string(newLength));
    if (newLength < length(seq))
      cut(seq, newLength);
    return Status::ok();
  }
  int64_t length(int seq) const final {
    if (seq < 0 || size_t(seq) >= sequences.size() || !sequences[size_t(seq)].inUse)
      return -1;
    return sequences[size_t(seq)].length;
  }
  int32_t vocabSize() const final { return model->program().vocabSize; }
  int64_t maxContext() const final { return contextLimit; }

protected:
  static constexpr size_t maxSequences = 65536;

  SequenceEngine(std::shared_ptr<const Model> model, const EngineOptions &options)
      : model(std::move(model)), options(options) {}

  /// Gives up what a sequence holds behind its first `length` tokens, which may be more than its
  /// length says: room that was made for a step.
  virtual void shrink(Sequence &sequence, int64_t length) = 0;
  /// Before tokens of a sequence are taken back.
  virtual void willCut(int seq) {}
  /// Makes room for `tokens` tokens in all.
  virtual Status grow(Sequence &sequence, int64_t tokens) = 0;

  Status verify(std::span<const Chunk> chunks) const {
    return verifyChunks(
        chunks, [this](int seq) { return length(seq); }, vocabSize(), contextLimit,
        alternateWeights());
  }
  /// Makes room for the chunks, which are verified, and calls run(); sequences are longer
  /// afterwards, or as they were if there was an error.
  template <class Run>
  std::invoke_result_t<Run> stepWith(std::span<const Chunk> chunks, Run run) {
    auto result = [&]() -> std::invoke_result_t<Run> {
      for (const Chunk &chunk : chunks) {
        Sequence &sequence = sequences[size_t(chunk.seq)];
        QRT_RETURN_IF_ERROR(grow(sequence, sequence.length + int64_t(chunk.tokens.size())));
      }
      return run();
    }();
    for (const Chunk &chunk : chunks) {
      Sequence &sequence = sequences[size_t(chunk.seq)];
      if (result)
        sequence.length += int64_t(chunk.tokens.size());
      else
        shrink(sequence, sequence.length);
    }
    return result;
  }

  std::shared_ptr<const Model> model;
  EngineOptions options;
  int64_t contextLimit = 0;
  std::vector<Sequence> sequences;
  int64_t programRuns = 0, totalTokens = 0;

private:
  void cut(int seq, int64_t newLength) {
    willCut(seq);
    Sequence &sequence = sequences[size_t(seq)];
    shrink(sequence, newLength);
    sequence.length = newLength;
  }
};

} // namespace qrt

#endif // QRT_ENGINE_SEQUENCEENGINE_H
