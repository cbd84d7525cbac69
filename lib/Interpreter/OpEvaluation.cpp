//===- OpEvaluation.cpp - Evaluates qir ops with the tensor library ---------------------------===//
#include "qopt/Interpreter/OpEvaluation.h"

#include "qopt/Dialect/QIR/IR/OperandSlots.h"
#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Support/WeightStore.h"

#include <array>
#include <cstring>

using namespace mlir;
using namespace qopt::qir;
using qrt::DType;
using qrt::tensor::Tensor;

namespace qopt::interpreter {

std::optional<DType> dtypeOf(Type element) {
  if (element.isF32())
    return DType::F32;
  if (element.isF16())
    return DType::F16;
  if (element.isBF16())
    return DType::BF16;
  if (element.isF64())
    return DType::F64;
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer)
    return std::nullopt;
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return DType::Bool;
  case 8:
    return isUnsigned ? DType::U8 : DType::I8;
  case 16:
    return isUnsigned ? DType::U16 : DType::I16;
  case 32:
    return isUnsigned ? DType::U32 : DType::I32;
  case 64:
    return isUnsigned ? DType::U64 : DType::I64;
  default:
    return std::nullopt;
  }
}

Type elementTypeOf(MLIRContext *context, DType dtype) {
  if (dtype == DType::Bool)
    return IntegerType::get(context, 1);
  if (qrt::isFloat(dtype)) {
    switch (dtype) {
    case DType::F16:
      return Float16Type::get(context);
    case DType::BF16:
      return BFloat16Type::get(context);
    case DType::F64:
      return Float64Type::get(context);
    default:
      return Float32Type::get(context);
    }
  }
  auto sign = qrt::isSigned(dtype) ? IntegerType::Signless : IntegerType::Unsigned;
  return IntegerType::get(context, qrt::byteWidth(dtype) * 8, sign);
}

std::optional<Tensor> tensorOf(ConstantOp constant) {
  auto type = cast<RankedTensorType>(constant.getType());
  std::optional<DType> dtype = dtypeOf(type.getElementType());
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(constant, scratch);
  if (!dtype || failed(bytes))
    return std::nullopt;
  Tensor tensor;
  tensor.dtype = *dtype;
  tensor.shape.assign(type.getShape().begin(), type.getShape().end());
  if (isa<DenseResourceElementsAttr>(constant.getValue())) {
    tensor.data = std::shared_ptr<const void>(bytes->data(), [](const void *) {});
  } else {
    auto copy = std::make_shared<std::vector<char>>(bytes->begin(), bytes->end());
    tensor.data = std::shared_ptr<const void>(copy, copy->data());
  }
  return tensor;
}

/// Attributes as the tensor library takes them; false if one has no such form.
static bool convertAttributes(Operation *op, qrt::tensor::OpCall &call) {
  for (NamedAttribute named : op->getAttrs()) {
    std::string name = named.getName().str();
    Attribute attr = named.getValue();
    if (name == "operandSegmentSizes" || StringRef(name).contains('.') ||
        isa<SchemeAttr, UnitAttr>(attr))
      continue;
    if (auto integer = dyn_cast<IntegerAttr>(attr)) {
      call.attrs[name] = integer.getInt();
    } else if (auto number = dyn_cast<FloatAttr>(attr)) {
      call.attrs[name] = number.getValueAsDouble();
    } else if (auto text = dyn_cast<StringAttr>(attr)) {
      call.attrs[name] = text.str();
    } else if (auto list = dyn_cast<DenseI64ArrayAttr>(attr)) {
      call.attrs[name] = std::vector<int64_t>(list.asArrayRef().begin(), list.asArrayRef().end());
    } else {
      return false;
    }
  }
  return true;
}

static LogicalResult evaluateIf(IfOp op, TensorMap &values, std::string &why) {
  const Tensor &condition = values[op.getCondition()];
  if (!condition.data) {
    why = "the condition depends on token data";
    return failure();
  }
  bool taken = *static_cast<const uint8_t *>(condition.data.get()) != 0;
  Region &region = taken ? op.getThenRegion() : op.getElseRegion();
  for (Operation &inner : region.front().without_terminator())
    if (failed(evaluateOp(&inner, values, why)))
      return failure();
  for (auto [result, yielded] :
       llvm::zip(op.getResults(), region.front().getTerminator()->getOperands())) {
    Tensor value = values[yielded];
    values[result] = std::move(value);
  }
  return success();
}

