//===- ImportControl.cpp - Constant and If ----------------------------------------------------===//
#include "GraphImporter.h"

using namespace mlir;

namespace qopt {

static Outcome importConstant(Node &node) {
  Emitter &e = node.emit;
  auto dense = [&](DenseElementsAttr value) {
    return node.done(
        e.op("constant", {}, value.getType(), {e.builder.getNamedAttr("value", value)}));
  };
  for (const onnx_ir::AttributeProto &a : node.proto.attribute()) {
    if (a.name() == "value") {
      Value value;
      if (Outcome o = node.owner().tensorConstant(node, a.t(), value); o != Outcome::Ok)
        return o;
      return node.done(value);
    }
    auto vectorOf = [&](size_t n, Type t) { return RankedTensorType::get({int64_t(n)}, t); };
    if (a.name() == "value_int")
      return node.done(e.intScalar(a.i()));
    if (a.name() == "value_float")
      return node.done(e.scalar(a.f(), e.builder.getF32Type()));
    if (a.name() == "value_ints")
      return node.done(e.intVector(Ints(a.ints().begin(), a.ints().end())));
    if (a.name() == "value_floats")
      return dense(
          DenseElementsAttr::get(vectorOf(a.floats_size(), e.builder.getF32Type()),
                                 ArrayRef<float>(a.floats().data(), size_t(a.floats_size()))));
    if (a.name() == "sparse_value" || a.name() == "value_string" || a.name() == "value_strings")
      return node.unsupported(a.name());
  }
  return node.invalid("has no value");
}

/// What both branches' types have in common: dimensions that differ become dynamic.
static TensorType commonType(Type a, Type b) {
  auto x = cast<TensorType>(a), y = cast<TensorType>(b);
  if (!x.hasRank() || !y.hasRank() || x.getRank() != y.getRank())
    return UnrankedTensorType::get(x.getElementType());
  Ints shape(x.getShape());
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != y.getDimSize(i))
      shape[i] = dynamicDim;
  return RankedTensorType::get(shape, x.getElementType());
}

static Outcome importIf(Node &node) {
  const onnx_ir::AttributeProto *thenGraph = node.attribute("then_branch");
  const onnx_ir::AttributeProto *elseGraph = node.attribute("else_branch");
  if (!thenGraph || !elseGraph || !thenGraph->has_g() || !elseGraph->has_g())
    return node.invalid("a branch is missing");
  Emitter &e = node.emit;
  Region regions[2];
  SmallVector<Value> outputs[2];
  int at = 0;
  bool skipped = false;
  for (const onnx_ir::AttributeProto *branch : {thenGraph, elseGraph}) {
    Block *block = new Block;
    regions[at].push_back(block);
    auto values = node.owner().importSubgraph(branch->g(), block);
    if (failed(values))
      return node.invalid("a branch is not well-formed");
    outputs[at++] = *values;
    skipped |= llvm::is_contained(*values, Value());
  }
  if (skipped) { // something unsupported inside, which has been recorded
    for (Region &region : regions)
      region.dropAllReferences();
    return Outcome::Unsupported;
  }
  if (outputs[0].size() != outputs[1].size() || int(outputs[0].size()) < node.proto.output_size())
    return node.invalid("the branches have different numbers of outputs");
  SmallVector<Type> types;
  for (auto [a, b] : llvm::zip_equal(outputs[0], outputs[1])) {
    if (elementOf(a) != elementOf(b))
      return node.invalid("the branches have outputs of different element types");
    types.push_back(commonType(a.getType(), b.getType()));
  }
  for (int side = 0; side < 2; ++side) {
    OpBuilder inside(e.context()); // the block has no parent op yet
    inside.setInsertionPointToEnd(&regions[side].front());
    Emitter emit(inside, e.loc);
    for (auto [value, type] : llvm::zip_equal(outputs[side], types))
      if (value.getType() != type)
        value = emit.op("identity", {value}, type);
    qir::YieldOp::create(inside, e.loc, outputs[side]);
  }
  auto op = qir::IfOp::create(e.builder, e.loc, types, node.in(0));
  op.getThenRegion().takeBody(regions[0]);
  op.getElseRegion().takeBody(regions[1]);
  for (auto [i, value] : llvm::enumerate(op.getResults()))
    node.set(i, value);
  return Outcome::Ok;
}

ArrayRef<OpRow> controlOps() {
  static const OpRow rows[] = {
      {"", "Constant", 1, 0, 0, 1, importConstant},
      {"", "If", 1, 1, 1, -1, importIf},
  };
  return rows;
}

} // namespace qopt
