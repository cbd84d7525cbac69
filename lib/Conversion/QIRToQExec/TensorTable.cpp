//===- TensorTable.cpp - Constants as stored tensors -----------------------------------------===//
#include "TensorTable.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Support/FloatElements.h"
#include "qopt/Support/WeightStore.h"

using namespace mlir;

namespace qopt {

/// The ONNX name of a constant; empty for constants that folding made.
static StringRef initializerName(qir::ConstantOp constant) {
  auto name = constant->getLoc()->findInstanceOf<NameLoc>();
  return name ? name.getName().getValue() : "";
}

ArrayAttr sourcesOf(qir::ConstantOp constant) {
  Builder builder(constant);
  SmallVector<Attribute> sources;
  if (StringRef name = initializerName(constant); !name.empty())
    sources.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("name", builder.getStringAttr(name)),
         builder.getNamedAttr("transposed",
                              builder.getBoolAttr(constant->hasAttr(qir::transposedAttr)))}));
  if (auto aliases = constant->getAttrOfType<ArrayAttr>(qir::aliasesAttr))
    llvm::append_range(sources, aliases);
  return builder.getArrayAttr(sources);
}

std::string TensorTable::uniqueName(qir::ConstantOp constant, StringRef format) {
  std::string name = initializerName(constant).str();
  if (!name.empty() && names.insert({name, 1}).second)
    return name;
  // A constant without a name, or one initializer stored in two formats.
  std::string base = name.empty() ? "constant#" : name + "#" + format.str() + "#";
  for (int number = 0;; ++number)
    if (std::string numbered = base + std::to_string(number); names.insert({numbered, 1}).second)
      return numbered;
}

/// The key under which equal requests meet: the value and everything that changes its storage.
static Attribute storageKey(Builder &builder, ArrayRef<Attribute> parts, StringRef format,
                            int64_t groupSize) {
  SmallVector<Attribute> key(parts);
  key.push_back(builder.getStringAttr(format));
  key.push_back(builder.getI64IntegerAttr(groupSize));
  llvm::replace(key, Attribute(), Attribute(builder.getUnitAttr()));
  return builder.getArrayAttr(key);
}

static StringRef denseFormat(Type element) {
  return element.isF16() ? "f16" : element.isBF16() ? "bf16" : "f32";
}

Value TensorTable::denseWeight(Operation *user, Value value, qir::SchemeAttr scheme) {
  auto constant = value.getDefiningOp<qir::ConstantOp>();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!constant || !type || type.getRank() != 2 || !isa<FloatType>(type.getElementType())) {
    user->emitError() << "expects a constant float matrix as weight, got " << value.getType();
    return {};
  }
  if (scheme && scheme.isInt()) {
    user->emitError() << "expects a quantized weight for " << scheme
                      << "; run qir-quantize-weights before lowering";
    return {};
  }
  StringRef format =
      scheme ? qir::stringifyWeightFormat(scheme.getFormat()) : denseFormat(type.getElementType());
  Attribute key = storageKey(builder, {constant.getValue()}, format, 0);
  if (Value known = made.lookup(key))
    return known;
  auto result =
      qexec::WeightType::get(builder.getContext(), type.getDimSize(0), type.getDimSize(1));
  auto weight = qexec::WeightOp::create(
      builder, constant->getLoc(), result, builder.getStringAttr(uniqueName(constant, format)),
      builder.getStringAttr(format), constant.getValue(), /*scales=*/ElementsAttr(),
      /*zero_points=*/ElementsAttr(), builder.getI64IntegerAttr(0), sourcesOf(constant),
      builder.getStringAttr(format), constant->getAttrOfType<FloatAttr>("qir.rms_error"));
  return made[key] = weight.getResult();
}

Value TensorTable::alternateWeight(Operation *user, Value value, StringRef format) {
  auto constant = value.getDefiningOp<qir::ConstantOp>();
  if (!constant) {
    user->emitError() << "expects a constant alternate weight";
    return {};
  }
  if (Value known = made.lookup(storageKey(builder, {constant.getValue()}, format, 0)))
    return known;
  Attribute key =
      storageKey(builder, {constant.getValue(), builder.getStringAttr("alternate")}, format, 0);
  if (Value known = made.lookup(key))
    return known;
  auto type = cast<RankedTensorType>(value.getType());
  auto result =
      qexec::WeightType::get(builder.getContext(), type.getDimSize(0), type.getDimSize(1));
  std::string name = initializerName(constant).str() + "#fp16";
  for (int number = 0; !names.insert({name, 1}).second; ++number)
    name = initializerName(constant).str() + "#fp16#" + std::to_string(number);
  auto weight = qexec::WeightOp::create(
      builder, constant->getLoc(), result, builder.getStringAttr(name),
      builder.getStringAttr(format), constant.getValue(), /*scales=*/ElementsAttr(),
      /*zero_points=*/ElementsAttr(), builder.getI64IntegerAttr(0), builder.getArrayAttr({}),
      builder.getStringAttr(format), FloatAttr());
  return made[key] = weight.getResult();
}

