//===- CodedWeights.cpp - Quantized weights in a graph ---------------------------------------===//
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"

#include "qopt/Dialect/QIR/IR/QIRDialect.h"
#include "qopt/Support/FloatElements.h"

#include <cmath>

using namespace mlir;

namespace qopt::qir {

SchemeAttr schemeOf(Operation *op) {
  SchemeAttr scheme;
  if (auto linear = dyn_cast<LinearOp>(op))
    scheme = linear.getSchemeAttr();
  else if (auto embedding = dyn_cast<EmbeddingOp>(op))
    scheme = embedding.getSchemeAttr();
  return scheme ? scheme : SchemeAttr::getDense(op->getContext(), WeightFormat::F32);
}

bool isCalibrated(Operation *op) {
  auto linear = dyn_cast<LinearOp>(op);
  if (!linear || !schemeOf(op).isInt())
    return false;
  if (linear.getRole() != "head")
    return true;
  bool tied = llvm::any_of(linear.getW().getUsers(), [](Operation *user) {
    return isa<EmbeddingOp, QuantizedEmbeddingOp>(user);
  });
  return !tied && schemeOf(op).getWeightBits() < 8;
}

LogicalResult markAlternate(LinearOp linear) {
  auto weight = linear.getW().getDefiningOp<ConstantOp>();
  if (!weight)
    return linear.emitOpError() << "expects a constant weight for the second weight set";
  Type element = weight.getValue().getElementType();
  bool half = element.isF16();
  if (!half && !element.isBF16()) {
    FailureOr<std::vector<float>> values = readFloats(weight.getValue());
    if (failed(values))
      return linear.emitOpError() << "expects a readable float weight";
    constexpr float largestHalf = 65504;
    half = llvm::all_of(*values, [](float v) { return std::fabs(v) <= largestHalf; });
  }
  linear->setAttr(alternateAttr, StringAttr::get(linear.getContext(), half ? "f16" : "bf16"));
  return success();
}

NewCodedWeight::Part::Part(RankedTensorType type, std::string name)
    : type(type), name(std::move(name)) {
  value = WeightStore::allocate(type, this->name, bytes);
}

/// Small constants become dense, as everywhere.
ElementsAttr NewCodedWeight::Part::finish() {
  if (type.getNumElements() > 64)
    return value;
  ElementsAttr copy = WeightStore::insertCopy(type, name, bytes);
  WeightStore::release(value);
  return copy;
}

static RankedTensorType partType(ConstantOp weight, int64_t columns, bool half) {
  Builder builder(weight);
  Type element = half ? Type(builder.getF16Type()) : builder.getIntegerType(8, /*isSigned=*/false);
  return RankedTensorType::get({cast<RankedTensorType>(weight.getType()).getDimSize(0), columns},
                               element);
}

static int64_t groupsOf(ConstantOp weight, SchemeAttr scheme) {
  const int64_t k = cast<RankedTensorType>(weight.getType()).getDimSize(1);
  return scheme.getGroupSize() ? (k + scheme.getGroupSize() - 1) / scheme.getGroupSize() : 1;
}

static std::string partName(ConstantOp weight, StringRef part) {
  auto name = weight->getLoc()->findInstanceOf<NameLoc>();
  return ((name ? name.getName().getValue() : StringRef("weight")) + part).str();
}

NewCodedWeight::NewCodedWeight(ConstantOp weight, SchemeAttr scheme)
    : weight(weight), groupCount(groupsOf(weight, scheme)),
      codesConstant(partType(weight, cast<RankedTensorType>(weight.getType()).getDimSize(1), false),
                    partName(weight, ".codes")),
      scalesConstant(partType(weight, groupCount, true), partName(weight, ".scales")) {
  if (!scheme.getSymmetric())
    zerosConstant.emplace(partType(weight, groupCount, false), partName(weight, ".zero_points"));
}

void NewCodedWeight::discard() {
  WeightStore::release(codesConstant.value);
  WeightStore::release(scalesConstant.value);
  if (zerosConstant)
    WeightStore::release(zerosConstant->value);
}

CodedWeight NewCodedWeight::finish(double rmsError) {
  OpBuilder builder(weight);
  auto add = [&](ElementsAttr value) {
    return ConstantOp::create(builder, weight->getLoc(), value.getType(), value);
  };
  ConstantOp codes = add(codesConstant.finish());
  codes->setDiscardableAttrs(weight->getDiscardableAttrDictionary());
  CodedWeight made{codes, add(scalesConstant.finish()), {}, rmsError};
  if (zerosConstant)
    made.zeroPoints = add(zerosConstant->finish());
  return made;
}

static Operation *createQuantized(OpBuilder &builder, Operation *op, SchemeAttr scheme,
                                  const CodedWeight &weight) {
  IntegerAttr bits = builder.getI64IntegerAttr(scheme.getWeightBits());
  IntegerAttr group = builder.getI64IntegerAttr(scheme.getGroupSize());
  Type type = op->getResult(0).getType();
  if (auto linear = dyn_cast<LinearOp>(op)) {
    Value alternate = op->hasAttr(alternateAttr) ? linear.getW() : Value();
    return QuantizedLinearOp::create(builder, op->getLoc(), type, linear.getX(), weight.codes,
                                     weight.scales, weight.zeroPoints, linear.getBias(), alternate,
                                     bits, group, builder.getStringAttr(scheme.activationName()));
  }
  auto embedding = cast<EmbeddingOp>(op);
  return QuantizedEmbeddingOp::create(builder, op->getLoc(), type, weight.codes, weight.scales,
                                      weight.zeroPoints, embedding.getIds(), bits, group,
                                      embedding.getOffsetAttr());
}

Operation *replaceByQuantized(Operation *op, const CodedWeight &weight) {
  SchemeAttr scheme = schemeOf(op);
  OpBuilder builder(op);
  Operation *quantized = createQuantized(builder, op, scheme, weight);
  quantized->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  quantized->setAttr("qir.rms_error", builder.getF64FloatAttr(weight.rmsError));
  quantized->setAttr("qir.scheme_text", builder.getStringAttr(scheme.toText()));
  op->replaceAllUsesWith(quantized->getResults());
  op->erase();
  return quantized;
}

void releaseIfUnused(ConstantOp weight, Operation *root) {
  if (!weight->use_empty())
    return;
  bool shared = false;
  root->walk([&](ConstantOp other) {
    shared |= other != weight && other.getValue() == weight.getValue();
  });
  if (shared)
    return;
  WeightStore::release(weight.getValue());
  weight->erase();
}

} // namespace qopt::qir
