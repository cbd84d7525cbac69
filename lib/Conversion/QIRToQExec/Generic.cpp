//===- Generic.cpp - Graphs that were not raised, op by op -----------------------------------===//
// Everything becomes a qexec.tensor_op of the same name, except linears and embeddings with
// constant weights, whose kernels read packed weights. Those work in f32: other float types are
// cast around.
#include "Lowering.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"

#include "qopt/Dialect/QIR/IR/OperandSlots.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;

namespace {

class GenericLowering {
public:
  explicit GenericLowering(Lowering &lowering)
      : lowering(lowering), builder(lowering.builder), values(lowering.values),
        tensors(lowering.tensors) {}

  LogicalResult run();

private:
  LogicalResult convert(Operation *op);
  LogicalResult convertTensorOp(Operation *op);
  LogicalResult convertReturn(func::ReturnOp op);
  LogicalResult convertLinear(Operation *op, Value x, Value weight, Value bias,
                              StringRef activation, Operation *quantized = nullptr);
  LogicalResult convertEmbedding(Operation *op, Value weight, Value ids, int64_t offset);

  /// The new value, a stored tensor for a constant.
  Value lookup(Value value);
  Value castTo(Location loc, Value value, Type element);

  Lowering &lowering;
  OpBuilder &builder;
  IRMapping &values;
  TensorTable &tensors;
};

} // namespace

Value GenericLowering::lookup(Value value) {
  if (auto constant = value.getDefiningOp<qir::ConstantOp>())
    return tensors.plain(constant);
  return values.lookupOrNull(value);
}

Value GenericLowering::castTo(Location loc, Value value, Type element) {
  auto type = cast<TensorType>(value.getType());
  if (type.getElementType() == element)
    return value;
  Type result = type.clone(element);
  NamedAttribute to =
      builder.getNamedAttr("to", builder.getStringAttr(qir::elementTypeName(element)));
  return qexec::TensorInstructionOp::create(
             builder, loc, TypeRange(result), builder.getStringAttr("cast"), ValueRange(value),
             builder.getDictionaryAttr(to), builder.getDenseI64ArrayAttr({}))
      .getResult(0);
}

LogicalResult GenericLowering::convertTensorOp(Operation *op) {
  if (op->getNumRegions() != 0)
    return lowering.unsupported(op, "control flow that could not be resolved at compile time");
  SmallVector<Value> inputs;
  SmallVector<int64_t> absent;
  for (auto [position, operand] : llvm::enumerate(qir::operandSlots(op))) {
    if (!operand) {
      absent.push_back(position);
      continue;
    }
    Value value = lookup(operand);
    if (!value)
      return success(); // made by an op that is already reported
    inputs.push_back(value);
  }
  StringRef mnemonic = op->getName().stripDialect();
  auto instruction = qexec::TensorInstructionOp::create(
      builder, op->getLoc(), op->getResultTypes(), builder.getStringAttr(mnemonic), inputs,
      builder.getDictionaryAttr(qir::evaluationAttributes(op)),
      builder.getDenseI64ArrayAttr(absent));
  values.map(op->getResults(), instruction.getOutputs());
  return success();
}

/// `quantized`: brings outliers and static scales.
LogicalResult GenericLowering::convertLinear(Operation *op, Value x, Value weight, Value bias,
                                             StringRef activation, Operation *quantized) {
  if (!weight)
    return failure();
  Value input = lookup(x), vector = bias ? tensors.vector(bias) : Value();
  if (!input)
    return success();
  if (bias && !vector)
    return lowering.unsupported(op, "with a bias that is not constant");
  SmallVector<Value> outliers;
  if (quantized)
    tensors.outliers(quantized, outliers);
  auto result = cast<TensorType>(op->getResult(0).getType());
  Type f32 = builder.getF32Type();
  Value product =
      qexec::LinearOp::create(
          builder, op->getLoc(), result.clone(f32), castTo(op->getLoc(), input, f32), weight,
          vector, /*alternate=*/Value(), outliers, builder.getStringAttr(activation),
          quantized ? qir::activationScalesOf(quantized) : DenseF64ArrayAttr(), IntegerAttr())
          .getResult();
  values.map(op->getResult(0), castTo(op->getLoc(), product, result.getElementType()));
  return success();
}

