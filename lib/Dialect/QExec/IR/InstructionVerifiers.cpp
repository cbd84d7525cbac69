//===- InstructionVerifiers.cpp - Constraints of the instructions ----------------------------===//
// The same rules that the runtime's verifier checks on a file (docs/qmod-format.md), so that a
// mistake of a pass shows up at the pass and not at the writer.
#include "qopt/Dialect/QExec/IR/QExecOps.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace qopt::qexec;

static int64_t width(Value value) { return cast<BufferType>(value.getType()).getWidth(); }

/// Entries of a vector operand, or nothing if the type does not say.
static std::optional<int64_t> length(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape())
    return std::nullopt;
  return type.getNumElements();
}

/// Checks that `type` is the type of `like`.
static LogicalResult sameType(Operation *op, Value like, Value value, const char *what) {
  if (like.getType() == value.getType())
    return success();
  return op->emitOpError() << "expects " << what << " of type " << like.getType() << ", got "
                           << value.getType();
}

LogicalResult EmbedOp::verify() {
  auto buffer = dyn_cast<BufferType>(getResult().getType());
  int64_t columns = cast<WeightType>(getTable().getType()).getK();
  if (buffer && buffer.getWidth() != columns) // C1
    return emitOpError() << "expects a result " << columns << " wide, got " << buffer.getWidth();
  if (bool(buffer) == isa<TensorType>(getIds().getType())) // C2
    return emitOpError() << "expects ids or positions for a buffer, a tensor for a tensor";
  return success();
}

LogicalResult LinearOp::verify() {
  auto weight = cast<WeightType>(getWeight().getType());
  if (getBias() && length(getBias()).value_or(weight.getN()) != weight.getN()) // C2
    return emitOpError() << "expects a bias of " << weight.getN() << " entries, got "
                         << getBias().getType();
  if (!llvm::is_contained({"f32", "a16", "a8"}, getActivation())) // C3
    return emitOpError() << "expects activation f32, a16 or a8, got '" << getActivation() << "'";
  auto x = dyn_cast<BufferType>(getX().getType());
  auto result = dyn_cast<BufferType>(getResult().getType());
  if (bool(x) != bool(result) || (x && x.getSelected() != result.getSelected())) // C4
    return emitOpError() << "expects operand and result over the same rows";
  if (x && (x.getWidth() != weight.getK() || result.getWidth() != weight.getN())) // C1
    return emitOpError() << "expects buffers of width " << weight.getK() << " and " << weight.getN()
                         << ", got " << x.getWidth() << " and " << result.getWidth();
  if (getAlternate() && (!x || getAlternate().getType() != weight)) // C5
    return emitOpError() << "expects an alternate of type " << weight << " and buffers, got "
                         << getAlternate().getType();
  if (!getOutliers().empty() && getOutliers().size() != 3) // C6
    return emitOpError() << "expects outliers to be rows, columns and values, got "
                         << getOutliers().size() << " tensors";
  if (getActivationScales() && getActivation() != "a8") // C7
    return emitOpError() << "expects activation_scales only with activation a8";
  return success();
}

/// C1 and C2 of both norms.
static LogicalResult verifyNorm(Operation *op, Value x, Value weight, Value result) {
  std::optional<int64_t> entries = length(weight);
  if (!entries || *entries < 1 || width(x) % *entries != 0) // C1
    return op->emitOpError() << "expects a weight whose length divides " << width(x) << ", got "
                             << weight.getType();
  return sameType(op, x, result, "a result"); // C2
}

LogicalResult RmsNormOp::verify() { return verifyNorm(*this, getX(), getWeight(), getResult()); }

LogicalResult LayerNormOp::verify() {
  if (getBias() && length(getBias()) != length(getWeight())) // C3
    return emitOpError() << "expects bias and weight of one length, got " << getBias().getType()
                         << " and " << getWeight().getType();
  return verifyNorm(*this, getX(), getWeight(), getResult());
}

LogicalResult RopeOp::verify() {
  int64_t headDim = getHeadDim();
  if (headDim < 1 || width(getX()) % headDim != 0) // C1
    return emitOpError() << "expects a width that is a multiple of head_dim " << headDim << ", got "
                         << width(getX());
  if (length(getInvFreq()).value_or(0) > headDim / 2) // C2
    return emitOpError() << "expects at most " << headDim / 2 << " frequencies, got "
                         << getInvFreq().getType();
  if (cast<BufferType>(getX().getType()).getSelected()) // C3
    return emitOpError() << "expects all rows";
  return sameType(*this, getX(), getResult(), "a result"); // C3
}

