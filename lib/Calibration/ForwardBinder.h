//===- ForwardBinder.h - Binds the ops of a token-major graph, family by family --------------===//
// The state behind bindOp() (ForwardOps.h): what an op reads and writes, and why it is refused.
#ifndef QOPT_LIB_CALIBRATION_FORWARDBINDER_H
#define QOPT_LIB_CALIBRATION_FORWARDBINDER_H

#include "ForwardOps.h"

#include "kernels/cpu/elementwise/elementwise.h"

namespace qopt::calibration {

/// All elements of a float constant; empty if `value` is none.
std::vector<float> constantFloats(mlir::Value value);

class ForwardBinder {
public:
  ForwardBinder(const OpSlots &slots, std::string &why) : slots(slots), why(why) {}

  BoundOp bind(mlir::Operation *op);

  // ForwardLinear.cpp
  BoundOp bindLinear(const WeightMatrix &matrix, mlir::Value bias);
  BoundOp bindPacked(std::shared_ptr<PackedCodes> codes, mlir::Value bias);

private:
  BoundOp refuse(const char *reason) {
    why = reason;
    return nullptr;
  }
  int in(unsigned operand) const { return slots.inputs[operand]; }
  int out(unsigned result = 0) const { return slots.outputs[result]; }
  int64_t width(int slot) const { return slots.widths[slot]; }
  bool activations(std::initializer_list<unsigned> operands) const {
    return llvm::all_of(operands, [&](unsigned operand) { return in(operand) >= 0; });
  }

  // ForwardLinear.cpp
  BoundOp bindDeviceLinear(const WeightMatrix &matrix, const std::vector<float> &bias);
  BoundOp bindEmbedding(mlir::Operation *op, int64_t offset, mlir::Value ids);

  // ForwardElementwise.cpp
  BoundOp bindNorm(mlir::Value weight, mlir::Value bias, double epsilon, bool rms);
  BoundOp bindUnary(qrt::kernels::UnaryKind kind, double parameter = 0);
  BoundOp bindGated(qrt::kernels::UnaryKind kind);
  BoundOp bindBinary(mlir::Operation *op, qrt::kernels::BinaryKind kind);
  BoundOp bindHadamard(qir::HadamardOp op);

  // ForwardAttention.cpp
  BoundOp bindRope(qir::RopeOp op);
  BoundOp bindAttention(qir::AttentionOp op);

  // ForwardColumns.cpp
  BoundOp bindSplit(qir::SplitOp op);
  BoundOp bindConcat(qir::ConcatOp op);
  BoundOp bindSlice(qir::SliceOp op);
  BoundOp copyColumns(int from, int64_t start, int to, int64_t toStart, int64_t count);

  const OpSlots &slots;
  std::string &why;
};

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_FORWARDBINDER_H