Value TensorTable::codeWeight(Operation *user, Value codes, Value scales, Value zeroPoints,
                              int64_t bits, int64_t groupSize) {
  auto codesOp = codes.getDefiningOp<qir::ConstantOp>();
  auto scalesOp = scales.getDefiningOp<qir::ConstantOp>();
  auto zeroPointsOp = zeroPoints ? zeroPoints.getDefiningOp<qir::ConstantOp>() : qir::ConstantOp();
  if (!codesOp || !scalesOp || (zeroPoints && !zeroPointsOp)) {
    user->emitError() << "expects constant codes, scales and zero points";
    return {};
  }
  ElementsAttr zeroPointsValue = zeroPointsOp ? zeroPointsOp.getValue() : ElementsAttr();
  std::string format = "u" + std::to_string(bits);
  Attribute key = storageKey(builder, {codesOp.getValue(), scalesOp.getValue(), zeroPointsValue},
                             format, groupSize);
  if (Value known = made.lookup(key))
    return known;
  auto type = cast<RankedTensorType>(codes.getType());
  auto result =
      qexec::WeightType::get(builder.getContext(), type.getDimSize(0), type.getDimSize(1));
  // The text form of the scheme, if the quantizer left it; else what the operands say.
  auto scheme = user->getAttrOfType<StringAttr>("qir.scheme_text");
  if (!scheme) {
    std::string group = groupSize ? "g" + std::to_string(groupSize) : "channel";
    scheme = builder.getStringAttr("w" + std::to_string(bits) + "-" + group +
                                   (zeroPointsOp ? "-asym" : "-sym"));
  }
  auto rmsError = user->getAttrOfType<FloatAttr>("qir.rms_error");
  if (!rmsError)
    rmsError = codesOp->getAttrOfType<FloatAttr>("qir.rms_error");
  auto weight = qexec::WeightOp::create(
      builder, codesOp->getLoc(), result, builder.getStringAttr(uniqueName(codesOp, format)),
      builder.getStringAttr(format), codesOp.getValue(), scalesOp.getValue(), zeroPointsValue,
      builder.getI64IntegerAttr(groupSize), sourcesOf(codesOp), scheme, rmsError);
  return made[key] = weight.getResult();
}

void TensorTable::outliers(Operation *linear, SmallVectorImpl<Value> &out) {
  std::optional<qir::OutlierElements> elements = qir::outliersOf(linear);
  if (!elements)
    return;
  auto codes = linear->getOperand(1).getDefiningOp<qir::ConstantOp>();
  auto add = [&](ElementsAttr value, StringRef part) {
    Value &known = made[storageKey(builder, {value, builder.getStringAttr(part)}, "plain", 0)];
    if (!known) {
      const std::string base = ((codes ? initializerName(codes) : StringRef()) + part).str();
      std::string name = base;
      for (int number = 0; !names.insert({name, 1}).second; ++number)
        name = base + "#" + std::to_string(number);
      known = qexec::TensorOp::create(builder, linear->getLoc(), value.getType(),
                                      builder.getStringAttr(name), value, builder.getArrayAttr({}))
                  .getResult();
    }
    out.push_back(known);
  };
  add(elements->rows, ".outlier_rows");
  add(elements->columns, ".outlier_columns");
  add(elements->values, ".outlier_values");
}

Value TensorTable::vector(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() ? floats(value, {type.getNumElements()}) : Value();
}

Value TensorTable::matrix(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() && type.getRank() == 2 ? floats(value, type.getShape())
                                                              : Value();
}

Value TensorTable::floats(Value value, ArrayRef<int64_t> shape) {
  auto constant = value.getDefiningOp<qir::ConstantOp>();
  if (!constant || !isa<FloatType>(constant.getValue().getElementType()))
    return {};
  Attribute key =
      storageKey(builder, {constant.getValue()}, shape.size() == 1 ? "vector" : "matrix", 0);
  if (Value known = made.lookup(key))
    return known;
  auto stored = RankedTensorType::get(shape, builder.getF32Type());
  ElementsAttr elements = constant.getValue();
  if (constant.getType() != stored) {
    FailureOr<std::vector<float>> floats = readFloats(elements);
    if (failed(floats))
      return {};
    ArrayRef<char> bytes(reinterpret_cast<const char *>(floats->data()),
                         floats->size() * sizeof(float));
    elements = WeightStore::insertCopy(stored, "floats", bytes);
  }
  auto tensor = qexec::TensorOp::create(builder, constant->getLoc(), stored,
                                        builder.getStringAttr(uniqueName(constant, "f32")),
                                        elements, sourcesOf(constant));
  return made[key] = tensor.getResult();
}

Value TensorTable::factors(Location loc, ArrayRef<float> values, StringRef name) {
  auto type = RankedTensorType::get({int64_t(values.size())}, builder.getF32Type());
  ArrayRef<char> bytes(reinterpret_cast<const char *>(values.data()),
                       values.size() * sizeof(float));
  std::string numbered;
  for (int number = 0;; ++number)
    if (numbered = name.str() + "#" + std::to_string(number); names.insert({numbered, 1}).second)
      break;
  return qexec::TensorOp::create(builder, loc, type, builder.getStringAttr(numbered),
                                 WeightStore::insertCopy(type, name.str(), bytes),
                                 builder.getArrayAttr({}))
      .getResult();
}

Value TensorTable::plain(qir::ConstantOp constant) {
  Attribute key = storageKey(builder, {constant.getValue()}, "plain", 0);
  if (Value known = made.lookup(key))
    return known;
  auto tensor = qexec::TensorOp::create(builder, constant->getLoc(), constant.getType(),
                                        builder.getStringAttr(uniqueName(constant, "plain")),
                                        constant.getValue(), sourcesOf(constant));
  return made[key] = tensor.getResult();
}

} // namespace qopt
