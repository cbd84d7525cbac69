//===- GenericEngine.h - Executes programs that were not raised ------------------------------===//
// Slow and complete: every instruction is evaluated by lib/Tensor with exact ONNX semantics, one
// sequence at a time; past keys and values are ordinary tensors that travel from outputs to inputs.
#ifndef QRT_ENGINE_GENERICENGINE_H
#define QRT_ENGINE_GENERICENGINE_H

#include "Engine/FloatBuffer.h"
#include "Engine/GenericBinding.h"
#include "Engine/MemoryBudget.h"
#include "Tensor/Tensor.h"
#include "kernels/cpu/Workspace.h"
#include "kernels/cpu/threading/ThreadPool.h"
#include "qrt/Engine.h"

#include <memory>
#include <vector>

namespace qrt {

class GenericEngine final : public Engine {
public:
  static Result<std::unique_ptr<Engine>> create(std::shared_ptr<const Model> model,
                                                const EngineOptions &options);

  Result<int> addSequence() override;
  void release(int seq) override;
  Status truncate(int seq, int64_t length) override;
  int64_t length(int seq) const override;
  int32_t vocabSize() const override { return model->program().vocabSize; }
  int64_t maxContext() const override { return contextLimit; }
  Result<StepResult> step(std::span<const Chunk> chunks) override;
  EngineStats stats() const override;

private:
  struct Sequence {
    bool inUse = false;
    std::vector<int32_t> tokens;
    std::vector<tensor::Tensor> past;
  };

  GenericEngine(std::shared_ptr<const Model> model, const EngineOptions &options);
  Status prepare();
  Status validate(std::span<const Chunk> chunks) const;
  /// Inputs, instructions; the values that are still needed at the end stay in `values`.
  Status run(std::vector<tensor::Tensor> &values, std::span<const int32_t> ids, int64_t before,
             const std::vector<tensor::Tensor> &past);
  Status execute(size_t index, std::vector<tensor::Tensor> &values);
  Status executeLinear(const Instruction &instruction, std::vector<tensor::Tensor> &values);
  Status executeEmbed(const Instruction &instruction, std::vector<tensor::Tensor> &values);
  /// Advances one sequence and appends the wanted logits rows to `rows`.
  Status advance(Sequence &sequence, const Chunk &chunk);
  Status takeLogits(const tensor::Tensor &logits, int64_t tokens, int64_t wanted);
  Status takePast(std::vector<tensor::Tensor> &values, Sequence &sequence, int64_t length) const;
  int64_t pastBytes() const;

  std::shared_ptr<const Model> model;
  EngineOptions options;
  int64_t contextLimit = 0;
  kernels::ThreadPool pool;
  kernels::Workspace workspace;
  MemoryBudget budget;
  GenericBinding binding;
  std::vector<tensor::Tensor> constants;   ///< per value; plain tensors borrow the file
  std::vector<std::vector<int32_t>> dying; ///< values to drop after each instruction
  std::vector<Sequence> sequences;
  std::vector<float> rows;
  int64_t programRuns = 0, totalTokens = 0;
};

} // namespace qrt

#endif // QRT_ENGINE_GENERICENGINE_H