static std::optional<Tensor> tensorOf(ElementsAttr value) {
  auto type = cast<RankedTensorType>(value.getType());
  std::optional<DType> dtype = dtypeOf(type.getElementType());
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(value, scratch);
  if (!dtype || failed(bytes))
    return std::nullopt;
  Tensor tensor;
  tensor.dtype = *dtype;
  tensor.shape.assign(type.getShape().begin(), type.getShape().end());
  auto copy = std::make_shared<std::vector<char>>(bytes->begin(), bytes->end());
  tensor.data = std::shared_ptr<const void>(copy, copy->data());
  return tensor;
}

/// What attributes say of a linear, as the tensor library takes it: operands 5 to 7, and an
/// attribute.
static bool addOutliers(Operation *linear, qrt::tensor::OpCall &call,
                        std::array<Tensor, 3> &outliers, std::vector<const Tensor *> &operands) {
  if (DenseF64ArrayAttr scales = activationScalesOf(linear))
    call.attrs["activation_scales"] =
        std::vector<double>(scales.asArrayRef().begin(), scales.asArrayRef().end());
  std::optional<OutlierElements> elements = outliersOf(linear);
  if (!elements)
    return true;
  ElementsAttr parts[] = {elements->rows, elements->columns, elements->values};
  for (size_t i = 0; i < 3; ++i) {
    std::optional<Tensor> tensor = tensorOf(parts[i]);
    if (!tensor)
      return false;
    outliers[i] = std::move(*tensor);
    operands.push_back(&outliers[i]);
  }
  return true;
}

LogicalResult evaluateOp(Operation *op, TensorMap &values, std::string &why) {
  if (auto constant = dyn_cast<ConstantOp>(op)) {
    auto tensor = tensorOf(constant);
    if (!tensor) {
      why = "a constant cannot be read";
      return failure();
    }
    values[constant.getResult()] = std::move(*tensor);
    return success();
  }
  if (auto conditional = dyn_cast<IfOp>(op))
    return evaluateIf(conditional, values, why);
  qrt::tensor::OpCall call;
  call.name = op->getName().stripDialect().str();
  if (!convertAttributes(op, call)) {
    why = "an attribute has no evaluation";
    return failure();
  }
  if (Type element = elementToName(op)) {
    auto dtype = dtypeOf(element);
    if (!dtype) {
      why = "has a result of an unknown type";
      return failure();
    }
    call.attrs["to"] = std::string(qrt::name(*dtype));
  }
  std::vector<const Tensor *> operands;
  std::array<Tensor, 3> outliers;
  auto push = [&](Value operand) { operands.push_back(&values.find(operand)->second); };
  if (auto segments = op->getAttrOfType<DenseI32ArrayAttr>("operandSegmentSizes")) {
    size_t next = 0;
    for (int32_t size : segments.asArrayRef()) {
      if (size == 0)
        operands.push_back(nullptr);
      for (int32_t i = 0; i < size; ++i)
        push(op->getOperand(next++));
    }
    if (isa<QuantizedLinearOp>(op)) {
      operands.resize(5); // without the alternate, which takes no part in the value
      if (!addOutliers(op, call, outliers, operands)) {
        why = "has outliers that cannot be read";
        return failure();
      }
    }
  } else {
    for (Value operand : op->getOperands())
      push(operand);
    if (isa<QuantizedEmbeddingOp>(op) && operands.size() == 3)
      operands.insert(operands.begin() + 2, nullptr); // no zero points
  }
  auto results = qrt::tensor::evaluate(call, operands);
  if (!results) {
    why = results.status().message();
    return failure();
  }
  if (results->size() < op->getNumResults()) {
    why = "has fewer results than expected";
    return failure();
  }
  for (auto [result, value] : llvm::zip(op->getResults(), *results))
    values[result] = value;
  return success();
}

} // namespace qopt::interpreter
