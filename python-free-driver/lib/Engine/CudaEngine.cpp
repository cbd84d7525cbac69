//===- CudaEngine.cpp - Memory and sequences of an engine on a device ------------------------===//
#include "Engine/CudaEngine.h"

#include "Engine/Chunks.h"
#include "Engine/CudaLimits.h"
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
  QRT_ASSIGN_OR_RETURN(const KvSpec kv, resolveKv(model->program().kv, options.kv));
  if (kv.sink > 0 || kv.recent > 0)
    return unsupported("a KV cache of " + kvText(kv) + " has no kernel for " + device->name());
  limits.keyType = kv.keys;
  limits.valueType = kv.values;
  limits.alternates = options.alternateWeights;
  QRT_ASSIGN_OR_RETURN(CudaProgram planned, CudaProgram::create(*model, *device, limits));
  program.emplace(std::move(planned));
  return Status::ok();
}

Result<int64_t> CudaEngine::planBlocks(int64_t freeBytes, int64_t totalBytes) const {
  const int64_t stride = (contextBound + cuda::kvBlockTokens - 1) / cuda::kvBlockTokens;
  const int64_t rows = std::max(options.prefillChunk, cudaDecodeRows);
  const int64_t fixed =
      program->arenaBytes() +
      CudaSampling::slotCount * CudaStepBuffers::bytes(cudaDecodeRows, cudaDecodeRows, stride) +
      CudaStepBuffers::bytes(rows, std::min<int64_t>(rows, cudaPrefillParts), stride) +
      CudaSampling::bytes(cudaDecodeRows, vocabSize());
  const int64_t weights = program->weightBytes(), block = program->kvBlockBytes();
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
    return int64_t(0); // a program without attention
  return std::min(left / block, stride * cudaFullSequences);
}

Status CudaEngine::allocate() {
  QRT_ASSIGN_OR_RETURN(const CudaDevice::FreeBytes memory, device->freeMemory());
  QRT_ASSIGN_OR_RETURN(totalBlocks, planBlocks(memory.free, memory.total));
  if (totalBlocks > 0) {
    const int64_t bytes = totalBlocks * program->kvBlockBytes();
    QRT_ASSIGN_OR_RETURN(kvPool, device->allocate(bytes, "KV cache"));
    // What lies behind a sequence's length is weighed with zero; it must be finite.
    QRT_RETURN_IF_ERROR(device->fill(kvPool.get(), 0, bytes));
  }
  freeBlocks.resize(size_t(totalBlocks));
  for (int64_t i = 0; i < totalBlocks; ++i)
    freeBlocks[size_t(i)] = int32_t(totalBlocks - 1 - i);
  QRT_ASSIGN_OR_RETURN(faults, device->allocate(sizeof(uint32_t), "word of faults"));
  QRT_RETURN_IF_ERROR(device->fill(faults.get(), 0, sizeof(uint32_t)));
  device->setFaults(static_cast<uint32_t *>(faults.get()));
  QRT_ASSIGN_OR_RETURN(hostFaults, device->allocatePinned(sizeof(uint32_t), "word of faults"));
  QRT_ASSIGN_OR_RETURN(
      hostLogits, device->allocatePinned(cudaDecodeRows * program->logitsStride() * 4, "logits"));
  const int64_t stride = (contextBound + cuda::kvBlockTokens - 1) / cuda::kvBlockTokens;
  const int64_t rows = std::max(options.prefillChunk, cudaDecodeRows);
  for (auto &buffers : decodeBuffers) {
    QRT_ASSIGN_OR_RETURN(buffers,
                         CudaStepBuffers::create(*device, cudaDecodeRows, cudaDecodeRows, stride));
  }
  QRT_ASSIGN_OR_RETURN(
      prefillBuffers,
      CudaStepBuffers::create(*device, rows, std::min<int64_t>(rows, cudaPrefillParts), stride));
  QRT_RETURN_IF_ERROR(program->load(kvPool.get()));
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
  const size_t before = sequence.blocks.size();
  if (needed > before && needed - before > freeBlocks.size())
    return resourceExhausted(
        "the KV cache of " + device->name() + " has " + std::to_string(freeBlocks.size()) + " of " +
        std::to_string(totalBlocks) + " blocks of " + std::to_string(cuda::kvBlockTokens) +
        " tokens free, " + std::to_string(needed - before) + " more are needed");
  while (sequence.blocks.size() < needed) {
    sequence.blocks.push_back(freeBlocks.back());
    freeBlocks.pop_back();
  }
  return Status::ok();
}

void CudaEngine::shrink(Sequence &sequence, int64_t tokens) {
  const auto keep = size_t((tokens + cuda::kvBlockTokens - 1) / cuda::kvBlockTokens);
  while (sequence.blocks.size() > keep) {
    freeBlocks.push_back(sequence.blocks.back());
    sequence.blocks.pop_back();
  }
}

EngineStats CudaEngine::stats() const {
  EngineStats out;
  out.arenaBytes = program->arenaBytes();
  if (auto kv = resolveKv(model->program().kv, options.kv))
    out.kv = *kv;
  out.kvBytes = totalBlocks * program->kvBlockBytes();
  out.kvPagesInUse = totalBlocks - int64_t(freeBlocks.size());
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
