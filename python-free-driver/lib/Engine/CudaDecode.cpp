//===- CudaDecode.cpp - Decode steps on a device: graphs, and the step ahead -----------------===//
#include "Engine/CudaEngine.h"

#include "Engine/CudaLimits.h"
#include "Engine/SampleAhead.h"

#include <algorithm>
#include <bit>

namespace qrt {

bool CudaEngine::isDecode(std::span<const Chunk> chunks) const {
  return !chunks.empty() && int64_t(chunks.size()) <= cudaDecodeRows &&
         std::all_of(chunks.begin(), chunks.end(), [](const Chunk &chunk) {
           return chunk.tokens.size() == 1 && chunk.logits == Logits::Last;
         });
}

/// Everything of a decode step but what differs in size; can be captured.
Status CudaEngine::enqueueDecode(const CudaRun &run, const DecodeKind &kind) {
  QRT_RETURN_IF_ERROR(decodeBuffers[kind.slot]->copyRows());
  if (kind.samples)
    QRT_RETURN_IF_ERROR(sampling->copyRows(kind.slot, run.rows));
  QRT_RETURN_IF_ERROR(program->body(run));
  QRT_RETURN_IF_ERROR(program->tail(run));
  if (kind.samples) // the tokens are what the step behind reads, in the other slot
    return sampling->enqueue(kind.slot, program->logitsRow(0), program->logitsStride(), run.rows,
                             run.step.ids, decodeBuffers[1 - kind.slot]->deviceIds());
  QRT_RETURN_IF_ERROR(copyLogits(0, run.rows));
  return copyFaults();
}

Status CudaEngine::launchDecode(Flight &flight, std::span<const SampleRow> rows,
                                std::span<const SampleEntry> entries, bool samples) {
  const int slot = lastSlot = freeSlot();
  if (sampling)
    QRT_RETURN_IF_ERROR(waitFor(slot)); // a step that was dropped may still read its memory
  CudaStepBuffers &buffers = *decodeBuffers[slot];
  buffers.clear();
  int64_t longest = 1;
  const int32_t chosenBefore = 0; // stands for a token that is on the device already
  for (size_t i = 0; i < flight.seqs.size(); ++i) {
    const int32_t &token = flight.fed.empty() ? chosenBefore : flight.fed[i];
    longest = std::max(longest, flight.lengths[i] + 1);
    Sequence &sequence = sequences[size_t(flight.seqs[i])];
    QRT_RETURN_IF_ERROR(growPrecise(sequence, flight.lengths[i], 1));
    buffers.addPart({&token, 1}, flight.lengths[i], sequence.blocks);
    releasePrecise(sequence, flight.lengths[i] + 1); // of what this step does not read
    buffers.select(buffers.rows() - 1);
  }
  DecodeKind &kind = flight.kind;
  kind.slot = slot;
  kind.samples = samples;
  kind.rows = int64_t(std::bit_ceil(uint64_t(flight.seqs.size())));
  kind.context =
      std::min(contextBound, std::max(cudaShortContext, int64_t(std::bit_ceil(uint64_t(longest)))));
  buffers.pad(kind.rows);
  CudaRun run;
  run.step = buffers.state(kind.rows);
  run.rows = run.selectedRows = kind.rows;
  run.decode = true;
  run.alternate = kind.alternate;
  run.maxContext = kind.context;

  QRT_RETURN_IF_ERROR(buffers.copyBlocks());
  if (!flight.fed.empty())
    QRT_RETURN_IF_ERROR(buffers.copyIds());
  if (samples)
    QRT_RETURN_IF_ERROR(sampling->upload(slot, rows, entries, kind.rows));
  DecodeGraph &entry = graphs[kind];
  if (!entry.ranEagerly)
    return enqueueDecode(run, kind);
  if (!entry.graph) {
    QRT_RETURN_IF_ERROR(device->beginCapture());
    Status recorded = enqueueDecode(run, kind);
    auto graph = device->endCapture(); // also after an error, which leaves the stream usable
    QRT_RETURN_IF_ERROR(recorded);
    QRT_ASSIGN_OR_RETURN(entry.graph, std::move(graph));
  }
  return device->launchGraph(entry.graph);
}

CudaEngine::Flight CudaEngine::flightOf(std::span<const Chunk> chunks) const {
  Flight flight;
  flight.kind.alternate = chunks[0].alternate;
  for (const Chunk &chunk : chunks) {
    flight.seqs.push_back(chunk.seq);
    flight.lengths.push_back(length(chunk.seq));
    flight.fed.push_back(chunk.tokens[0]);
  }
  return flight;
}

/// Tells the processor that this is a loop that waits. The thread is not given away: a step takes
/// less time than to get it back on a busy machine.
static void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

Status CudaEngine::waitFor(int slot) {
  // The tokens come without a call of the driver; that the device has failed does not.
  constexpr int looksBetweenQueries = 64;
  for (int looks = 1; !sampling->isDone(slot); ++looks) {
    if (looks % looksBetweenQueries == 0) {
      QRT_ASSIGN_OR_RETURN(const bool idle, device->isIdle());
      if (idle && !sampling->isDone(slot))
        return internalError("the device finished a step without telling its tokens");
    }
    relax();
  }
  return Status::ok();
}

bool CudaEngine::isAhead(std::span<const Chunk> chunks, const SampleRequest &samples) const {
  if (!ahead || ahead->seqs.size() != chunks.size() || !isDecode(chunks))
    return false;
  for (size_t i = 0; i < chunks.size(); ++i)
    if (chunks[i].seq != ahead->seqs[i] || chunks[i].alternate != ahead->kind.alternate ||
        length(chunks[i].seq) != ahead->lengths[i] || chunks[i].tokens[0] != ahead->fed[i] ||
        !isSameChoice(ahead->rows[i], ahead->entries, ahead->fed[i], samples.rows[i],
                      samples.entries))
      return false;
  return true;
}

Status CudaEngine::dropAhead() {
  if (!ahead)
    return Status::ok();
  for (int seq : ahead->seqs)
    if (length(seq) >= 0)
      shrink(sequences[size_t(seq)], length(seq));
  ahead.reset();
  ++stepsInVain;
  // What its kernels found wrong is nobody's fault. In the order of the stream: behind them.
  return device->fill(faults.get(), 0, sizeof(uint32_t));
}

Status CudaEngine::launchAhead(const Flight &current, const Ahead &wanted) {
  Flight next;
  next.kind.alternate = current.kind.alternate;
  next.seqs = current.seqs;
  for (int64_t length : current.lengths) {
    next.lengths.push_back(length + 1);
    if (contextLimit > 0 && length + 2 > contextLimit)
      return Status::ok();
  }
  for (size_t i = 0; i < next.seqs.size(); ++i)
    if (Sequence &sequence = sequences[size_t(next.seqs[i])];
        !grow(sequence, next.lengths[i] + 1) || !growPrecise(sequence, next.lengths[i], 1)) {
      for (size_t grown = 0; grown <= i; ++grown)
        shrink(sequences[size_t(next.seqs[grown])], next.lengths[grown]);
      return Status::ok(); // the step that needs the room will say so
    }
  QRT_RETURN_IF_ERROR(launchDecode(next, wanted.rows, wanted.entries, /*samples=*/true));
  next.rows.assign(wanted.rows.begin(), wanted.rows.end());
  next.entries.assign(wanted.entries.begin(), wanted.entries.end());
  ahead = std::move(next);
  ++stepsAhead;
  return Status::ok();
}

Status CudaEngine::decodeAndSample(std::span<const Chunk> chunks, const SampleRequest &samples) {
  Flight current;
  if (ahead) { // and what is asked for
    current = std::move(*ahead);
    ahead.reset();
  } else {
    current = flightOf(chunks);
    QRT_RETURN_IF_ERROR(launchDecode(current, samples.rows, samples.entries, /*samples=*/true));
  }
  if (!samples.ahead.rows.empty())
    QRT_RETURN_IF_ERROR(launchAhead(current, samples.ahead));
  QRT_RETURN_IF_ERROR(waitFor(current.kind.slot));
  const SampleResult *results = sampling->results(current.kind.slot);
  sampled.assign(results, results + chunks.size());
  uint32_t found = 0;
  for (const SampleResult &result : sampled)
    found |= result.faults;
  QRT_RETURN_IF_ERROR(checkFaults(found));
  graphs[current.kind].ranEagerly = true;
  if (ahead)
    for (const SampleResult &result : sampled)
      ahead->fed.push_back(result.token);
  return Status::ok();
}

Result<Engine::StepResult> CudaEngine::decode(std::span<const Chunk> chunks,
                                              const SampleRequest *samples) {
  const auto count = int64_t(chunks.size());
  if (samples) {
    QRT_RETURN_IF_ERROR(decodeAndSample(chunks, *samples));
  } else {
    Flight flight = flightOf(chunks);
    QRT_RETURN_IF_ERROR(launchDecode(flight, {}, {}, /*samples=*/false));
    QRT_RETURN_IF_ERROR(finish());
    graphs[flight.kind].ranEagerly = true;
  }
  ++programRuns;
  totalTokens += count;
  if (samples)
    return StepResult{nullptr, 0};
  auto *logits = static_cast<float *>(hostLogits.get());
  if (program->logitsStride() != vocabSize())
    unpadLogits(count, logits);
  return StepResult{logits, count};
}

} // namespace qrt