LogicalResult GenericLowering::convertEmbedding(Operation *op, Value weight, Value ids,
                                                int64_t offset) {
  if (!weight)
    return failure();
  Value index = lookup(ids);
  if (!index)
    return success();
  auto result = cast<TensorType>(op->getResult(0).getType());
  Value rows =
      qexec::EmbedOp::create(builder, op->getLoc(), result.clone(builder.getF32Type()), weight,
                             index, builder.getI64IntegerAttr(offset), IntegerAttr())
          .getResult();
  values.map(op->getResult(0), castTo(op->getLoc(), rows, result.getElementType()));
  return success();
}

LogicalResult GenericLowering::convertReturn(func::ReturnOp op) {
  SmallVector<Value> results;
  for (Value operand : op.getOperands()) {
    Value value = lookup(operand);
    if (!value)
      return op.emitError() << "expects results that were lowered";
    results.push_back(value);
  }
  func::ReturnOp::create(builder, op.getLoc(), results);
  func::FuncOp function = lowering.function;
  function.setFunctionType(builder.getFunctionType(builder.getInsertionBlock()->getArgumentTypes(),
                                                   ValueRange(results).getTypes()));
  function->setAttr(qexec::kindAttr, builder.getStringAttr("generic"));
  for (auto [index, value] : llvm::enumerate(results)) {
    auto name = function.getResultAttrOfType<StringAttr>(index, qir::nameAttr);
    auto type = dyn_cast<RankedTensorType>(value.getType());
    bool logits = results.size() == 1 || (name && name.getValue() == "logits");
    if (logits && type && type.getRank() > 0 && !type.isDynamicDim(type.getRank() - 1))
      function->setAttr(qexec::vocabSizeAttr,
                        builder.getI64IntegerAttr(type.getDimSize(type.getRank() - 1)));
  }
  return success();
}

LogicalResult GenericLowering::convert(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([](qir::ConstantOp) { return success(); }) // made where it is used
      .Case([&](func::ReturnOp op) { return convertReturn(op); })
      .Case([&](qir::LinearOp op) {
        if (!op.getW().getDefiningOp<qir::ConstantOp>())
          return convertTensorOp(op);
        Value weight = tensors.denseWeight(op, op.getW(), op.getSchemeAttr());
        return convertLinear(op, op.getX(), weight, op.getBias(), "f32");
      })
      .Case([&](qir::QuantizedLinearOp op) {
        if (op.getAlternate())
          return LogicalResult(op.emitError() << "a second weight set needs a token-major program");
        Value weight = tensors.codeWeight(op, op.getCodes(), op.getScales(), op.getZeroPoints(),
                                          op.getBits(), op.getGroupSize());
        return convertLinear(op, op.getX(), weight, op.getBias(), op.getActivation(), op);
      })
      .Case([&](qir::EmbeddingOp op) {
        if (!op.getTable().getDefiningOp<qir::ConstantOp>())
          return convertTensorOp(op);
        Value weight = tensors.denseWeight(op, op.getTable(), op.getSchemeAttr());
        return convertEmbedding(op, weight, op.getIds(), op.getOffset());
      })
      .Case([&](qir::QuantizedEmbeddingOp op) {
        Value weight = tensors.codeWeight(op, op.getCodes(), op.getScales(), op.getZeroPoints(),
                                          op.getBits(), op.getGroupSize());
        return convertEmbedding(op, weight, op.getIds(), op.getOffset());
      })
      .Default([&](Operation *op) { return convertTensorOp(op); });
}

LogicalResult GenericLowering::run() {
  Block *block = builder.getInsertionBlock();
  for (BlockArgument argument : lowering.oldBlock.getArguments())
    values.map(argument, block->addArgument(argument.getType(), argument.getLoc()));
  for (Operation &op : lowering.oldBlock) {
    if (isa<func::ReturnOp>(op) && failed(lowering.reportUnsupported()))
      return failure();
    if (failed(convert(&op)))
      return failure();
  }
  return success();
}

LogicalResult qopt::lowerGeneric(Lowering &lowering) { return GenericLowering(lowering).run(); }
