//===- GenericEngine.cpp - Sequences of programs that were not raised ------------------------===//
#include "Engine/GenericEngine.h"

#include "Engine/TensorBytes.h"
#include "Support/Memory.h"

#include <algorithm>
#include <cstring>

namespace qrt {

GenericEngine::GenericEngine(std::shared_ptr<const Model> theModel, const EngineOptions &theOptions)
    : model(std::move(theModel)), options(theOptions), pool(options.threads),
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

Result<int> GenericEngine::addSequence() {
  auto unused = std::find_if(sequences.begin(), sequences.end(),
                             [](const Sequence &sequence) { return !sequence.inUse; });
  if (unused == sequences.end()) {
    if (sequences.size() >= 65536)
      return resourceExhausted("65536 sequences are in use");
    unused = sequences.emplace(sequences.end());
  }
  unused->inUse = true;
  return int(unused - sequences.begin());
}

int64_t GenericEngine::length(int seq) const {
  if (seq < 0 || size_t(seq) >= sequences.size() || !sequences[seq].inUse)
    return -1;
  return int64_t(sequences[seq].tokens.size());
}

void GenericEngine::release(int seq) {
  if (length(seq) >= 0)
    sequences[seq] = Sequence();
}

Status GenericEngine::truncate(int seq, int64_t newLength) {
  if (length(seq) < 0)
    return invalidArgument("no sequence " + std::to_string(seq));
  if (newLength < 0 || newLength > length(seq))
    return invalidArgument("cannot truncate a sequence of " + std::to_string(length(seq)) +
                           " tokens to " + std::to_string(newLength));
  Sequence &sequence = sequences[seq];
  sequence.tokens.resize(size_t(newLength));
  for (const BoundInput &input : binding.inputs)
    if (input.role == InputRole::Past && input.capacity == 0 && !sequence.past.empty())
      sequence.past[input.pastIndex] =
          leadingPart(sequence.past[input.pastIndex], input.sequenceAxis, newLength);
  return Status::ok();
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

Status GenericEngine::validate(std::span<const Chunk> chunks) const {
  std::vector<int> seen;
  for (const Chunk &chunk : chunks) {
    if (length(chunk.seq) < 0)
      return invalidArgument("no sequence " + std::to_string(chunk.seq));
    if (std::find(seen.begin(), seen.end(), chunk.seq) != seen.end())
      return invalidArgument("a sequence occurs twice in one step");
    seen.push_back(chunk.seq);
    if (chunk.tokens.empty())
      return invalidArgument("a chunk without tokens");
    if (chunk.alternate)
      return invalidArgument("a chunk asks for the second weight set, which this program lacks");
    for (int32_t token : chunk.tokens)
      if (token < 0 || token >= vocabSize())
        return invalidArgument("token id " + std::to_string(token) +
                               " is outside the vocabulary of " + std::to_string(vocabSize()));
    int64_t limit = contextLimit > 0 ? contextLimit : INT32_MAX;
    if (int64_t(chunk.tokens.size()) > limit - length(chunk.seq))
      return invalidArgument("sequence " + std::to_string(chunk.seq) + " would have " +
                             std::to_string(length(chunk.seq) + int64_t(chunk.tokens.size())) +
                             " tokens, more than the context of " + std::to_string(limit));
  }
  return Status::ok();
}

Status GenericEngine::takeLogits(const tensor::Tensor &logits, int64_t tokens, int64_t wanted) {
  const int64_t vocab = vocabSize();
  const int64_t given = logits.shape.empty() || vocab == 0 ? 0 : elementCount(logits) / vocab;
  if (logits.shape.empty() || logits.shape.back() != vocab || (given != tokens && given != 1))
    return invalidModel("output 'logits' has shape " + shapeText(logits.shape) + " for " +
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
      return unsupported("the present keys or values have shape " + shapeText(present.shape) +
                         "; expected " + std::to_string(expected) + " tokens on dimension " +
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
  QRT_RETURN_IF_ERROR(validate(chunks));
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
  return StepResult{rows.data(), int64_t(rows.size()) / vocabSize()};
}

} // namespace qrt
