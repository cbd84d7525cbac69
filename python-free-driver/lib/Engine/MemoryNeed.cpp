//===- MemoryNeed.cpp - What running a program takes ------------------------------------------===//
#include "Engine/MemoryNeed.h"

#include "Engine/Binding.h"
#include "Engine/KvCache.h"
#include "Format/AlternateSet.h"
#include "Format/SparseOutliers.h"
#include "Format/Verifier.h"
#include "kernels/cpu/attention/attention.h"
#include "kernels/cpu/threading/ThreadPool.h"

#include <algorithm>

namespace qrt {

ArenaFloats arenaFloats(const Program &program) {
  ArenaFloats floats;
  const std::vector<bool> selected = selectedRowValues(program);
  for (size_t i = 0; i < program.values.size(); ++i) {
    const Value &value = program.values[i];
    if (value.kind != ValueKind::Buffer)
      continue;
    int64_t &most = selected[i] ? floats.selected : floats.all;
    most = std::max(most, value.arenaOffset + value.width);
  }
  return floats;
}

size_t workspaceBytes(const Program &program, int threads, int64_t tokens, int64_t sequences,
                      int64_t context, bool alternateWeights) {
  size_t bytes = 0;
  for (const Instruction &instruction : program.instructions) {
    if (instruction.op == OpCode::Linear) {
      const Value &weight = program.values[instruction.inputs[1]];
      bytes = std::max(bytes, kernels::linearWorkspaceBytes(
                                  program.tensors[weight.tensorIndex].weight, tokens,
                                  activationFromWord(instruction.getString("activation", "f32")),
                                  threads));
      if (outlierTensors(program, instruction))
        bytes = std::max(bytes, kernels::sparseWorkspaceBytes(
                                    program.tensors[weight.tensorIndex].weight.k, tokens));
      if (int32_t second = alternateTensor(program, instruction); second >= 0 && alternateWeights)
        bytes =
            std::max(bytes, kernels::linearWorkspaceBytes(program.tensors[second].weight, tokens,
                                                          kernels::Activation::F32, threads));
    } else if (instruction.op == OpCode::Attention) {
      bytes = std::max(bytes,
                       kernels::attentionWorkspaceBytes(
                           threads, instruction.getInt("num_heads"), instruction.getInt("kv_heads"),
                           instruction.getInt("head_dim"), instruction.getInt("value_dim"), tokens,
                           std::min(tokens, sequences), context));
    }
  }
  return bytes;
}

MemoryNeed memoryNeed(const Program &program, int64_t fileBytes, const EngineOptions &options,
                      int64_t context) {
  MemoryNeed need;
  need.weights = fileBytes;
  const int64_t page = kernels::kvPageTokens, blocks = (context + page - 1) / page;
  const int64_t chunk = std::min(options.prefillChunk, std::max<int64_t>(1, context));
  auto spec = resolveKv(program.kv, options.kv);
  const KvSpec kv = spec ? *spec : program.kv;
  const KvBlockBytes bytes = kvBlockBytes(program.caches, kv);
  // Precise copies are made for a chunk and given back when they have left the window.
  const int64_t precise =
      std::min(blocks, kv.sink / page + (kv.recent + kvRollBack + chunk) / page + 3);
  need.kv = blocks * bytes.stored + precise * bytes.precise;
  const ArenaFloats floats = arenaFloats(program);
  // One row of logits in the arena, and one that is collected over the chunks of a prompt. Every
  // buffer has whole cache lines.
  auto bufferBytes = [](int64_t count) {
    return (count * static_cast<int64_t>(sizeof(float)) + 63) / 64 * 64;
  };
  need.activations = bufferBytes(floats.all * chunk) + bufferBytes(floats.selected) +
                     bufferBytes(program.vocabSize);
  const int64_t pages = blocks * page; // the engine asks for half as much again
  const int threads = kernels::ThreadPool(options.threads).size();
  const size_t workspace =
      workspaceBytes(program, threads, chunk, 1, pages + pages / 2, options.alternateWeights);
  need.activations += static_cast<int64_t>((workspace + 63) / 64 * 64);
  return need;
}

} // namespace qrt
