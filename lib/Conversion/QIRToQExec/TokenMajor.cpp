//===- TokenMajor.cpp - Raised functions to instructions on buffers --------------------------===//
// Activations are [tokens, features]; whatever float type the graph gave them, a buffer is f32.
#include "Lowering.h"

#include "qopt/Dialect/QIR/IR/ConstantIndex.h"
#include "qopt/Dialect/QIR/IR/Outliers.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qopt;

namespace {

class TokenMajorLowering {
public:
  explicit TokenMajorLowering(Lowering &lowering)
      : lowering(lowering), builder(lowering.builder), values(lowering.values),
        tensors(lowering.tensors) {}

  LogicalResult run();

private:
  LogicalResult convertArguments();
  LogicalResult convertReturn(func::ReturnOp op);
  LogicalResult convert(Operation *op);

  LogicalResult convertEmbedding(Operation *op, Value weight, Value ids, int64_t offset);
  LogicalResult convertLinear(Operation *op, Value x, Value weight, Value bias,
                              StringRef activation, Value alternate = {},
                              Operation *quantized = nullptr);
  LogicalResult convertBinary(Operation *op, Value a, Value b, StringRef kind);
  LogicalResult convertUnary(Operation *op, StringRef kind, FloatAttr cap = {});
  LogicalResult convertGated(Operation *op, Value gate, Value up, StringRef kind);
  LogicalResult convertHadamard(qir::HadamardOp op);
  LogicalResult convertSplit(qir::SplitOp op);
  LogicalResult convertConcat(qir::ConcatOp op);
  LogicalResult convertSlice(qir::SliceOp op);
  LogicalResult convertRope(qir::RopeOp op);
  LogicalResult convertAttention(qir::AttentionOp op);
  LogicalResult convertLayerNorm(qir::LayerNormOp op);
  LogicalResult convertRmsNorm(qir::RmsNormOp op);

  /// The buffer type of a [tokens, features] result; null if the width is not known.
  qexec::BufferType bufferType(Value result) const;
  /// The buffer that holds `value`; null if it is none.
  Value buffer(Value value) const;
  Value copyColumns(Location loc, ValueRange inputs, ArrayRef<int64_t> starts,
                    ArrayRef<int64_t> sizes);

  Lowering &lowering;
  OpBuilder &builder;
  IRMapping &values;
  TensorTable &tensors;
};

} // namespace

qexec::BufferType TokenMajorLowering::bufferType(Value result) const {
  auto type = dyn_cast<RankedTensorType>(result.getType());
  if (!type || type.getRank() != 2 || type.isDynamicDim(1) || type.getDimSize(1) < 1)
    return {};
  return qexec::BufferType::get(type.getContext(), type.getDimSize(1), false);
}

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

LogicalResult TokenMajorLowering::convertEmbedding(Operation *op, Value weight, Value ids,
                                                   int64_t offset) {
  Value index = values.lookupOrNull(ids);
  if (!weight)
    return failure();
  if (!index || !isa<qexec::IdsType, qexec::PositionsType>(index.getType()))
    return lowering.unsupported(op, "of something else than ids and positions");
  int64_t columns = cast<qexec::WeightType>(weight.getType()).getK();
  auto type = qexec::BufferType::get(builder.getContext(), columns, false);
  values.map(op->getResult(0),
             qexec::EmbedOp::create(builder, op->getLoc(), type, weight, index,
                                    builder.getI64IntegerAttr(offset), IntegerAttr())
                 .getResult());
  return success();
}

