//===- ScaleFold.cpp - Where the inverse of a channel scale can go ---------------------------===//
#include "ScaleFold.h"

#include "qopt/Dialect/QIR/Transforms/FloatConstants.h"

using namespace mlir;

namespace qopt::calibration {

/// The float linear that makes `value`, alone or as a piece of its output, if nothing else reads
/// it.
static bool findLinear(Value value, ScaleFold &fold) {
  std::optional<qir::LinearRows> rows = qir::producingRows(value);
  if (!rows)
    return false;
  fold.producer = rows->linear;
  fold.firstRow = rows->first;
  fold.rows = rows->count;
  return true;
}

std::optional<ScaleFold> findScaleFold(const LinearGroup &group, std::string &why) {
  auto refuse = [&](const char *reason) {
    why = reason;
    return std::nullopt;
  };
  Value input = qir::LinearOp(group.linears.front()).getX();
  for (Operation *user : input.getUsers())
    if (!llvm::any_of(group.linears, [&](qir::LinearOp linear) {
          return linear == user && linear.getX() == input;
        }))
      return refuse("other ops read the input, too");
  Operation *op = input.getDefiningOp();
  ScaleFold fold{};
  if (isa_and_nonnull<qir::RmsNormOp, qir::LayerNormOp>(op)) {
    fold.kind = ScaleFold::Kind::Norm;
    fold.producer = op;
    if (!llvm::all_of(llvm::drop_begin(op->getOperands()), qir::isFloatConstant))
      return refuse("the norm has no constant weights");
    if (qir::widthOf(op->getOperand(1)) != group.features)
      return refuse("the norm works on parts of the features");
    return fold;
  }
  if (isa_and_nonnull<qir::SwigluOp, qir::GegluOp>(op)) {
    fold.kind = ScaleFold::Kind::Up;
    if (!findLinear(op->getOperand(1), fold))
      return refuse("nothing linear makes the up part alone");
    return fold;
  }
  if (auto attention = dyn_cast_or_null<qir::AttentionOp>(op)) {
    fold.kind = ScaleFold::Kind::Value;
    fold.heads = attention.getNumHeads();
    fold.kvHeads = attention.getKvHeads();
    fold.headDim = attention.getValueDim();
    if (!findLinear(attention.getV(), fold))
      return refuse("nothing linear makes the values alone");
    return fold;
  }
  return refuse("what makes the input is not linear");
}

static void divideVector(Operation *op, unsigned index, const std::vector<float> &scales,
                         int64_t first) {
  std::vector<float> values = qir::floatsOf(op->getOperand(index));
  for (size_t i = 0; i < scales.size(); ++i)
    values[first + i] /= scales[i];
  qir::replaceFloats(op, index, values);
}

static void divideRows(const ScaleFold &fold, const std::vector<float> &scales) {
  auto linear = cast<qir::LinearOp>(fold.producer);
  std::vector<float> values = qir::floatsOf(linear.getW());
  const int64_t k = qir::widthOf(linear.getW());
  for (int64_t row = 0; row < fold.rows; ++row)
    for (int64_t i = 0; i < k; ++i)
      values[(fold.firstRow + row) * k + i] /= scales[row];
  qir::replaceFloats(linear, 1, values);
  if (linear.getBias())
    divideVector(linear, 2, scales, fold.firstRow);
}

void applyScaleFold(const LinearGroup &group, const ScaleFold &fold,
                    std::span<const float> scales) {
  const int64_t k = group.features;
  for (qir::LinearOp linear : group.linears) {
    std::vector<float> values = qir::floatsOf(linear.getW());
    for (size_t i = 0; i < values.size(); ++i)
      values[i] *= scales[i % k];
    qir::replaceFloats(linear, 1, values);
  }
  std::vector<float> divisors(fold.kind == ScaleFold::Kind::Norm ? k : fold.rows, 1.0f);
  for (int64_t j = 0; j < k; ++j)
    divisors[fold.producerChannel(j)] = scales[j];
  if (fold.kind != ScaleFold::Kind::Norm)
    return divideRows(fold, divisors);
  for (unsigned index = 1; index < fold.producer->getNumOperands(); ++index)
    divideVector(fold.producer, index, divisors, 0);
}

} // namespace qopt::calibration