LogicalResult AttentionOp::verify() {
  const int64_t heads = getNumHeads(), kvHeads = getKvHeads();
  if (kvHeads < 1 || heads % kvHeads != 0) // C2
    return emitOpError() << "expects num_heads to be a multiple of kv_heads, got " << heads
                         << " and " << kvHeads;
  const std::pair<Value, int64_t> widths[] = {{getQ(), heads * int64_t(getHeadDim())},
                                              {getK(), kvHeads * int64_t(getHeadDim())},
                                              {getV(), kvHeads * int64_t(getValueDim())},
                                              {getResult(), heads * int64_t(getValueDim())}};
  for (auto [value, expected] : widths) // C1
    if (auto type = cast<BufferType>(value.getType());
        type.getWidth() != expected || type.getSelected())
      return emitOpError() << "expects " << BufferType::get(getContext(), expected, false)
                           << ", got " << type;
  if (getBalance() && length(getBalance()) != kvHeads * int64_t(getHeadDim())) // C1
    return emitOpError() << "expects a balance of " << kvHeads * int64_t(getHeadDim())
                         << " factors, got " << getBalance().getType();
  for (AttentionOp other : (*this)->getBlock()->getOps<AttentionOp>()) { // C3
    if (other == *this)
      break;
    if (other.getCache() == getCache())
      return emitOpError() << "expects a cache of its own, but cache " << getCache()
                           << " has another user";
  }
  return success();
}

LogicalResult GatedActivationOp::verify() {
  if (!llvm::is_contained({"silu", "gelu", "gelu_tanh", "quick_gelu", "relu", "sigmoid"},
                          getKind())) // C1
    return emitOpError() << "expects a known kind, got '" << getKind() << "'";
  if (failed(sameType(*this, getGate(), getUp(), "an operand"))) // C2
    return failure();
  return sameType(*this, getGate(), getResult(), "a result"); // C2
}

LogicalResult UnaryOp::verify() {
  if (!llvm::is_contained(
          {"gelu", "gelu_tanh", "quick_gelu", "silu", "relu", "tanh", "sigmoid", "softcap"},
          getKind())) // C1
    return emitOpError() << "expects a known kind, got '" << getKind() << "'";
  bool capped = getCap() && getCap()->convertToDouble() > 0;
  if (getKind() == "softcap" ? !capped : getCap().has_value()) // C2
    return emitOpError() << "expects a positive cap for softcap, and for it only";
  return sameType(*this, getX(), getResult(), "a result"); // C3
}

LogicalResult BinaryOp::verify() {
  if (!llvm::is_contained({"add", "sub", "mul", "div"}, getKind())) // C1
    return emitOpError() << "expects add, sub, mul or div, got '" << getKind() << "'";
  if (isa<BufferType>(getB().getType())) {
    if (failed(sameType(*this, getA(), getB(), "an operand"))) // C2
      return failure();
  } else if (std::optional<int64_t> entries = length(getB());
             entries != 1 && entries != width(getA())) { // C2
    return emitOpError() << "expects 1 or " << width(getA()) << " elements, got "
                         << getB().getType();
  }
  if (getSwapped() > 1) // C4
    return emitOpError() << "expects swapped to be 0 or 1, got " << getSwapped();
  return sameType(*this, getA(), getResult(), "a result"); // C3
}

LogicalResult CopyColumnsOp::verify() {
  size_t count = getInputs().size();
  if (count == 0 || getStarts().size() != count || getSizes().size() != count) // C1
    return emitOpError() << "expects one start and one size per operand";
  bool selected = cast<BufferType>(getInputs()[0].getType()).getSelected();
  int64_t total = 0;
  for (auto [input, start, size] : llvm::zip(getInputs(), getStarts(), getSizes())) {
    if (start < 0 || size < 1 || start > width(input) - size) // C2
      return emitOpError() << "expects columns inside " << input.getType() << ", got [" << start
                           << ", " << start + size << ")";
    if (cast<BufferType>(input.getType()).getSelected() != selected) // C3
      return emitOpError() << "expects operands over the same rows";
    total += size;
  }
  Type expected = BufferType::get(getContext(), total, selected);
  if (getResult().getType() != expected) // C3
    return emitOpError() << "expects a result of type " << expected << ", got "
                         << getResult().getType();
  return success();
}

LogicalResult HadamardOp::verify() {
  const int64_t block = getBlock();
  int64_t order = 1;
  if (getBase()) {
    auto type = dyn_cast<RankedTensorType>(getBase().getType());
    if (!type || !type.hasStaticShape() || type.getRank() != 2 ||
        type.getDimSize(0) != type.getDimSize(1) || type.getDimSize(0) < 1) // C1
      return emitOpError() << "expects a square base, got " << getBase().getType();
    order = type.getDimSize(0);
  }
  if (block < 1 || block % order != 0 || !llvm::isPowerOf2_64(block / order)) // C1
    return emitOpError() << "expects a block of " << order << " times a power of two, got "
                         << block;
  if (width(getX()) % block != 0) // C2
    return emitOpError() << "expects a width that is a multiple of block " << block << ", got "
                         << width(getX());
  return sameType(*this, getX(), getResult(), "a result"); // C3
}

LogicalResult SelectRowsOp::verify() {
  auto x = cast<BufferType>(getX().getType());
  Type expected = BufferType::get(getContext(), x.getWidth(), true);
  if (x.getSelected() || getResult().getType() != expected) // C1
    return emitOpError() << "expects all rows, and a result of type " << expected;
  return success();
}
