//===- ForwardElementwise.cpp - Norms, activations, arithmetic, Hadamard transforms ----------===//
#include "ForwardBinder.h"

#include "kernels/cpu/hadamard/hadamard.h"
#include "kernels/cpu/norm/norm.h"

#include <cmath>

using namespace mlir;
using namespace qrt::kernels;
using qrt::Status;

namespace qopt::calibration {

BoundOp ForwardBinder::bindNorm(Value weightValue, Value biasValue, double epsilon, bool rms) {
  auto weight = std::make_shared<std::vector<float>>(constantFloats(weightValue));
  auto bias = std::make_shared<std::vector<float>>(constantFloats(biasValue));
  if (!activations({0}) || weight->empty() || (biasValue && bias->empty()))
    return refuse("needs an activation and constant weights");
  const int from = in(0), to = out();
  const int64_t features = width(from);
  return [=](Chunk &chunk) {
    NormArgs args = {};
    args.dst = chunk.values[to];
    args.src = chunk.values[from];
    args.dstStride = args.srcStride = args.width = features;
    args.weight = weight->data();
    args.bias = bias->empty() ? nullptr : bias->data();
    args.tokens = chunk.tokens;
    args.chunk = static_cast<int64_t>(weight->size());
    args.epsilon = static_cast<float>(epsilon);
    rms ? rmsNorm(chunk.pool, args) : layerNorm(chunk.pool, args);
    return Status::ok();
  };
}

BoundOp ForwardBinder::bindUnary(UnaryKind kind, double parameter) {
  if (!activations({0}))
    return refuse("of something else than an activation");
  const int from = in(0), to = out();
  const int64_t features = width(to);
  return [=](Chunk &chunk) {
    UnaryArgs args = {};
    args.kind = kind;
    args.dst = chunk.values[to];
    args.src = chunk.values[from];
    args.dstStride = args.srcStride = args.width = features;
    args.tokens = chunk.tokens;
    args.parameter = static_cast<float>(parameter);
    unary(chunk.pool, args);
    return Status::ok();
  };
}

BoundOp ForwardBinder::bindGated(UnaryKind kind) {
  if (!activations({0, 1}))
    return refuse("of something else than activations");
  const int gate = in(0), up = in(1), to = out();
  const int64_t features = width(to);
  return [=](Chunk &chunk) {
    GatedArgs args = {};
    args.kind = kind;
    args.dst = chunk.values[to];
    args.gate = chunk.values[gate];
    args.up = chunk.values[up];
    args.dstStride = args.gateStride = args.upStride = args.width = features;
    args.tokens = chunk.tokens;
    gatedActivation(chunk.pool, args);
    return Status::ok();
  };
}

BoundOp ForwardBinder::bindBinary(Operation *op, BinaryKind kind) {
  int left = in(0), right = in(1), to = out();
  const bool swapped = left < 0;
  Value other = op->getOperand(swapped ? 0 : 1);
  if (swapped)
    std::swap(left, right);
  if (left < 0)
    return refuse("of operands that are not activations or constants");
  const int64_t features = width(left);
  auto vector = std::make_shared<std::vector<float>>();
  if (right < 0) {
    *vector = constantFloats(other);
    if (vector->size() != 1 && static_cast<int64_t>(vector->size()) != features)
      return refuse("of operands of different widths");
  } else if (width(right) != features) {
    return refuse("of operands of different widths");
  }
  return [=](Chunk &chunk) {
    BinaryArgs args = {};
    args.kind = kind;
    args.swapped = swapped;
    args.dst = chunk.values[to];
    args.lhs = chunk.values[left];
    args.dstStride = args.lhsStride = args.rhsStride = args.width = features;
    args.rhs = right >= 0 ? chunk.values[right] : vector->data();
    args.broadcast = right >= 0            ? Broadcast::None
                     : vector->size() == 1 ? Broadcast::Scalar
                                           : Broadcast::Row;
    args.tokens = chunk.tokens;
    binary(chunk.pool, args);
    return Status::ok();
  };
}

BoundOp ForwardBinder::bindHadamard(qir::HadamardOp op) {
  auto base = std::make_shared<std::vector<float>>(constantFloats(op.getBase()));
  if (!activations({0}) || (op.getBase() && base->empty()))
    return refuse("needs an activation and a constant base");
  const int from = in(0), to = out();
  const int64_t features = width(to), block = op.getBlock();
  return [=](Chunk &chunk) {
    HadamardArgs args = {};
    args.dst = chunk.values[to];
    args.src = chunk.values[from];
    args.dstStride = args.srcStride = args.width = features;
    args.base = base->empty() ? nullptr : base->data();
    args.baseOrder = base->empty() ? 1 : std::lround(std::sqrt(double(base->size())));
    args.tokens = chunk.tokens;
    args.block = block;
    hadamard(chunk.pool, args);
    return Status::ok();
  };
}

} // namespace qopt::calibration
