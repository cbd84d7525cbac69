//===- ImportReduction.cpp - Reductions, softmax, running sums --------------------------------===//
// Axes moved from attributes to inputs (ReduceSum in opset 13, the others in 18): both are read.
#include "OpTable.h"

using namespace mlir;

namespace qopt {

static Outcome importReduce(Node &node) {
  bool bad = false;
  Ints axes = node.integersOrInput("axes", 1, bad).value_or(Ints());
  if (bad)
    return node.unsupported("axes that are not constant");
  if (axes.empty() && node.integer("noop_with_empty_axes", 0))
    return node.done(node.emit.unary("identity", node.in(0)));
  std::string mnemonic = "reduce_" + StringRef(node.proto.op_type()).drop_front(6).lower();
  return node.done(node.emit.reduce(mnemonic, node.in(0), axes, node.integer("keepdims", 1)));
}

/// Before opset 13 the default axis is 1 and everything from the axis on is one vector.
static Outcome importSoftmax(Node &node) {
  std::string mnemonic = node.proto.op_type() == "Softmax" ? "softmax" : "log_softmax";
  Emitter &e = node.emit;
  Value x = node.in(0);
  int64_t rank = rankOf(x), axis = node.integer("axis", node.opset < 13 ? 1 : -1);
  if (axis < 0 && rank >= 0)
    axis += rank;
  if (node.opset < 13 && rank < 0 && axis != -1)
    return node.unsupported("an input of unknown rank (opset below 13)");
  if (node.opset >= 13 || axis == -1 || axis == rank - 1)
    return node.done(e.unary(mnemonic, x, {e.i64("axis", axis)}));
  Value flat = e.op("flatten", {x}, tensorOf(Ints{dynamicDim, dynamicDim}, elementOf(x)),
                    {e.i64("axis", axis)});
  Value y = e.unary(mnemonic, flat, {e.i64("axis", 1)});
  return node.done(e.op("reshape", {y, e.shapeVector(x)}, x.getType()));
}

static Outcome importLpNormalization(Node &node) {
  if (node.integer("p", 2) != 2)
    return node.unsupported("p = " + std::to_string(node.integer("p", 2)));
  Value norm = node.emit.reduce("reduce_l2", node.in(0), {node.integer("axis", -1)}, true);
  return node.done(node.emit.binary("div", node.in(0), norm));
}

static Outcome importCumSum(Node &node) {
  std::optional<Ints> axis = constantInts(node.in(1));
  if (!axis || axis->size() != 1)
    return node.unsupported("an axis that is not constant");
  int64_t at = axis->front() < 0 && rankOf(node.in(0)) >= 0 ? axis->front() + rankOf(node.in(0))
                                                            : axis->front();
  Emitter &e = node.emit;
  return node.done(e.unary("cumsum", node.in(0),
                           {e.i64("axis", at), e.i64("exclusive", node.integer("exclusive", 0)),
                            e.i64("reverse", node.integer("reverse", 0))}));
}

static Outcome importArgMax(Node &node) {
  Emitter &e = node.emit;
  int64_t axis = node.integer("axis", 0), keep = node.integer("keepdims", 1);
  Shape shape = shapeOf(node.in(0));
  if (shape) {
    int64_t rank = int64_t(shape->size());
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis >= rank)
      return node.invalid("axis is outside the rank");
    if (keep)
      (*shape)[axis] = 1;
    else
      shape->erase(shape->begin() + axis);
  }
  return node.done(e.op("arg_max", {node.in(0)}, tensorOf(shape, e.builder.getI64Type()),
                        {e.i64("axis", axis), e.i64("keepdims", keep),
                         e.i64("select_last", node.integer("select_last_index", 0))}));
}

static Outcome importTopK(Node &node) {
  if (!node.integer("sorted", 1))
    return node.unsupported("sorted = 0");
  Emitter &e = node.emit;
  Value x = node.in(0);
  Shape shape = shapeOf(x);
  int64_t axis = node.integer("axis", -1);
  std::optional<Ints> k = constantInts(node.in(1));
  if (shape) {
    axis += axis < 0 ? int64_t(shape->size()) : 0;
    if (axis < 0 || axis >= int64_t(shape->size()))
      return node.invalid("axis is outside the rank");
    (*shape)[axis] = k && k->size() == 1 && k->front() >= 0 ? k->front() : dynamicDim;
  }
  OperationState state(e.loc, "qir.top_k", {x, e.toInt64(node.in(1))},
                       {tensorOf(shape, elementOf(x)), tensorOf(shape, e.builder.getI64Type())},
                       {e.i64("axis", axis), e.i64("largest", node.integer("largest", 1))});
  Operation *op = e.builder.create(state);
  node.set(0, op->getResult(0));
  node.set(1, op->getResult(1));
  return Outcome::Ok;
}

ArrayRef<OpRow> reductionOps() {
  static const OpRow rows[] = {
      {"", "ReduceMean", 1, 1, 2, 1, importReduce},
      {"", "ReduceSum", 1, 1, 2, 1, importReduce},
      {"", "ReduceMax", 1, 1, 2, 1, importReduce},
      {"", "ReduceMin", 1, 1, 2, 1, importReduce},
      {"", "ReduceProd", 1, 1, 2, 1, importReduce},
      {"", "ReduceL2", 1, 1, 2, 1, importReduce},
      {"", "Softmax", 1, 1, 1, 1, importSoftmax},
      {"", "LogSoftmax", 1, 1, 1, 1, importSoftmax},
      {"", "LpNormalization", 1, 1, 1, 1, importLpNormalization},
      {"", "CumSum", 11, 2, 2, 1, importCumSum},
      {"", "ArgMax", 1, 1, 1, 1, importArgMax},
      {"", "TopK", 11, 2, 2, 2, importTopK},
  };
  return rows;
}

} // namespace qopt
