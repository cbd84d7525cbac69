//===- Emitter.cpp - qir ops with inferred result types ---------------------------------------===//
// Shape-changing ops are in EmitShapes.cpp.
#include "Emitter.h"

#include "llvm/ADT/APFloat.h"

using namespace mlir;

namespace qopt {

Shape shapeOf(Value value) {
  if (auto ranked = dyn_cast<RankedTensorType>(value.getType()))
    return Ints(ranked.getShape());
  return std::nullopt;
}

Type elementOf(Value value) { return cast<TensorType>(value.getType()).getElementType(); }

int64_t rankOf(Value value) {
  auto ranked = dyn_cast<RankedTensorType>(value.getType());
  return ranked ? ranked.getRank() : -1;
}

int64_t dimOf(Value value, int64_t axis) {
  auto ranked = dyn_cast<RankedTensorType>(value.getType());
  if (!ranked)
    return dynamicDim;
  if (axis < 0)
    axis += ranked.getRank();
  return axis < 0 || axis >= ranked.getRank() ? dynamicDim : ranked.getDimSize(axis);
}

TensorType tensorOf(const Shape &shape, Type element) {
  if (shape)
    return RankedTensorType::get(*shape, element);
  return UnrankedTensorType::get(element);
}

Shape broadcastShapes(const Shape &a, const Shape &b) {
  if (!a || !b)
    return std::nullopt;
  Ints out(std::max(a->size(), b->size()));
  for (size_t i = 0; i < out.size(); ++i) {
    int64_t x = i < a->size() ? (*a)[a->size() - 1 - i] : 1;
    int64_t y = i < b->size() ? (*b)[b->size() - 1 - i] : 1;
    int64_t dim = x == y            ? x
                  : x == 1          ? y
                  : y == 1          ? x
                  : x == dynamicDim ? y
                  : y == dynamicDim ? x
                                    : dynamicDim;
    out[out.size() - 1 - i] = dim;
  }
  return out;
}

Value Emitter::op(StringRef mnemonic, ValueRange operands, Type result,
                  ArrayRef<NamedAttribute> attributes) {
  OperationState state(loc, ("qir." + mnemonic).str(), operands, {result}, attributes);
  return builder.create(state)->getResult(0);
}

NamedAttribute Emitter::i64(StringRef name, int64_t value) {
  return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
}
NamedAttribute Emitter::f64(StringRef name, double value) {
  return builder.getNamedAttr(name, builder.getF64FloatAttr(value));
}
NamedAttribute Emitter::str(StringRef name, StringRef value) {
  return builder.getNamedAttr(name, builder.getStringAttr(value));
}
NamedAttribute Emitter::ints(StringRef name, ArrayRef<int64_t> values) {
  return builder.getNamedAttr(name, builder.getDenseI64ArrayAttr(values));
}

static Value constant(Emitter &e, DenseElementsAttr value) {
  return e.op("constant", {}, value.getType(), {e.builder.getNamedAttr("value", value)});
}

Value Emitter::intVector(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({int64_t(values.size())}, builder.getI64Type());
  return constant(*this, DenseElementsAttr::get(type, values));
}

Value Emitter::intScalar(int64_t value) {
  auto type = RankedTensorType::get({}, builder.getI64Type());
  return constant(*this, DenseElementsAttr::get(type, ArrayRef<int64_t>(value)));
}

Value Emitter::scalar(double value, Type element) {
  auto type = RankedTensorType::get({}, element);
  Attribute attribute;
  if (auto floating = dyn_cast<FloatType>(element)) {
    llvm::APFloat number(value);
    bool inexact;
    number.convert(floating.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &inexact);
    attribute = FloatAttr::get(element, number);
  } else {
    unsigned bits = element.getIntOrFloatBitWidth();
    attribute = IntegerAttr::get(element, llvm::APInt(bits, uint64_t(int64_t(value)), false, true));
  }
  return constant(*this, DenseElementsAttr::get(type, attribute));
}

Value Emitter::unary(StringRef mnemonic, Value x, ArrayRef<NamedAttribute> attributes) {
  return op(mnemonic, {x}, x.getType(), attributes);
}

Value Emitter::binary(StringRef mnemonic, Value a, Value b, ArrayRef<NamedAttribute> attributes) {
  return op(mnemonic, {a, b}, tensorOf(broadcastShapes(shapeOf(a), shapeOf(b)), elementOf(a)),
            attributes);
}

Value Emitter::compare(StringRef mnemonic, Value a, Value b) {
  return op(mnemonic, {a, b},
            tensorOf(broadcastShapes(shapeOf(a), shapeOf(b)), builder.getI1Type()));
}

Value Emitter::where(Value condition, Value a, Value b) {
  Shape values = broadcastShapes(shapeOf(a), shapeOf(b));
  return op("where", {condition, a, b},
            tensorOf(broadcastShapes(shapeOf(condition), values), elementOf(a)));
}

Value Emitter::cast(Value x, Type element) {
  if (elementOf(x) == element)
    return x;
  return op("cast", {x}, tensorOf(shapeOf(x), element));
}

Value Emitter::matmul(Value a, Value b) {
  Shape x = shapeOf(a), y = shapeOf(b), result;
  if (x && y && !x->empty() && !y->empty()) {
    bool vectorLeft = x->size() == 1, vectorRight = y->size() == 1;
    int64_t rows = vectorLeft ? 0 : (*x)[x->size() - 2], columns = vectorRight ? 0 : y->back();
    x->resize(vectorLeft ? 0 : x->size() - 2);
    y->resize(vectorRight ? 0 : y->size() - 2);
    result = broadcastShapes(x, y);
    if (!vectorLeft)
      result->push_back(rows);
    if (!vectorRight)
      result->push_back(columns);
  }
  return op("matmul", {a, b}, tensorOf(result, elementOf(a)));
}

Value Emitter::reduce(StringRef mnemonic, Value x, ArrayRef<int64_t> axes, bool keepDims) {
  Shape shape = shapeOf(x), result;
  Ints positive(axes);
  if (shape) {
    llvm::SmallVector<bool> reduced(shape->size(), axes.empty());
    for (int64_t &axis : positive) {
      axis = axis < 0 ? axis + int64_t(shape->size()) : axis;
      if (axis >= 0 && axis < int64_t(shape->size()))
        reduced[axis] = true;
    }
    result.emplace();
    for (size_t i = 0; i < shape->size(); ++i)
      if (!reduced[i])
        result->push_back((*shape)[i]);
      else if (keepDims)
        result->push_back(1);
  }
  return op(mnemonic, {x}, tensorOf(result, elementOf(x)),
            {ints("axes", positive), i64("keepdims", keepDims)});
}

Value Emitter::rmsNorm(Value x, Value weight, double epsilon) {
  return op("rms_norm", {x, weight}, x.getType(), {f64("epsilon", epsilon)});
}

Value Emitter::layerNorm(Value x, Value weight, Value bias, double epsilon) {
  SmallVector<Value> operands{x, weight};
  if (bias)
    operands.push_back(bias);
  return op("layer_norm", operands, x.getType(), {f64("epsilon", epsilon)});
}

Value Emitter::rotary(Value x, Value cos, Value sin, bool interleaved) {
  return op("rotary_embedding", {x, cos, sin}, x.getType(), {i64("interleaved", interleaved)});
}

Value Emitter::sdpa(Value q, Value k, Value v, Value mask, double scale, double softcap,
                    bool causal) {
  SmallVector<Value> operands{q, k, v};
  if (mask)
    operands.push_back(mask);
  Shape shape = Ints{dimOf(q, 0), dimOf(q, 1), dimOf(q, 2), dimOf(v, 3)};
  return op("sdpa", operands, tensorOf(shape, elementOf(q)),
            {f64("scale", scale), f64("softcap", softcap), i64("causal", causal)});
}

} // namespace qopt
