//===- Binding.h - Turns verified instructions into calls of kernels -------------------------===//
// Done once per engine: weights, vectors, attributes and buffer places are looked up here, so that
// a run only calls closures. Relies on the verifier; nothing is checked again.
#ifndef QRT_ENGINE_BINDING_H
#define QRT_ENGINE_BINDING_H

#include "Engine/Run.h"
#include "kernels/cpu/sparse/sparse.h"
#include "qrt/Model.h"

#include <vector>

namespace qrt {

/// One set of rotary tables that a run computes before its instructions.
struct RopeTableSpec {
  int32_t tensorIndex;
  const float *frequencies;
  int64_t half;
  float scaling;
};

class Binder {
public:
  explicit Binder(const Model &model);
  BoundInstruction bind(const Instruction &instruction);
  /// Linears of one group (LinearGroups.h) as one call.
  BoundInstruction bindLinears(const std::vector<const Instruction *> &group);

  BufferRef buffer(int32_t value) const;
  const std::vector<RopeTableSpec> &ropeTables() const { return tables; }

private:
  const float *vector(int32_t value) const;
  int64_t vectorLength(int32_t value) const;

  BoundInstruction bindEmbed(const Instruction &instruction);
  BoundInstruction bindLinear(const Instruction &instruction);
  kernels::LinearArgs linearArgs(const Instruction &instruction, std::vector<float> &scales) const;
  BoundInstruction bindNorm(const Instruction &instruction);
  BoundInstruction bindRope(const Instruction &instruction);
  BoundInstruction bindAttention(const Instruction &instruction);
  BoundInstruction bindGated(const Instruction &instruction);
  BoundInstruction bindUnary(const Instruction &instruction);
  BoundInstruction bindBinary(const Instruction &instruction);
  BoundInstruction bindHadamard(const Instruction &instruction);
  BoundInstruction bindCopyColumns(const Instruction &instruction);
  BoundInstruction bindSelectRows(const Instruction &instruction);

  const Model &model;
  const Program &program;
  std::vector<bool> selected;
  std::vector<RopeTableSpec> tables;
};

/// The kernel's enumerator for the "activation" word of a Linear.
kernels::Activation activationFromWord(std::string_view word);
/// Static scales of a Linear's 8-bit activations, one per block; empty: it has none.
std::vector<float> activationScales(const Instruction &linear);
/// Adds the product with the outliers, if there are any, to that of the weight.
Status addOutliers(kernels::ThreadPool &pool, const kernels::LinearArgs &product,
                   const kernels::SparseMatrix &outliers, kernels::Workspace &workspace);

} // namespace qrt

#endif // QRT_ENGINE_BINDING_H
