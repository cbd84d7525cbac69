//===- TokenMajor.cpp - A raised function, op by op, to instructions on buffers --------------===//
#include "TokenMajorLowering.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;

Value TokenMajorLowering::buffer(Value value) const {
  Value mapped = values.lookupOrNull(value);
  return mapped && isa<qexec::BufferType>(mapped.getType()) ? mapped : Value();
}

LogicalResult TokenMajorLowering::convertArguments() {
  Block *block = builder.getInsertionBlock();
  MLIRContext *context = builder.getContext();
  for (BlockArgument argument : lowering.oldBlock.getArguments()) {
    auto name =
        lowering.function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), qir::nameAttr);
    Type type;
    if (name && name.getValue() == "ids")
      type = qexec::IdsType::get(context);
    else if (name && name.getValue() == "positions")
      type = qexec::PositionsType::get(context);
    else
      return lowering.function.emitError()
             << "expects token-major arguments named ids and positions, got "
             << (name ? Attribute(name) : Attribute(UnitAttr::get(context)));
    values.map(argument, block->addArgument(type, argument.getLoc()));
  }
  return success();
}

LogicalResult TokenMajorLowering::convertReturn(func::ReturnOp op) {
  Value logits = op.getNumOperands() == 1 ? buffer(op.getOperand(0)) : Value();
  if (!logits)
    return op.emitError() << "expects a token-major function to return one activation, the logits";
  func::ReturnOp::create(builder, op.getLoc(), logits);
  func::FuncOp function = lowering.function;
  function.setFunctionType(
      builder.getFunctionType(builder.getInsertionBlock()->getArgumentTypes(), logits.getType()));
  function->setAttr(qexec::kindAttr, builder.getStringAttr("token_major"));
  function->setAttr(
      qexec::vocabSizeAttr,
      builder.getI64IntegerAttr(cast<qexec::BufferType>(logits.getType()).getWidth()));
  return success();
}

/// Float formats compute in f32; 16-bit weights may multiply in their own format where the
/// processor can.
static StringRef denseActivation(Value weight) {
  auto op = weight ? weight.getDefiningOp<qexec::WeightOp>() : qexec::WeightOp();
  return op && op.getFormat() != "f32" ? "a16" : "f32";
}

LogicalResult TokenMajorLowering::convert(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([](qir::ConstantOp) { return success(); }) // made where it is used
      .Case([&](func::ReturnOp op) { return convertReturn(op); })
      .Case([&](qir::EmbeddingOp op) {
        Value weight = tensors.denseWeight(op, op.getTable(), op.getSchemeAttr());
        return convertEmbedding(op, weight, op.getIds(), op.getOffset());
      })
      .Case([&](qir::QuantizedEmbeddingOp op) {
        Value weight = tensors.codeWeight(op, op.getCodes(), op.getScales(), op.getZeroPoints(),
                                          op.getBits(), op.getGroupSize());
        return convertEmbedding(op, weight, op.getIds(), op.getOffset());
      })
      .Case([&](qir::LinearOp op) {
        Value weight = tensors.denseWeight(op, op.getW(), op.getSchemeAttr());
        return convertLinear(op, op.getX(), weight, op.getBias(), denseActivation(weight));
      })
      .Case([&](qir::QuantizedLinearOp op) {
        Value weight = tensors.codeWeight(op, op.getCodes(), op.getScales(), op.getZeroPoints(),
                                          op.getBits(), op.getGroupSize());
        Value alternate;
        if (op.getAlternate()) {
          auto format = op->getAttrOfType<StringAttr>(qir::alternateAttr);
          alternate = tensors.alternateWeight(op, op.getAlternate(),
                                              format ? format.getValue() : StringRef("f16"));
          if (!alternate)
            return failure();
        }
        return convertLinear(op, op.getX(), weight, op.getBias(), op.getActivation(), alternate,
                             op);
      })
      .Case([&](qir::AddOp op) { return convertBinary(op, op.getA(), op.getB(), "add"); })
      .Case([&](qir::SubOp op) { return convertBinary(op, op.getA(), op.getB(), "sub"); })
      .Case([&](qir::MulOp op) { return convertBinary(op, op.getA(), op.getB(), "mul"); })
      .Case([&](qir::DivOp op) { return convertBinary(op, op.getA(), op.getB(), "div"); })
      .Case([&](qir::SwigluOp op) { return convertGated(op, op.getGate(), op.getUp(), "silu"); })
      .Case([&](qir::GegluOp op) {
        return convertGated(op, op.getGate(), op.getUp(),
                            op.getApproximate() == "tanh" ? "gelu_tanh" : "gelu");
      })
      .Case([&](qir::GeluOp op) {
        return convertUnary(op, op.getApproximate() == "tanh" ? "gelu_tanh" : "gelu");
      })
      .Case([&](qir::QuickGeluOp op) {
        if (op.getAlpha().convertToDouble() != 1.702)
          return lowering.unsupported(op, "with another alpha than 1.702");
        return convertUnary(op, "quick_gelu");
      })
      .Case([&](qir::SiluOp op) { return convertUnary(op, "silu"); })
      .Case([&](qir::ReluOp op) { return convertUnary(op, "relu"); })
      .Case([&](qir::TanhOp op) { return convertUnary(op, "tanh"); })
      .Case([&](qir::SigmoidOp op) { return convertUnary(op, "sigmoid"); })
      .Case([&](qir::SoftcapOp op) { return convertUnary(op, "softcap", op.getCapAttr()); })
      .Case([&](qir::HadamardOp op) { return convertHadamard(op); })
      .Case([&](qir::SplitOp op) { return convertSplit(op); })
      .Case([&](qir::ConcatOp op) { return convertConcat(op); })
      .Case([&](qir::SliceOp op) { return convertSlice(op); })
      .Case([&](qir::RopeOp op) { return convertRope(op); })
      .Case([&](qir::AttentionOp op) { return convertAttention(op); })
      .Case([&](qir::RmsNormOp op) { return convertRmsNorm(op); })
      .Case([&](qir::LayerNormOp op) { return convertLayerNorm(op); })
      .Case<qir::CastOp, qir::IdentityOp>([&](auto op) {
        if (Value known = values.lookupOrNull(op.getX())) {
          values.map(op.getY(), known);
          return success();
        }
        return lowering.unsupported(op, "of a constant");
      })
      .Default([&](Operation *op) { return lowering.unsupported(op, "not token-major"); });
}

LogicalResult TokenMajorLowering::run() {
  if (failed(convertArguments()))
    return failure();
  for (Operation &op : lowering.oldBlock) {
    if (isa<func::ReturnOp>(op) && failed(lowering.reportUnsupported()))
      return failure();
    if (failed(convert(&op)))
      return failure();
  }
  return success();
}

LogicalResult qopt::lowerTokenMajor(Lowering &lowering) {
  return TokenMajorLowering(lowering).run();
}
