//===- ResidualStream.cpp - What writes to and reads from the hidden state -------------------===//
// A closure over definitions and uses. Whatever is not known to commute with a rotation ends it.
#include "ResidualStream.h"

#include "ScalarConstants.h"

#include "qopt/Dialect/QIR/Transforms/FloatConstants.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace qopt::qir {

namespace {

class StreamFinder {
public:
  StreamFinder(ResidualStream &stream, Operation *&op, std::string &why)
      : stream(stream), op(op), why(why) {}

  LogicalResult run(func::FuncOp function);

private:
  LogicalResult refuse(Operation *culprit, const Twine &reason) {
    op = culprit;
    why = reason.str();
    return failure();
  }
  void push(Value value) { values.insert(value); }

  LogicalResult visitProducer(Value value);
  LogicalResult visitUses(Value value);
  LogicalResult visitNorm(Operation *norm);
  LogicalResult visitSum(Operation *sum);
  LogicalResult visitProduct(Operation *product);
  LogicalResult checkMeans();

  ResidualStream &stream;
  Operation *&op;
  std::string &why;
  llvm::SetVector<Value> values;
};

bool isNorm(Operation *op) { return isa_and_nonnull<RmsNormOp, LayerNormOp>(op); }

bool isUniform(ArrayRef<float> values) {
  return !values.empty() && llvm::all_equal(values) && values[0] != 0;
}

} // namespace

/// Norms of the whole width whose gain is one number commute with a rotation (of a centred stream,
/// if they are layer norms).
LogicalResult StreamFinder::visitNorm(Operation *norm) {
  for (Operation *user : norm->getResult(0).getUsers())
    if (isa<QuantizedLinearOp>(user)) // the reason why the norm kept its gain
      return refuse(user, "has weights that are quantized already");
  if (widthOf(norm->getOperand(1)) != stream.width)
    return refuse(norm, "normalises parts of the residual stream");
  if (!isUniform(floatsOf(norm->getOperand(1))) || norm->getNumOperands() == 3)
    return refuse(norm,
                  "keeps a gain or a bias per channel, which does not commute with a rotation");
  stream.norms.push_back(norm);
  push(norm->getOperand(0));
  return success();
}

LogicalResult StreamFinder::visitSum(Operation *sum) {
  for (OpOperand &operand : sum->getOpOperands()) {
    if (!operand.get().getDefiningOp<ConstantOp>())
      push(operand.get());
    else if (static_cast<int64_t>(floatsOf(operand.get()).size()) == stream.width)
      stream.constants.push_back(&operand);
    else
      return refuse(sum, "adds a constant that is no row of the residual stream");
  }
  return success();
}

LogicalResult StreamFinder::visitProduct(Operation *product) {
  const bool left = raise::scalarValue(product->getOperand(0)).has_value();
  const bool right = raise::scalarValue(product->getOperand(1)).has_value();
  if (left == right || (left && isa<DivOp>(product)))
    return refuse(product, "scales the residual stream by something else than a number");
  push(product->getOperand(left ? 1 : 0));
  return success();
}

LogicalResult StreamFinder::visitProducer(Value value) {
  if (widthOf(value) != stream.width)
    return refuse(value.getDefiningOp(), "is on the residual stream, but of another width");
  Operation *producer = value.getDefiningOp();
  if (!producer) // an argument: no op to name
    return refuse(value.getParentRegion()->getParentOp(),
                  "takes a part of the residual stream as an input");
  return llvm::TypeSwitch<Operation *, LogicalResult>(producer)
      .Case([&](EmbeddingOp embedding) -> LogicalResult {
        if (!isFloatConstant(embedding.getTable()))
          return refuse(producer, "has a table that is no float constant");
        stream.embeddings.push_back(embedding);
        return success();
      })
      .Case([&](LinearOp linear) -> LogicalResult {
        if (!isFloatConstant(linear.getW()) || !isFloatConstant(linear.getBias()))
          return refuse(producer, "has weights that are no float constants");
        stream.writers.push_back(linear);
        return success();
      })
      .Case<QuantizedLinearOp, QuantizedEmbeddingOp>(
          [&](auto) { return refuse(producer, "has weights that are quantized already"); })
      .Case<RmsNormOp, LayerNormOp>([&](auto) { return visitNorm(producer); })
      .Case<AddOp, SubOp>([&](auto) { return visitSum(producer); })
      .Case<MulOp, DivOp>([&](auto) { return visitProduct(producer); })
      .Case<NegOp, CastOp, IdentityOp>([&](auto) {
        push(producer->getOperand(0));
        return success();
      })
      .Default([&](Operation *) {
        return refuse(producer,
                      "writes to the residual stream and does not commute with a rotation");
      });
}

LogicalResult StreamFinder::visitUses(Value value) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (auto linear = dyn_cast<LinearOp>(user); linear && use.getOperandNumber() == 0) {
      if (!isFloatConstant(linear.getW()))
        return refuse(user, "has a weight that is no float constant");
      stream.readers.push_back(linear);
    } else if (isa<QuantizedLinearOp>(user)) {
      return refuse(user, "has weights that are quantized already");
    } else if (isNorm(user) || isa<AddOp, SubOp, MulOp, DivOp, NegOp, CastOp, IdentityOp>(user)) {
      push(user->getResult(0)); // checked as the producer of its result
    } else {
      return refuse(user, "reads the residual stream and does not commute with a rotation");
    }
  }
  return success();
}

/// A layer norm is an RMS norm if the mean of its input is zero. The mean may be taken away where
/// only layer norms see it.
LogicalResult StreamFinder::checkMeans() {
  for (Operation *norm : stream.norms)
    stream.layerNorms |= isa<LayerNormOp>(norm);
  if (!stream.layerNorms)
    return success();
  for (Operation *norm : stream.norms)
    if (isa<RmsNormOp>(norm))
      return refuse(norm, "is an RMS norm on a stream that layer norms read, too");
  for (LinearOp reader : stream.readers)
    if (!isNorm(raise::skipCasts(reader.getX()).getDefiningOp()))
      return refuse(reader, "reads the residual stream without a norm, and its mean with it");
  return success();
}

LogicalResult StreamFinder::run(func::FuncOp function) {
  Operation *first = nullptr;
  function.walk([&](Operation *candidate) {
    if (!first && isa<EmbeddingOp, QuantizedEmbeddingOp>(candidate))
      first = candidate;
  });
  if (!function->hasAttr(tokenMajorAttr) || !first)
    return refuse(function, "is no token-major graph with an embedding");
  stream.width = widthOf(first->getResult(0));
  push(first->getResult(0));
  for (size_t i = 0; i < values.size(); ++i)
    if (failed(visitProducer(values[i])) || failed(visitUses(values[i])))
      return failure();
  return checkMeans();
}

LogicalResult findResidualStream(func::FuncOp function, ResidualStream &stream, Operation *&op,
                                 std::string &why) {
  return StreamFinder(stream, op, why).run(function);
}

} // namespace qopt::qir
