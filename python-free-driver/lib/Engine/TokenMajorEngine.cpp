//===- TokenMajorEngine.cpp - Sequences, checks and memory of raised programs ----------------===//
#include "Engine/TokenMajorEngine.h"

#include "Engine/Chunks.h"
#include "Engine/LinearGroups.h"
#include "Engine/MemoryNeed.h"
#include "Format/AlternateSet.h"
#include "Format/Verifier.h"
#include "Support/Memory.h"
#include "kernels/cpu/attention/attention.h"

#include <algorithm>
#include <cctype>

namespace qrt {

TokenMajorEngine::TokenMajorEngine(std::shared_ptr<const Model> theModel,
                                   const EngineOptions &theOptions, const KvSpec &kv)
    : SequenceEngine(std::move(theModel), theOptions), pool(options.threads),
      budget(options.maxMemory), cache(model->program().caches, kv, budget) {}

/// How a profile names what instructions that run as one compute.
static std::string whatOf(const Program &program, const std::vector<const Instruction *> &group) {
  std::string what = opCodeName(group[0]->op);
  what[0] = static_cast<char>(std::tolower(what[0]));
  if (group[0]->op != OpCode::Linear)
    return what;
  int64_t n = 0, k = 0;
  for (const Instruction *linear : group) {
    const int32_t tensor = program.values[size_t(linear->inputs[1])].tensorIndex;
    n += program.tensors[size_t(tensor)].shape[0];
    k = program.tensors[size_t(tensor)].shape[1];
  }
  return what + " " + std::to_string(n) + " x " + std::to_string(k);
}

/// What the products of a group of linears read, in order.
static std::vector<kernels::ThreadPool::Bytes>
weightsOf(const Model &model, const std::vector<const Instruction *> &group) {
  std::vector<kernels::ThreadPool::Bytes> out;
  for (const Instruction *linear : group) {
    if (linear->op != OpCode::Linear)
      continue;
    const kernels::WeightView weight =
        model.weight(model.program().values[size_t(linear->inputs[1])].tensorIndex);
    if (Result<kernels::PackedSizes> sizes = kernels::packedSizes(weight.desc))
      out.push_back({static_cast<const std::byte *>(weight.data), sizes->data});
  }
  return out;
}

Result<std::unique_ptr<Engine>> TokenMajorEngine::create(std::shared_ptr<const Model> model,
                                                         const EngineOptions &options,
                                                         const KvSpec &kv) {
  for (const CacheSpec &spec : model->program().caches)
    QRT_RETURN_IF_ERROR(kernels::checkKvTypes(spec.headDim, kv.keys, spec.valueDim, kv.values)
                            .withContext(model->path()));
  std::unique_ptr<TokenMajorEngine> engine(new TokenMajorEngine(std::move(model), options, kv));
  const Program &program = engine->model->program();
  QRT_ASSIGN_OR_RETURN(engine->contextLimit, contextLimitOf(program, options));

  Binder binder(*engine->model);
  const std::vector<bool> selected = selectedRowValues(program);
  const ArenaFloats floats = arenaFloats(program);
  engine->allFloats = floats.all;
  engine->selectedFloats = floats.selected;
  const std::vector<size_t> leaders = linearGroupLeaders(program);
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    if (leaders[i] != i)
      continue;
    const Instruction &instruction = program.instructions[i];
    std::vector<const Instruction *> group;
    for (size_t j = i; j < leaders.size(); ++j)
      if (leaders[j] == i)
        group.push_back(&program.instructions[j]);
    engine->instructions.push_back(
        {i,
         selected[instruction.outputs[0]],
         group.size() > 1 ? binder.bindLinears(group) : binder.bind(instruction),
         whatOf(program, group),
         0,
         weightsOf(*engine->model, group),
         {}});
  }
  // Twice round, since the first linears of a step follow the last ones.
  const size_t calls = engine->instructions.size();
  const std::vector<kernels::ThreadPool::Bytes> *next = nullptr;
  for (size_t i = 2 * calls; i-- > 0;) {
    ScheduledCall &call = engine->instructions[i % calls];
    if (call.weights.empty())
      continue;
    if (next)
      call.nextWeights = *next;
    next = &call.weights;
  }
  engine->ropeTables = binder.ropeTables();
  engine->logits = binder.buffer(program.outputs[0].value);
  QRT_RETURN_IF_ERROR(engine->checkMemory());
  return std::unique_ptr<Engine>(std::move(engine));
}

Status TokenMajorEngine::checkMemory() const {
  int64_t arenaBytes = (allFloats * options.prefillChunk + selectedFloats) * int64_t(sizeof(float));
  QRT_RETURN_IF_ERROR(
      budget.check(arenaBytes + cache.bytesPerBlock(), "activations for chunks of " +
                                                           std::to_string(options.prefillChunk) +
                                                           " tokens and the first KV block"));
  // The weights are mapped, not allocated, but decoding reads all of them for every token: a model
  // that does not fit would read the disk for ever.
  int64_t available = availableMemory();
  int64_t weights = int64_t(model->fileBytes());
  if (!options.alternateWeights) // then nobody reads the second set
    weights -= alternateSet(model->program()).bytes;
  int64_t needed = weights + arenaBytes + cache.bytesPerBlock();
  if (needed > available)
    return resourceExhausted(model->path() + ": needs " + formatBytes(needed) + " (weights " +
                             formatBytes(weights) + ", activations " + formatBytes(arenaBytes) +
                             ", first KV block " + formatBytes(cache.bytesPerBlock()) +
                             "), the machine has " + formatBytes(available) + " free");
  return Status::ok();
}

EngineStats TokenMajorEngine::stats() const {
  EngineStats out;
  out.kv = cache.spec();
  out.kvBytes = cache.totalBytes();
  out.arenaBytes = budget.usedBytes() - out.kvBytes + int64_t(workspace.size());
  out.kvPagesInUse = cache.blocksInUse();
  out.programRuns = programRuns;
  out.tokens = totalTokens;
  if (options.profile)
    for (const ScheduledCall &scheduled : instructions)
      out.seconds[scheduled.what] += scheduled.seconds;
  return out;
}

Result<Engine::StepResult> TokenMajorEngine::step(std::span<const Chunk> chunks) {
  QRT_RETURN_IF_ERROR(verify(chunks));
  return stepWith(chunks, [&] { return stepAll(chunks); });
}

} // namespace qrt
