//===- CudaStep.cpp - Steps of prompts on a device: in chunks, waited for --------------------===//
#include "Engine/CudaEngine.h"

#include "Engine/CudaLimits.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace qrt {

/// Enqueues the copy of rows of logits into the pinned buffer.
Status CudaEngine::copyLogits(int64_t firstRow, int64_t rows) {
  return device->copyToHost(hostLogits.get(), program->logitsRow(firstRow),
                            rows * program->logitsStride() * 4);
}

/// The pinned rows without the padding between them; `to` may be the buffer itself.
void CudaEngine::unpadLogits(int64_t rows, float *to) const {
  const auto *from = static_cast<const float *>(hostLogits.get());
  for (int64_t row = 0; row < rows; ++row)
    std::memmove(to + row * vocabSize(), from + row * program->logitsStride(),
                 size_t(vocabSize()) * sizeof(float));
}

Status CudaEngine::copyFaults() {
  return device->copyToHost(hostFaults.get(), faults.get(), sizeof(uint32_t));
}

/// Waits for the device and turns what kernels reported into an error.
Status CudaEngine::finish() {
  QRT_RETURN_IF_ERROR(device->synchronize());
  return checkFaults(*static_cast<const uint32_t *>(hostFaults.get()));
}

Status CudaEngine::checkFaults(uint32_t found) {
  if (found == 0)
    return Status::ok();
  QRT_RETURN_IF_ERROR(device->fill(faults.get(), 0, sizeof(uint32_t)));
  found &= ~uint32_t(cuda::NoToken); // the result of that row says so
  if (found == 0)
    return Status::ok();
  if (found & cuda::HalfOverflow)
    return deviceError(DeviceProblem::NotSupported,
                       "activations of this model go beyond what f16 can hold (65504): " +
                           device->name() + " cannot run it; the CPU can");
  return internalError("kernels reported fault " + std::to_string(found));
}

Status CudaEngine::runPrefill(const CudaRun &shared, const SampleRequest *samples,
                              int64_t &rowsDone) {
  QRT_RETURN_IF_ERROR(prefillBuffers->copyBlocks());
  QRT_RETURN_IF_ERROR(prefillBuffers->copyRows());
  QRT_RETURN_IF_ERROR(prefillBuffers->copyIds());
  QRT_RETURN_IF_ERROR(program->body(shared));
  const int64_t wanted = prefillBuffers->selectedRows();
  const int slot = freeSlot();
  for (int64_t first = 0; first < wanted; first += cudaDecodeRows) {
    const int64_t rows = std::min(cudaDecodeRows, wanted - first);
    if (program->hasTail()) {
      CudaRun slice = shared;
      slice.step = prefillBuffers->state(prefillBuffers->parts(), first);
      slice.selectedRows = rows;
      QRT_RETURN_IF_ERROR(program->tail(slice));
      if (samples) {
        QRT_RETURN_IF_ERROR(sampling->upload(
            slot, samples->rows.subspan(size_t(rowsDone), size_t(rows)), samples->entries, rows));
        QRT_RETURN_IF_ERROR(sampling->copyRows(slot, rows));
        QRT_RETURN_IF_ERROR(sampling->enqueue(slot, program->logitsRow(0), program->logitsStride(),
                                              rows, nullptr, nullptr));
      } else {
        QRT_RETURN_IF_ERROR(copyLogits(0, rows));
      }
    } else {
      for (int64_t i = 0; i < rows; ++i)
        QRT_RETURN_IF_ERROR(
            device->copyToHost(static_cast<float *>(hostLogits.get()) + i * program->logitsStride(),
                               program->logitsRow(prefillBuffers->selectedRow(first + i)),
                               program->logitsStride() * 4));
    }
    QRT_RETURN_IF_ERROR(copyFaults());
    QRT_RETURN_IF_ERROR(finish());
    if (samples)
      sampled.insert(sampled.end(), sampling->results(slot), sampling->results(slot) + rows);
    else
      unpadLogits(rows, collected.data() + rowsDone * vocabSize());
    rowsDone += rows;
  }
  if (wanted > 0)
    return Status::ok();
  QRT_RETURN_IF_ERROR(copyFaults());
  return finish();
}

Result<Engine::StepResult> CudaEngine::prefill(std::span<const Chunk> chunks,
                                               const SampleRequest *samples) {
  if (sampling)
    QRT_RETURN_IF_ERROR(waitFor(freeSlot()));
  int64_t totalRows = 0, longest = 1;
  for (const Chunk &chunk : chunks) {
    const auto tokens = int64_t(chunk.tokens.size());
    totalRows += chunk.logits == Logits::All ? tokens : chunk.logits == Logits::Last ? 1 : 0;
    longest = std::max(longest, sequences[size_t(chunk.seq)].length + tokens);
  }
  if (samples)
    totalRows = 0;
  QRT_RETURN_IF_ERROR(collected.reserve(totalRows * vocabSize(), hostBudget,
                                        "logits of " + std::to_string(totalRows) + " tokens"));
  CudaStepBuffers &buffers = *prefillBuffers;
  int64_t rowsDone = 0;
  size_t current = 0;                                  // chunk
  int64_t within = 0;                                  // tokens of it that are done
  std::vector<std::pair<Sequence *, int64_t>> lengths; // after a run
  while (current < chunks.size()) {
    buffers.clear();
    lengths.clear();
    while (current < chunks.size() && buffers.rows() < options.prefillChunk &&
           buffers.parts() < cudaPrefillParts) {
      const Chunk &chunk = chunks[current];
      Sequence &sequence = sequences[size_t(chunk.seq)];
      const auto size = int64_t(chunk.tokens.size());
      const int64_t take = std::min(size - within, options.prefillChunk - buffers.rows());
      const int64_t firstRow = buffers.rows();
      const int64_t position = sequence.length + within;
      QRT_RETURN_IF_ERROR(growPrecise(sequence, position, take));
      buffers.addPart(chunk.tokens.subspan(size_t(within), size_t(take)), position,
                      sequence.blocks);
      lengths.emplace_back(&sequence, position + take);
      within += take;
      for (int64_t i = 0; i < take; ++i)
        if (chunk.logits == Logits::All ||
            (chunk.logits == Logits::Last && i + 1 == take && within == size))
          buffers.select(firstRow + i);
      if (within == size)
        ++current, within = 0;
    }
    CudaRun run;
    run.step = buffers.state(buffers.parts());
    run.rows = buffers.rows();
    run.alternate = chunks[0].alternate;
    run.decode = run.rows == buffers.parts() && run.rows <= cudaDecodeRows;
    run.maxContext = std::min(
        contextBound, std::max(cudaShortContext, int64_t(std::bit_ceil(uint64_t(longest)))));
    QRT_RETURN_IF_ERROR(runPrefill(run, samples, rowsDone));
    for (auto [sequence, length] : lengths)
      releasePrecise(*sequence, length);
    ++programRuns;
    totalTokens += run.rows;
  }
  return StepResult{collected.data(), totalRows};
}

} // namespace qrt
