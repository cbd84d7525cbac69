//===- CudaEngine.cpp - Memory and sequences of an engine on a device ------------------------===//
#include "Engine/CudaEngine.h"

#include "Engine/Chunks.h"
#include "Engine/CudaLimits.h"
#include "Engine/KvCache.h"
#include "Support/Memory.h"

#include <algorithm>
#include <bit>

namespace qrt {

Result<std::unique_ptr<Engine>> CudaEngine::create(std::shared_ptr<const Model> model,
                                                   const EngineOptions &options) {
  std::unique_ptr<CudaEngine> engine(new CudaEngine(std::move(model), options));
  Status made = engine->open();
  if (made)
    made = engine->allocate();
  if (made.code() == StatusCode::Unsupported) // the CPU may well do it
    return deviceError(DeviceProblem::NotSupported, made.message());
  QRT_RETURN_IF_ERROR(made);
  return std::unique_ptr<Engine>(std::move(engine));
}

Status CudaEngine::open() {
  QRT_ASSIGN_OR_RETURN(contextLimit, contextLimitOf(model->program(), options));
  // Positions are 32-bit; without a limit of the model the tables of blocks need one.
  contextBound = contextLimit > 0 ? contextLimit : cudaDefaultContext;
  contextLimit = contextBound;
  QRT_ASSIGN_OR_RETURN(device, CudaDevice::open(options.device.index));
  QRT_ASSIGN_OR_RETURN(const CudaDevice::FreeBytes memory, device->freeMemory());
  if (int64_t(model->fileBytes()) > memory.free) // before anything is looked at closely
    return deviceError(DeviceProblem::OutOfMemory,
                       model->path() + " has " + formatBytes(int64_t(model->fileBytes())) +
                           " of weights, " + device->name() + " has " + formatBytes(memory.free) +
                           " of " + formatBytes(memory.total) + " free");
  CudaLimits limits;
  limits.decodeRows = cudaDecodeRows;
  limits.selectedRows = cudaDecodeRows;
  limits.rows = std::max(options.prefillChunk, cudaDecodeRows);
  limits.maxContext = contextBound;
  QRT_ASSIGN_OR_RETURN(kv,
                       resolveKv(model->program().kv, cudaKvOptions(model->program(), options.kv)));
  limits.kv = kv;
  limits.alternates = options.alternateWeights;
  QRT_ASSIGN_OR_RETURN(CudaProgram planned, CudaProgram::create(*model, *device, limits));
  program.emplace(std::move(planned));
  return Status::ok();
}

int64_t CudaEngine::preciseBlocksOf(int64_t rows) const {
  const int64_t window = kv.recent > 0 ? kv.recent + kvRollBack + rows : 0;
  return (kv.sink + cuda::kvBlockTokens - 1) / cuda::kvBlockTokens +
         (window + cuda::kvBlockTokens - 1) / cuda::kvBlockTokens + 1;
}

Status CudaEngine::planBlocks(int64_t freeBytes, int64_t totalBytes) {
  const int64_t stride = (contextBound + cuda::kvBlockTokens - 1) / cuda::kvBlockTokens;
  const int64_t rows = std::max(options.prefillChunk, cudaDecodeRows);
  const int64_t precise = program->preciseBlockBytes();
  const int64_t fixed =
      program->arenaBytes() +
      CudaSampling::slotCount *
          CudaStepBuffers::bytes(cudaDecodeRows, cudaDecodeRows, stride, precise > 0) +
      CudaStepBuffers::bytes(rows, std::min<int64_t>(rows, cudaPrefillParts), stride, precise > 0) +
      CudaSampling::bytes(cudaDecodeRows, vocabSize());
  const int64_t leastPrecise = precise > 0 ? preciseBlocksOf(rows) : 0;
  const int64_t weights = program->weightBytes(),
                block = program->kvBlockBytes() + leastPrecise * precise;
  auto figures = [&](int64_t available) {
    return model->path() + " needs " + formatBytes(weights + fixed + block) + " (weights " +
           formatBytes(weights) + ", activations " + formatBytes(fixed) + ", first KV block " +
           formatBytes(block) + "), " + device->name() + " has " + formatBytes(available) + " of " +
           formatBytes(totalBytes) + " free";
  };
  if (weights + fixed + block > freeBytes)
    return deviceError(DeviceProblem::OutOfMemory, figures(freeBytes));
  // A tenth of the memory stays for the driver, its graphs and other processes.
  int64_t left = std::max(block, freeBytes - weights - fixed - totalBytes / 10);
  if (options.maxMemory > 0) {
    if (fixed + block > options.maxMemory)
      return resourceExhausted("activations and the first KV block need " +
                               formatBytes(fixed + block) + ", the limit is " +
                               formatBytes(options.maxMemory));
    left = std::min(left, options.maxMemory - fixed);
  }
  if (block == 0)
    return Status::ok(); // a program without attention
  if (precise > 0) { // those of as many sequences as a graph decodes, or a quarter of the memory
    const int64_t most = leastPrecise + cudaDecodeRows * preciseBlocksOf(1);
    preciseBlocks.total = std::clamp(left / 4 / precise, leastPrecise, most);
    left -= preciseBlocks.total * precise;
  }
  storedBlocks.total = std::min(left / program->kvBlockBytes(), stride * cudaFullSequences);
  return Status::ok();
}

Status CudaEngine::allocateBlocks(KvBlocks &kind, int64_t bytesOfBlock) {
  if (kind.total == 0)
    return Status::ok();
  const int64_t bytes = kind.total * bytesOfBlock;
  QRT_ASSIGN_OR_RETURN(kind.memory, device->allocate(bytes, "KV cache"));
  // What lies behind a sequence's length is weighed with zero; it must be finite.
  QRT_RETURN_IF_ERROR(device->fill(kind.memory.get(), 0, bytes));
  kind.free.resize(size_t(kind.total));
  for (int64_t i = 0; i < kind.total; ++i)
    kind.free[size_t(i)] = int32_t(kind.total - 1 - i);
  return Status::ok();
}

Status CudaEngine::allocate() {
  QRT_ASSIGN_OR_RETURN(const CudaDevice::FreeBytes memory, device->freeMemory());
  QRT_RETURN_IF_ERROR(planBlocks(memory.free, memory.total));
  QRT_RETURN_IF_ERROR(allocateBlocks(storedBlocks, program->kvBlockBytes()));
  QRT_RETURN_IF_ERROR(allocateBlocks(preciseBlocks, program->preciseBlockBytes()));
  const bool precise = preciseBlocks.total > 0;
  QRT_ASSIGN_OR_RETURN(faults, device->allocate(sizeof(uint32_t), "word of faults"));
  QRT_RETURN_IF_ERROR(device->fill(faults.get(), 0, sizeof(uint32_t)));
  device->setFaults(static_cast<uint32_t *>(faults.get()));
  QRT_ASSIGN_OR_RETURN(hostFaults, device->allocatePinned(sizeof(uint32_t), "word of faults"));
  QRT_ASSIGN_OR_RETURN(
      hostLogits, device->allocatePinned(cudaDecodeRows * program->logitsStride() * 4, "logits"));
  const int64_t stride = (contextBound + cuda::kvBlockTokens - 1) / cuda::kvBlockTokens;
  const int64_t rows = std::max(options.prefillChunk, cudaDecodeRows);
  for (auto &buffers : decodeBuffers) {
    QRT_ASSIGN_OR_RETURN(
        buffers, CudaStepBuffers::create(*device, cudaDecodeRows, cudaDecodeRows, stride, precise));
  }
  QRT_ASSIGN_OR_RETURN(prefillBuffers, CudaStepBuffers::create(
                                           *device, rows, std::min<int64_t>(rows, cudaPrefillParts),
                                           stride, precise));
  QRT_RETURN_IF_ERROR(program->load(storedBlocks.memory.get(), preciseBlocks.memory.get()));
  if (CudaSampling::isPossible(*device) && program->hasTail()) {
    QRT_ASSIGN_OR_RETURN(sampling, CudaSampling::create(*device, cudaDecodeRows, vocabSize()));
  }
  return device->synchronize();
}

void CudaEngine::willCut(int seq) {
  if (ahead && std::find(ahead->seqs.begin(), ahead->seqs.end(), seq) != ahead->seqs.end())
    (void)dropAhead(); // an error of the device shows in the next call
}

Status CudaEngine::grow(Sequence &sequence, int64_t tokens) {
  if (program->kvBlockBytes() == 0)
    return Status::ok();
  const auto needed = size_t((tokens + cuda::kvBlockTokens - 1) / cuda::kvBlockTokens);
  CudaBlocks &blocks = sequence.blocks;
  const size_t before = blocks.stored.size();
  std::vector<int32_t> &free = storedBlocks.free;
  if (needed > before && needed - before > free.size())
    return resourceExhausted(
        "the KV cache of " + device->name() + " has " + std::to_string(free.size()) + " of " +
        std::to_string(storedBlocks.total) + " blocks of " + std::to_string(cuda::kvBlockTokens) +
        " tokens free, " + std::to_string(needed - before) + " more are needed");
  while (blocks.stored.size() < needed) {
    blocks.stored.push_back(free.back());
    blocks.precise.push_back(-1);
    free.pop_back();
  }
  return Status::ok();
}

void CudaEngine::shrink(Sequence &sequence, int64_t tokens) {
  const auto keep = size_t((tokens + cuda::kvBlockTokens - 1) / cuda::kvBlockTokens);
  CudaBlocks &blocks = sequence.blocks;
  while (blocks.stored.size() > keep) {
    dropPrecise(sequence, blocks.stored.size() - 1);
    storedBlocks.free.push_back(blocks.stored.back());
    blocks.stored.pop_back();
    blocks.precise.pop_back();
  }
  blocks.preciseFrom = std::min(blocks.preciseFrom, tokens);
}

void CudaEngine::dropPrecise(Sequence &sequence, size_t block) {
  int32_t &number = sequence.blocks.precise[block];
  if (number >= 0)
    preciseBlocks.free.push_back(number);
  number = -1;
}

Status CudaEngine::growPrecise(Sequence &sequence, int64_t position, int64_t tokens) {
  if (preciseBlocks.total == 0)
    return Status::ok();
  const int64_t end = std::min(position + tokens, kv.recent > 0 ? position + tokens : kv.sink);
  for (int64_t block = position / cuda::kvBlockTokens; block * cuda::kvBlockTokens < end; ++block) {
    int32_t &number = sequence.blocks.precise[size_t(block)];
    if (number >= 0)
      continue;
    if (preciseBlocks.free.empty())
      return resourceExhausted("the KV cache of " + device->name() + " has none of " +
                               std::to_string(preciseBlocks.total) +
                               " blocks of precise tokens free: fewer sequences, or a smaller "
                               "--kv-window");
    number = preciseBlocks.free.back();
    preciseBlocks.free.pop_back();
  }
  return Status::ok();
}

void CudaEngine::releasePrecise(Sequence &sequence, int64_t length) {
  if (preciseBlocks.total == 0)
    return;
  // A query at position p reads from p - recent + 1 on.
  const int64_t first = std::max<int64_t>(0, length - kvRollBack - kv.recent + 1);
  const auto from = std::min(size_t(first / cuda::kvBlockTokens), sequence.blocks.precise.size());
  const auto sinks = size_t((kv.sink + cuda::kvBlockTokens - 1) / cuda::kvBlockTokens);
  for (size_t block = sinks; block < from; ++block)
    dropPrecise(sequence, block);
  sequence.blocks.preciseFrom =
      std::max(sequence.blocks.preciseFrom, int64_t(from) * cuda::kvBlockTokens);
}

EngineStats CudaEngine::stats() const {
  EngineStats out;
  out.arenaBytes = program->arenaBytes();
  out.kv = kv;
  out.kvBytes = storedBlocks.total * program->kvBlockBytes() +
                preciseBlocks.total * program->preciseBlockBytes();
  out.kvPagesInUse = storedBlocks.total - int64_t(storedBlocks.free.size());
  out.programRuns = programRuns;
  out.tokens = totalTokens;
  out.stepsAhead = stepsAhead;
  out.stepsInVain = stepsInVain;
  return out;
}

Result<Engine::StepResult> CudaEngine::step(std::span<const Chunk> chunks) {
  return stepChecked(chunks, nullptr);
}

int64_t CudaEngine::maxSampleEntries() const { return sampling ? CudaSampling::maxEntries : 0; }

Result<std::span<const SampleResult>>
CudaEngine::stepAndSample(std::span<const Chunk> chunks, std::span<const SampleRow> rows,
                          std::span<const SampleEntry> entries, const Ahead &next) {
  if (!sampling)
    return unsupported("the library of " + device->name() + " has no sampler");
  size_t wanted = 0;
  for (const Chunk &chunk : chunks) {
    if (chunk.logits == Logits::All)
      return invalidArgument("a chunk that wants all logits cannot be sampled");
    wanted += chunk.logits == Logits::Last;
  }
  if (wanted != rows.size())
    return invalidArgument(std::to_string(rows.size()) + " rows to sample for " +
                           std::to_string(wanted) + " wanted logits");
  QRT_RETURN_IF_ERROR(CudaSampling::verify(rows, entries, vocabSize()));
  if (!next.rows.empty()) {
    if (next.rows.size() != rows.size())
      return invalidArgument(std::to_string(next.rows.size()) + " rows to sample ahead of " +
                             std::to_string(rows.size()));
    QRT_RETURN_IF_ERROR(CudaSampling::verify(next.rows, next.entries, vocabSize()));
  }
  sampled.clear();
  const SampleRequest request = {rows, entries, next};
  QRT_RETURN_IF_ERROR(stepChecked(chunks, &request).status());
  return std::span<const SampleResult>(sampled);
}

Result<Engine::StepResult> CudaEngine::stepChecked(std::span<const Chunk> chunks,
                                                   const SampleRequest *samples) {
  QRT_RETURN_IF_ERROR(verify(chunks));
  if (!samples || !isAhead(chunks, *samples))
    QRT_RETURN_IF_ERROR(dropAhead());
  auto result = stepWith(chunks, [&] { return run(chunks, samples); });
  if (!result)
    (void)dropAhead(); // the first error is the one to tell
  return result;
}

Result<Engine::StepResult> CudaEngine::run(std::span<const Chunk> chunks,
                                           const SampleRequest *samples) {
  const auto asksForSecond = [](const Chunk &chunk) { return chunk.alternate; };
  const auto second = std::count_if(chunks.begin(), chunks.end(), asksForSecond);
  if (second > 0 && second < std::ssize(chunks))
    return runBothSets(chunks, samples);
  return isDecode(chunks) ? decode(chunks, samples) : prefill(chunks, samples);
}

/// A launch multiplies with one set, so the sets take turns; what comes out stands in the order of
/// the chunks.
Result<Engine::StepResult> CudaEngine::runBothSets(std::span<const Chunk> chunks,
                                                   const SampleRequest *samples) {
  auto rowsOf = [](const Chunk &chunk) {
    return chunk.logits == Logits::All    ? int64_t(chunk.tokens.size())
           : chunk.logits == Logits::Last ? 1
                                          : 0;
  };
  std::vector<int64_t> firstRow;
  int64_t total = 0;
  for (const Chunk &chunk : chunks) {
    firstRow.push_back(total);
    total += rowsOf(chunk);
  }
  if (!samples)
    QRT_RETURN_IF_ERROR(merged.reserve(total * vocabSize(), hostBudget,
                                       "logits of " + std::to_string(total) + " tokens"));
  std::vector<SampleResult> chosen(samples ? size_t(total) : 0);
  for (bool alternate : {false, true}) {
    std::vector<Chunk> part;
    std::vector<int64_t> places; // of its rows
    std::vector<SampleRow> rows;
    for (size_t i = 0; i < chunks.size(); ++i) {
      if (chunks[i].alternate != alternate)
        continue;
      part.push_back(chunks[i]);
      for (int64_t row = firstRow[i]; row < firstRow[i] + rowsOf(chunks[i]); ++row) {
        places.push_back(row);
        if (samples)
          rows.push_back(samples->rows[size_t(row)]);
      }
    }
    sampled.clear();
    const Ahead none;
    const SampleRequest own = {rows, samples ? samples->entries : std::span<const SampleEntry>(),
                               none};
    QRT_ASSIGN_OR_RETURN(const StepResult result, run(part, samples ? &own : nullptr));
    for (size_t i = 0; i < places.size(); ++i)
      if (samples)
        chosen[size_t(places[i])] = sampled[i];
      else
        std::copy_n(result.logits + int64_t(i) * vocabSize(), vocabSize(),
                    merged.data() + places[i] * vocabSize());
  }
  sampled = std::move(chosen);
  return StepResult{samples ? nullptr : merged.data(), samples ? 0 : total};
}

} // namespace qrt
