//===- TokenMajorStep.cpp - Cuts a step into program runs and executes them ------------------===//
#include "Engine/MemoryNeed.h"
#include "Engine/TokenMajorEngine.h"

#include "Format/AlternateSet.h"
#include "kernels/cpu/attention/attention.h"
#include "kernels/cpu/rope/rope.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace qrt {

using Clock = std::chrono::steady_clock;

Status TokenMajorEngine::reserveRun(int64_t tokens, int64_t selectedRows) {
  QRT_RETURN_IF_ERROR(arena.reserve(allFloats * tokens, budget,
                                    "activations for " + std::to_string(tokens) + " tokens"));
  QRT_RETURN_IF_ERROR(
      selectedArena.reserve(selectedFloats * selectedRows, budget,
                            "logits of " + std::to_string(selectedRows) + " tokens"));
  int64_t context = 0;
  for (const KvCache::Sequence &sequence : sequences)
    context = std::max(context, int64_t(sequence.blocks.size()) * kernels::kvPageTokens);
  if (tokens <= workspaceTokens && context <= workspaceContext)
    return Status::ok();
  // Grown by halves, so that a sequence that grows token by token does not come here each time.
  workspaceTokens = std::max(workspaceTokens, tokens);
  workspaceContext = std::max(workspaceContext, context + context / 2);
  const size_t bytes =
      workspaceBytes(model->program(), pool.size(), workspaceTokens, int64_t(sequences.size()),
                     workspaceContext, options.alternateWeights);
  if (bytes > workspace.size())
    QRT_RETURN_IF_ERROR(budget.check(int64_t(bytes), "scratch memory of the kernels"));
  return workspace.reserve(bytes);
}

Status TokenMajorEngine::execute(Run &run) {
  run.tokens = int64_t(run.ids.size());
  QRT_RETURN_IF_ERROR(reserveRun(run.tokens, int64_t(run.selectedRows.size())));
  run.arena = arena.data();
  run.selectedArena = selectedArena.data();
  run.kv = cache.spec();
  for (const RunPart &part : run.parts)
    QRT_RETURN_IF_ERROR(cache.growPrecise(*part.sequence, part.position, part.tokens));
  run.ropeCos.resize(ropeTables.size());
  run.ropeSin.resize(ropeTables.size());
  for (size_t i = 0; i < ropeTables.size(); ++i) {
    const RopeTableSpec &table = ropeTables[i];
    run.ropeCos[i].resize(size_t(run.tokens * table.half));
    run.ropeSin[i].resize(size_t(run.tokens * table.half));
    kernels::ropeTable(pool, run.positions.data(), run.tokens, table.frequencies, table.half,
                       table.scaling, run.ropeCos[i].data(), run.ropeSin[i].data());
  }
  const Program &program = model->program();
  for (ScheduledCall &scheduled : instructions) {
    // Chunks without wanted logits stop where rows are selected.
    if (run.selectedRows.empty() && scheduled.onSelectedRows)
      continue;
    if (!scheduled.weights.empty())
      pool.expect(scheduled.nextWeights);
    const auto start = options.profile ? Clock::now() : Clock::time_point();
    Status status = scheduled.call(run);
    if (options.profile)
      scheduled.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    if (!status) {
      const Instruction &instruction = program.instructions[scheduled.instruction];
      return status.withContext("instruction " + std::to_string(scheduled.instruction) + " (" +
                                opCodeName(instruction.op) + ", '" + instruction.location + "')");
    }
  }
  for (const RunPart &part : run.parts)
    cache.releasePrecise(*part.sequence, part.position + part.tokens);
  ++programRuns;
  totalTokens += run.tokens;
  return Status::ok();
}

const float *TokenMajorEngine::logitsRow(const Run &run, size_t selectedIndex) const {
  int64_t row = logits.selected ? int64_t(selectedIndex) : run.selectedRows[selectedIndex];
  return logits.data(run) + row * logits.width;
}

Result<Engine::StepResult> TokenMajorEngine::stepAll(std::span<const Chunk> chunks) {
  int64_t totalRows = 0, tokensLeft = 0;
  for (const Chunk &chunk : chunks) {
    auto tokens = int64_t(chunk.tokens.size());
    tokensLeft += tokens;
    totalRows += chunk.logits == Logits::All ? tokens : chunk.logits == Logits::Last ? 1 : 0;
  }
  // With one run the logits can stay where the program leaves them.
  const bool single = tokensLeft <= options.prefillChunk && logits.selected;
  if (!single)
    QRT_RETURN_IF_ERROR(collected.reserve(totalRows * vocabSize(), budget,
                                          "logits of " + std::to_string(totalRows) + " tokens"));
  int64_t rowsDone = 0;
  size_t current = 0; // chunk
  int64_t within = 0; // tokens of it that are done
  const float *direct = nullptr;
  while (current < chunks.size()) {
    Run run{pool, workspace};
    while (current < chunks.size() && int64_t(run.ids.size()) < options.prefillChunk) {
      const Chunk &chunk = chunks[current];
      KvCache::Sequence &sequence = sequences[chunk.seq];
      const auto size = int64_t(chunk.tokens.size());
      const auto firstRow = int64_t(run.ids.size());
      const int64_t take = std::min(size - within, options.prefillChunk - firstRow);
      const int64_t position = sequence.length + within;
      run.parts.push_back({&sequence, firstRow, take, position});
      for (int64_t i = 0; i < take; ++i) {
        run.ids.push_back(chunk.tokens[size_t(within + i)]);
        run.positions.push_back(int32_t(position + i));
        addRow(run.segments, chunk.alternate);
        bool last = within + i + 1 == size;
        if (chunk.logits == Logits::All || (chunk.logits == Logits::Last && last)) {
          run.selectedRows.push_back(firstRow + i);
          addRow(run.selectedSegments, chunk.alternate);
        }
      }
      within += take;
      if (within == size)
        ++current, within = 0;
    }
    QRT_RETURN_IF_ERROR(execute(run));
    for (size_t i = 0; i < run.selectedRows.size() && !single; ++i)
      std::memcpy(collected.data() + (rowsDone + int64_t(i)) * vocabSize(), logitsRow(run, i),
                  size_t(vocabSize()) * sizeof(float));
    if (single && !run.selectedRows.empty())
      direct = logitsRow(run, 0);
    rowsDone += int64_t(run.selectedRows.size());
  }
  return StepResult{single ? direct : collected.data(), totalRows};
}

} // namespace qrt
