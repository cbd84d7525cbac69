//===- GenericEngine.cpp - Sequences of programs that were not raised ------------------------===//
#include "Engine/GenericEngine.h"

#include "Engine/TensorBytes.h"
#include "Support/Memory.h"
#include "Tensor/Shapes.h"

#include <algorithm>
#include <cstring>

namespace qrt {

GenericEngine::GenericEngine(std::shared_ptr<const Model> theModel, const EngineOptions &theOptions)
    : SequenceEngine(std::move(theModel), theOptions), pool(options.threads),
      budget(options.maxMemory) {
  contextLimit = options.maxContext > 0 ? options.maxContext : model->program().maxContext;
}

Result<std::unique_ptr<Engine>> GenericEngine::create(std::shared_ptr<const Model> model,
                                                      const EngineOptions &options) {
  auto binding = bindGeneric(model->program());
  if (!binding)
    return binding.status().withContext(model->path());
  auto weights = int64_t(model->fileBytes());
  if (int64_t available = availableMemory(); weights > available)
    return resourceExhausted(model->path() + ": weights of " + formatBytes(weights) +
                             ", the machine has " + formatBytes(available) + " free");
  std::unique_ptr<GenericEngine> engine(new GenericEngine(std::move(model), options));
  engine->binding = binding.takeValue();
  if (int64_t capacity = engine->binding.capacity)
    engine->contextLimit =
        engine->contextLimit > 0 ? std::min(engine->contextLimit, capacity) : capacity;
  QRT_RETURN_IF_ERROR(engine->prepare());
  return std::unique_ptr<Engine>(std::move(engine));
}

void GenericEngine::shrink(Sequence &sequence, int64_t length) {
  if (length == 0)
    sequence.past.clear();
  sequence.tokens.resize(size_t(length));
  for (const BoundInput &input : binding.inputs)
    if (input.role == InputRole::Past && input.capacity == 0 && !sequence.past.empty())
      sequence.past[input.pastIndex] =
          leadingPart(sequence.past[input.pastIndex], input.sequenceAxis, length);
}

int64_t GenericEngine::pastBytes() const {
  int64_t bytes = 0;
  for (const Sequence &sequence : sequences)
    for (const tensor::Tensor &past : sequence.past)
      bytes += byteSize(past);
  return bytes;
}

EngineStats GenericEngine::stats() const {
  EngineStats out;
  out.kvBytes = pastBytes();
  out.arenaBytes = int64_t(workspace.size() + rows.capacity() * sizeof(float));
  out.programRuns = programRuns;
  out.tokens = totalTokens;
  return out;
}

Status GenericEngine::takeLogits(const tensor::Tensor &logits, int64_t tokens, int64_t wanted) {
  const int64_t vocab = vocabSize();
  const int64_t given = logits.shape.empty() || vocab == 0 ? 0 : elementCount(logits) / vocab;
  if (logits.shape.empty() || logits.shape.back() != vocab || (given != tokens && given != 1))
    return invalidModel("output 'logits' has shape " + tensor::shapeText(logits.shape) + " for " +
                        std::to_string(tokens) + " tokens and a vocabulary of " +
                        std::to_string(vocab));
  if (given < wanted)
    return unsupported("the model gives the logits of the last token only");
  QRT_ASSIGN_OR_RETURN(tensor::Tensor wide, toF32(logits));
  const auto *from = static_cast<const float *>(wide.data.get()) + (given - wanted) * vocab;
  rows.insert(rows.end(), from, from + wanted * vocab);
  return Status::ok();
}

Status GenericEngine::takePast(std::vector<tensor::Tensor> &values, Sequence &sequence,
                               int64_t newLength) const {
  sequence.past.resize(binding.presents.size());
  for (const BoundInput &input : binding.inputs) {
    if (input.role != InputRole::Past)
      continue;
    const tensor::Tensor &present = values[size_t(binding.presents[input.pastIndex])];
    const int64_t expected = input.capacity ? input.capacity : newLength;
    if (present.shape.size() != input.emptyShape.size() ||
        present.shape[input.sequenceAxis] != expected || !present.data)
      return unsupported("the present keys or values have shape " +
                         tensor::shapeText(present.shape) + "; expected " +
                         std::to_string(expected) + " tokens on dimension " +
                         std::to_string(input.sequenceAxis));
    sequence.past[input.pastIndex] = present;
  }
  return Status::ok();
}

Status GenericEngine::advance(Sequence &sequence, const Chunk &chunk) {
  // Without a cache the whole sequence is run again; only the new rows are of interest.
  const size_t piece = binding.cached() ? size_t(options.prefillChunk) : chunk.tokens.size();
  for (size_t done = 0; done < chunk.tokens.size();) {
    auto slice = chunk.tokens.subspan(done, std::min(piece, chunk.tokens.size() - done));
    done += slice.size();
    const auto before = binding.cached() ? int64_t(sequence.tokens.size()) : 0;
    sequence.tokens.insert(sequence.tokens.end(), slice.begin(), slice.end());
    std::span<const int32_t> ids = std::span(sequence.tokens).subspan(size_t(before));
    QRT_RETURN_IF_ERROR(budget.check(2 * pastBytes(), "keys and values"));
    std::vector<tensor::Tensor> values;
    QRT_RETURN_IF_ERROR(run(values, ids, before, sequence.past));
    bool last = done == chunk.tokens.size();
    int64_t wanted = chunk.logits == Logits::All            ? int64_t(slice.size())
                     : chunk.logits == Logits::Last && last ? 1
                                                            : 0;
    if (wanted > 0)
      QRT_RETURN_IF_ERROR(takeLogits(values[size_t(binding.logits)], int64_t(ids.size()), wanted));
    if (binding.cached())
      QRT_RETURN_IF_ERROR(takePast(values, sequence, int64_t(sequence.tokens.size())));
    ++programRuns;
    totalTokens += int64_t(ids.size());
  }
  return Status::ok();
}

Result<Engine::StepResult> GenericEngine::step(std::span<const Chunk> chunks) {
  QRT_RETURN_IF_ERROR(verify(chunks));
  rows.clear();
  std::vector<Sequence> saved; // tensors are shared, so this copies only tokens
  for (const Chunk &chunk : chunks)
    saved.push_back(sequences[chunk.seq]);
  for (const Chunk &chunk : chunks) {
    if (Status status = advance(sequences[chunk.seq], chunk); !status) {
      for (size_t i = 0; i < chunks.size(); ++i)
        sequences[chunks[i].seq] = std::move(saved[i]);
      return status;
    }
  }
  for (const Chunk &chunk : chunks)
    sequences[chunk.seq].length = int64_t(sequences[chunk.seq].tokens.size());
  return StepResult{rows.data(), int64_t(rows.size()) / vocabSize()};
}

} // namespace qrt
