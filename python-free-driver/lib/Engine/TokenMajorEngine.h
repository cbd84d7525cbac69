//===- TokenMajorEngine.h - Executes raised programs -----------------------------------------===//
#ifndef QRT_ENGINE_TOKENMAJORENGINE_H
#define QRT_ENGINE_TOKENMAJORENGINE_H

#include "Engine/Binding.h"
#include "Engine/FloatBuffer.h"
#include "Engine/KvCache.h"
#include "Engine/MemoryBudget.h"
#include "Engine/SequenceEngine.h"
#include "qrt/Engine.h"

#include <memory>
#include <vector>

namespace qrt {

class TokenMajorEngine final : public SequenceEngine<KvCache::Sequence> {
public:
  static Result<std::unique_ptr<Engine>> create(std::shared_ptr<const Model> model,
                                                const EngineOptions &options, const KvSpec &kv);

  bool alternateWeights() const override { return options.alternateWeights; }
  Result<StepResult> step(std::span<const Chunk> chunks) override;
  EngineStats stats() const override;

private:
  TokenMajorEngine(std::shared_ptr<const Model> model, const EngineOptions &options,
                   const KvSpec &kv);
  /// Refuses a model whose weights and arena cannot fit, before anything is touched.
  Status checkMemory() const;
  void shrink(KvCache::Sequence &sequence, int64_t length) override {
    cache.shrink(sequence, length);
  }
  Status grow(KvCache::Sequence &sequence, int64_t tokens) override {
    return cache.grow(sequence, tokens);
  }
  Status reserveRun(int64_t tokens, int64_t selectedRows);
  /// Runs the program on `run` (parts, ids and positions set) and leaves the logits of the selected
  /// rows at logitsOf(run).
  Status execute(Run &run);
  const float *logitsRow(const Run &run, size_t selectedIndex) const;
  Result<StepResult> stepAll(std::span<const Chunk> chunks);

  kernels::ThreadPool pool;
  kernels::Workspace workspace;
  MemoryBudget budget;
  KvCache cache;
  struct ScheduledCall {
    size_t instruction;  ///< the first, of several that run as one
    bool onSelectedRows; ///< computes rows whose logits are wanted
    BoundInstruction call;
    std::string what;   ///< as in EngineStats::seconds
    double seconds = 0; ///< with EngineOptions::profile
    /// Of linears: their weights, and those of the linears that run next.
    std::vector<kernels::ThreadPool::Bytes> weights, nextWeights;
  };
  std::vector<ScheduledCall> instructions;
  std::vector<RopeTableSpec> ropeTables;
  BufferRef logits;
  int64_t allFloats = 0, selectedFloats = 0; ///< arena floats per row of either kind
  int64_t workspaceTokens = 0, workspaceContext = 0;
  FloatBuffer arena, selectedArena, collected;
};

} // namespace qrt

#endif // QRT_ENGINE_TOKENMAJORENGINE_H
