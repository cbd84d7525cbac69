//===- GenericEngine.h - Executes programs that were not raised ------------------------------===//
// Slow and complete: every instruction is evaluated by lib/Tensor with exact ONNX semantics, one
// sequence at a time; past keys and values are ordinary tensors that travel from outputs to inputs.
#ifndef QRT_ENGINE_GENERICENGINE_H
#define QRT_ENGINE_GENERICENGINE_H

#include "Engine/FloatBuffer.h"
#include "Engine/GenericBinding.h"
#include "Engine/MemoryBudget.h"
#include "Engine/SequenceEngine.h"
#include "Tensor/Tensor.h"
#include "kernels/cpu/Workspace.h"
#include "kernels/cpu/threading/ThreadPool.h"
#include "qrt/Engine.h"

#include <memory>
#include <vector>

namespace qrt {

/// What a generic program knows of a text.
struct GenericSequence {
  bool inUse = false;
  int64_t length = 0; ///< of `tokens`, between steps
  std::vector<int32_t> tokens;
  std::vector<tensor::Tensor> past;
};

class GenericEngine final : public SequenceEngine<GenericSequence> {
public:
  static Result<std::unique_ptr<Engine>> create(std::shared_ptr<const Model> model,
                                                const EngineOptions &options);

  Result<StepResult> step(std::span<const Chunk> chunks) override;
  EngineStats stats() const override;

private:
  using Sequence = GenericSequence;

  GenericEngine(std::shared_ptr<const Model> model, const EngineOptions &options);
  Status prepare();
  void shrink(Sequence &sequence, int64_t length) override;
  Status grow(Sequence &, int64_t) override { return Status::ok(); }
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

  kernels::ThreadPool pool;
  kernels::Workspace workspace;
  MemoryBudget budget;
  GenericBinding binding;
  std::vector<tensor::Tensor> constants;   ///< per value; plain tensors borrow the file
  std::vector<std::vector<int32_t>> dying; ///< values to drop after each instruction
  std::vector<float> rows;
};

} // namespace qrt

#endif // QRT_ENGINE_GENERICENGINE_H
