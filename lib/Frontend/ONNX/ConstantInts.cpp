//===- ConstantInts.cpp - Integers that are known at import -----------------------------------===//
// Axes, split sizes and target shapes must often be known to type an op. Exporters give them as
// constants or as a few steps of arithmetic on constants and static dimensions.
#include "Emitter.h"

#include "qopt/Support/WeightStore.h"

#include <cstring>

using namespace mlir;

namespace qopt {

constexpr int64_t maxKnown = 1024; // shapes, axes and sizes are short

static std::optional<Ints> fromConstant(qir::ConstantOp op) {
  auto type = cast<ShapedType>(op.getValue().getType());
  auto element = dyn_cast<IntegerType>(type.getElementType());
  if (!element || !type.hasStaticShape() || type.getNumElements() > maxKnown)
    return std::nullopt;
  if (type.getNumElements() == 0)
    return Ints();
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(op, scratch);
  if (failed(bytes))
    return std::nullopt;
  size_t width = std::max(1u, element.getWidth() / 8);
  Ints out;
  for (size_t i = 0; i + width <= bytes->size(); i += width) {
    uint64_t raw = 0;
    std::memcpy(&raw, bytes->data() + i, width);
    if (!element.isUnsigned() && width < 8)
      raw = uint64_t(int64_t(raw << (64 - 8 * width)) >> (64 - 8 * width));
    out.push_back(int64_t(raw));
  }
  return out;
}

static std::optional<Ints> fromBinary(StringRef name, const Ints &a, const Ints &b) {
  if (a.empty() || b.empty() || (a.size() != b.size() && a.size() != 1 && b.size() != 1))
    return std::nullopt;
  Ints out(std::max(a.size(), b.size()));
  for (size_t i = 0; i < out.size(); ++i) {
    int64_t x = a[a.size() == 1 ? 0 : i], y = b[b.size() == 1 ? 0 : i];
    bool overflow = false;
    if (name == "qir.add")
      overflow = __builtin_add_overflow(x, y, &out[i]);
    else if (name == "qir.sub")
      overflow = __builtin_sub_overflow(x, y, &out[i]);
    else if (name == "qir.mul")
      overflow = __builtin_mul_overflow(x, y, &out[i]);
    else if (name == "qir.div" && y != 0 && y != -1)
      out[i] = x / y;
    else
      return std::nullopt;
    if (overflow)
      return std::nullopt;
  }
  return out;
}

std::optional<Ints> constantInts(Value value, int depth) {
  Operation *op = value ? value.getDefiningOp() : nullptr;
  if (!op || depth > 12 || !isa<IntegerType>(elementOf(value)))
    return std::nullopt;
  if (auto constant = dyn_cast<qir::ConstantOp>(op))
    return fromConstant(constant);
  StringRef name = op->getName().getStringRef();
  if (isa<qir::IdentityOp, qir::CastOp, qir::SqueezeOp, qir::UnsqueezeOp, qir::ReshapeOp>(op))
    return constantInts(op->getOperand(0), depth + 1);
  if (isa<qir::ConcatOp>(op)) {
    Ints out;
    for (Value input : op->getOperands()) {
      std::optional<Ints> part = constantInts(input, depth + 1);
      if (!part || rankOf(input) != 1 || int64_t(out.size() + part->size()) > maxKnown)
        return std::nullopt;
      out.append(*part);
    }
    return out;
  }
  if (auto shape = dyn_cast<qir::ShapeOfOp>(op)) {
    Shape dims = shapeOf(shape.getX());
    if (!dims)
      return std::nullopt;
    Ints out;
    int64_t start = shape.getStart(),
            end = shape.getEnd() ? *shape.getEnd() : int64_t(dims->size());
    for (int64_t i = start; i < end && i < int64_t(dims->size()); ++i) {
      if (i < 0 || (*dims)[i] == dynamicDim)
        return std::nullopt;
      out.push_back((*dims)[i]);
    }
    return out;
  }
  if (auto gather = dyn_cast<qir::GatherOp>(op)) {
    std::optional<Ints> index = constantInts(gather.getIndices(), depth + 1);
    if (!index || rankOf(gather.getX()) != 1)
      return std::nullopt;
    // One dimension of a shape may be known although the others are not.
    if (auto shape = gather.getX().getDefiningOp<qir::ShapeOfOp>(); shape && index->size() == 1) {
      int64_t at = index->front() + (index->front() < 0 ? dimOf(gather.getX(), 0) : 0);
      int64_t dim = dimOf(shape.getX(), at + shape.getStart());
      return dim == dynamicDim ? std::nullopt : std::optional<Ints>(Ints{dim});
    }
    std::optional<Ints> data = constantInts(gather.getX(), depth + 1);
    if (!data)
      return std::nullopt;
    Ints out;
    for (int64_t at : *index) {
      at += at < 0 ? int64_t(data->size()) : 0;
      if (at < 0 || at >= int64_t(data->size()))
        return std::nullopt;
      out.push_back((*data)[at]);
    }
    return out;
  }
  if (op->getNumOperands() == 2) {
    if (!isa<qir::AddOp, qir::SubOp, qir::MulOp, qir::DivOp>(op))
      return std::nullopt;
    std::optional<Ints> a = constantInts(op->getOperand(0), depth + 1);
    std::optional<Ints> b = a ? constantInts(op->getOperand(1), depth + 1) : std::nullopt;
    if (a && b)
      return fromBinary(name, *a, *b);
  }
  return std::nullopt;
}

} // namespace qopt