/// `quantized`: brings outliers and static scales.
LogicalResult TokenMajorLowering::convertLinear(Operation *op, Value x, Value weight, Value bias,
                                                StringRef activation, Value alternate,
                                                Operation *quantized) {
  Value input = buffer(x);
  if (!weight)
    return failure();
  if (!input)
    return lowering.unsupported(op, "of something else than an activation");
  Value vector = bias ? tensors.vector(bias) : Value();
  if (bias && !vector)
    return lowering.unsupported(op, "with a bias that is not constant");
  SmallVector<Value> outliers;
  if (quantized)
    tensors.outliers(quantized, outliers);
  int64_t rows = cast<qexec::WeightType>(weight.getType()).getN();
  auto type = qexec::BufferType::get(builder.getContext(), rows, false);
  values.map(
      op->getResult(0),
      qexec::LinearOp::create(builder, op->getLoc(), type, input, weight, vector, alternate,
                              outliers, builder.getStringAttr(activation),
                              quantized ? qir::activationScalesOf(quantized) : DenseF64ArrayAttr(),
                              IntegerAttr())
          .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertBinary(Operation *op, Value a, Value b, StringRef kind) {
  Value left = buffer(a), right = buffer(b);
  bool swapped = !left;
  if (swapped) {
    std::swap(left, right);
    std::swap(a, b);
  }
  if (left && !right)
    right = tensors.vector(b);
  if (!left || !right)
    return lowering.unsupported(op, "of operands that are not activations or constants");
  auto type = cast<qexec::BufferType>(left.getType());
  auto vector = dyn_cast<RankedTensorType>(right.getType());
  bool fits = vector ? vector.getNumElements() == 1 || vector.getNumElements() == type.getWidth()
                     : right.getType() == left.getType();
  if (!fits)
    return lowering.unsupported(op, "of operands of different widths");
  values.map(op->getResult(0),
             qexec::BinaryOp::create(builder, op->getLoc(), type, left, right,
                                     builder.getStringAttr(kind),
                                     builder.getI64IntegerAttr(swapped), IntegerAttr())
                 .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertUnary(Operation *op, StringRef kind, FloatAttr cap) {
  Value x = buffer(op->getOperand(0));
  if (!x)
    return lowering.unsupported(op, "of something else than an activation");
  values.map(op->getResult(0),
             qexec::UnaryOp::create(builder, op->getLoc(), x.getType(), x,
                                    builder.getStringAttr(kind), cap, IntegerAttr())
                 .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertGated(Operation *op, Value gate, Value up,
                                               StringRef kind) {
  Value left = buffer(gate), right = buffer(up);
  if (!left || !right)
    return lowering.unsupported(op, "of something else than activations");
  values.map(op->getResult(0),
             qexec::GatedActivationOp::create(builder, op->getLoc(), left.getType(), left, right,
                                              builder.getStringAttr(kind), IntegerAttr())
                 .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertHadamard(qir::HadamardOp op) {
  Value x = buffer(op.getX()), base = op.getBase() ? tensors.matrix(op.getBase()) : Value();
  if (!x || (op.getBase() && !base))
    return lowering.unsupported(op, "needs an activation and a constant base");
  values.map(op.getY(), qexec::HadamardOp::create(builder, op.getLoc(), x.getType(), x, base,
                                                  op.getBlockAttr(), IntegerAttr())
                            .getResult());
  return success();
}

Value TokenMajorLowering::copyColumns(Location loc, ValueRange inputs, ArrayRef<int64_t> starts,
                                      ArrayRef<int64_t> sizes) {
  int64_t width = 0;
  for (int64_t size : sizes)
    width += size;
  auto type = qexec::BufferType::get(builder.getContext(), width, false);
  return qexec::CopyColumnsOp::create(builder, loc, type, inputs, starts, sizes, IntegerAttr())
      .getResult();
}

LogicalResult TokenMajorLowering::convertSplit(qir::SplitOp op) {
  Value x = buffer(op.getX());
  if (!x || (op.getAxis() != 1 && static_cast<int64_t>(op.getAxis()) != -1))
    return lowering.unsupported(op, "of something else than features");
  int64_t start = 0;
  for (auto [result, size] : llvm::zip(op.getOutputs(), op.getSizes())) {
    values.map(result, copyColumns(op.getLoc(), x, start, size));
    start += size;
  }
  return success();
}

LogicalResult TokenMajorLowering::convertConcat(qir::ConcatOp op) {
  SmallVector<Value> inputs;
  SmallVector<int64_t> starts, sizes;
  for (Value input : op.getInputs()) {
    Value mapped = buffer(input);
    if (!mapped || (op.getAxis() != 1 && static_cast<int64_t>(op.getAxis()) != -1))
      return lowering.unsupported(op, "of something else than features");
    inputs.push_back(mapped);
    starts.push_back(0);
    sizes.push_back(cast<qexec::BufferType>(mapped.getType()).getWidth());
  }
  values.map(op.getY(), copyColumns(op.getLoc(), inputs, starts, sizes));
  return success();
}

LogicalResult TokenMajorLowering::convertSlice(qir::SliceOp op) {
  Value x = buffer(op.getX());
  std::optional<int64_t> start = qir::constantIndex(op.getStarts()),
                         end = qir::constantIndex(op.getEnds());
  bool features = op.getAxes().size() == 1 && (op.getAxes()[0] == 1 || op.getAxes()[0] == -1);
  bool dense = llvm::all_of(op.getSteps(), [](int64_t step) { return step == 1; });
  if (!x || !start || !end || !features || !dense)
    return lowering.unsupported(op, "of something else than a constant range of features");
  const int64_t width = cast<qexec::BufferType>(x.getType()).getWidth();
  auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + width : at, 0, width); };
  int64_t first = clamp(*start), last = clamp(*end);
  if (last <= first)
    return lowering.unsupported(op, "that is empty");
  values.map(op.getY(), copyColumns(op.getLoc(), x, first, last - first));
  return success();
}

LogicalResult TokenMajorLowering::convertRope(qir::RopeOp op) {
  Value x = buffer(op.getX()), positions = values.lookupOrNull(op.getPositions());
  Value frequencies = tensors.vector(op.getInvFreq());
  if (!x || !frequencies || !positions || !isa<qexec::PositionsType>(positions.getType()))
    return lowering.unsupported(op, "needs an activation, positions and constant frequencies");
  values.map(op.getY(),
             qexec::RopeOp::create(builder, op.getLoc(), x.getType(), x, positions, frequencies,
                                   op.getHeadDimAttr(), op.getInterleavedAttr(),
                                   op.getScalingAttr(), IntegerAttr())
                 .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertAttention(qir::AttentionOp op) {
  Value q = buffer(op.getQ()), k = buffer(op.getK()), v = buffer(op.getV());
  if (!q || !k || !v)
    return lowering.unsupported(op, "of something else than activations");
  auto type =
      qexec::BufferType::get(builder.getContext(), op.getNumHeads() * op.getValueDim(), false);
  Value balance;
  if (auto factors = op->getAttrOfType<DenseF32ArrayAttr>(qir::keyBalanceAttr))
    balance = tensors.factors(op.getLoc(), factors.asArrayRef(), "key_balance");
  values.map(op.getY(),
             qexec::AttentionOp::create(
                 builder, op.getLoc(), type, q, k, v, balance, op.getNumHeadsAttr(),
                 op.getKvHeadsAttr(), op.getHeadDimAttr(), op.getValueDimAttr(), op.getCacheAttr(),
                 op.getScaleAttr(), op.getSoftcapAttr(), op.getWindowAttr(), IntegerAttr())
                 .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertRmsNorm(qir::RmsNormOp op) {
  Value x = buffer(op.getX()), weight = tensors.vector(op.getW());
  if (!x || !weight)
    return lowering.unsupported(op, "needs an activation and a constant weight");
  values.map(op.getY(), qexec::RmsNormOp::create(builder, op.getLoc(), x.getType(), x, weight,
                                                 op.getEpsilonAttr(), IntegerAttr())
                            .getResult());
  return success();
}

LogicalResult TokenMajorLowering::convertLayerNorm(qir::LayerNormOp op) {
  Value x = buffer(op.getX()), weight = tensors.vector(op.getW());
  Value bias = op.getB() ? tensors.vector(op.getB()) : Value();
  if (!x || !weight || (op.getB() && !bias))
    return lowering.unsupported(op, "needs an activation, a constant weight and a constant bias");
  values.map(op.getY(), qexec::LayerNormOp::create(builder, op.getLoc(), x.getType(), x, weight,
                                                   bias, op.getEpsilonAttr(), IntegerAttr())
                            .getResult());
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
