//===- ImportShape.cpp - Shapes, reshaping, joining and cutting -------------------------------===//
#include "GraphImporter.h"

using namespace mlir;

namespace qopt {

static Outcome importShape(Node &node) {
  std::optional<int64_t> end;
  if (node.attribute("end"))
    end = node.integer("end", 0);
  return node.done(node.emit.shapeVector(node.in(0), node.integer("start", 0), end));
}

static Outcome importSize(Node &node) {
  Emitter &e = node.emit;
  return node.done(
      e.op("size_of", {node.in(0)}, RankedTensorType::get({}, e.builder.getI64Type())));
}

static Outcome importReshape(Node &node) {
  return node.done(node.emit.reshape(node.in(0), node.in(1), node.integer("allowzero", 0)));
}

static Outcome importFlatten(Node &node) {
  Emitter &e = node.emit;
  int64_t axis = node.integer("axis", 1), rank = rankOf(node.in(0));
  axis += axis < 0 && rank >= 0 ? rank : 0;
  Ints shape{dynamicDim, dynamicDim};
  if (Shape from = shapeOf(node.in(0)); from && axis >= 0 && axis <= rank)
    for (int side = 0; side < 2; ++side) {
      int64_t total = 1;
      for (int64_t i = side ? axis : 0; i < (side ? rank : axis); ++i)
        if ((*from)[i] == dynamicDim || total == dynamicDim ||
            __builtin_mul_overflow(total, (*from)[i], &total))
          total = dynamicDim;
      shape[side] = total;
    }
  return node.done(
      e.op("flatten", {node.in(0)}, tensorOf(shape, elementOf(node.in(0))), {e.i64("axis", axis)}));
}

static Outcome importTranspose(Node &node) {
  std::optional<Ints> perm = node.integers("perm");
  if (!perm) {
    int64_t rank = rankOf(node.in(0));
    if (rank < 0)
      return node.unsupported("an input of unknown rank and no perm");
    perm.emplace();
    for (int64_t i = rank; i-- > 0;)
      perm->push_back(i);
  }
  return node.done(node.emit.transpose(node.in(0), *perm));
}

static Outcome importSqueeze(Node &node) {
  bool bad = false, remove = node.proto.op_type() == "Squeeze";
  std::optional<Ints> axes = node.integersOrInput("axes", 1, bad);
  if (bad)
    return node.unsupported("axes that are not constant");
  if (!remove && !axes)
    return node.invalid("axes are missing");
  for (int64_t axis : axes.value_or(Ints()))
    if (axis < 0 && rankOf(node.in(0)) < 0)
      return node.unsupported("negative axes of an input of unknown rank");
  if (remove)
    return node.done(node.emit.squeeze(node.in(0), axes.value_or(Ints())));
  return node.done(node.emit.unsqueeze(node.in(0), *axes));
}

static Outcome importExpand(Node &node) {
  return node.done(node.emit.expand(node.in(0), node.in(1)));
}

static Outcome importTile(Node &node) {
  Shape shape;
  if (rankOf(node.in(0)) >= 0) {
    shape = Ints(rankOf(node.in(0)), dynamicDim);
    if (std::optional<Ints> times = constantInts(node.in(1));
        times && times->size() == shape->size())
      for (size_t i = 0; i < shape->size(); ++i)
        if (int64_t dim = dimOf(node.in(0), i); dim != dynamicDim && (*times)[i] == 1)
          (*shape)[i] = dim;
  }
  return node.done(
      node.emit.op("tile", {node.in(0), node.in(1)}, tensorOf(shape, elementOf(node.in(0)))));
}

static Outcome importConcat(Node &node) {
  if (!node.attribute("axis"))
    return node.invalid("attribute axis is missing");
  for (Value input : node.operands)
    if (!input || elementOf(input) != elementOf(node.in(0)))
      return node.invalid("the inputs have different element types");
  return node.done(node.emit.concat(node.operands, node.integer("axis", 0)));
}

static Outcome importSplit(Node &node) {
  bool bad = false;
  std::optional<Ints> sizes = node.integersOrInput("split", 1, bad);
  if (bad)
    return node.unsupported("sizes that are not constant");
  int64_t axis = node.integer("axis", 0), count = node.proto.output_size();
  if (!sizes) {
    int64_t size = dimOf(node.in(0), axis);
    if (size == dynamicDim)
      return node.unsupported("equal pieces of an axis of unknown size");
    // Opset 18: the last piece may be smaller.
    int64_t chunk = (size + count - 1) / count;
    sizes.emplace();
    for (int64_t left = size; int64_t(sizes->size()) < count; left -= chunk)
      sizes->push_back(std::clamp<int64_t>(left, 0, chunk));
  }
  if (int64_t(sizes->size()) != count)
    return node.invalid("has " + std::to_string(count) + " outputs and " +
                        std::to_string(sizes->size()) + " sizes");
  SmallVector<Value> pieces = node.emit.split(node.in(0), axis, *sizes);
  node.results.assign(pieces.begin(), pieces.end());
  return Outcome::Ok;
}

static Outcome importSlice(Node &node) {
  Value x = node.in(0);
  std::optional<Ints> axes = node.in(3) ? constantInts(node.in(3)) : std::nullopt;
  std::optional<Ints> steps = node.in(4) ? constantInts(node.in(4)) : std::nullopt;
  if ((node.in(3) && !axes) || (node.in(4) && !steps))
    return node.unsupported("axes or steps that are not constant");
  if (!axes) {
    int64_t count = dimOf(node.in(1), 0);
    if (count == dynamicDim || count > 64)
      return node.unsupported("an unknown number of axes");
    axes.emplace();
    for (int64_t i = 0; i < count; ++i)
      axes->push_back(i);
  }
  if (!steps)
    steps = Ints(axes->size(), 1);
  if (steps->size() != axes->size())
    return node.invalid("axes and steps differ in length");
  return node.done(node.emit.slice(x, node.in(1), node.in(2), *axes, *steps));
}

static Outcome importRange(Node &node) {
  // Operands may be [1] in old files; the op takes one element of any rank.
  return node.done(node.emit.range(node.in(0), node.in(1), node.in(2)));
}

static Outcome importConstantOfShape(Node &node) {
  Emitter &e = node.emit;
  Value value;
  if (const onnx_ir::AttributeProto *a = node.attribute("value")) {
    if (Outcome o = node.owner().tensorConstant(node, a->t(), value); o != Outcome::Ok)
      return o;
  } else {
    value = e.scalar(0.0, e.builder.getF32Type());
  }
  Shape shape;
  if (int64_t rank = dimOf(node.in(0), 0); rank != dynamicDim && rank <= 64) {
    shape = Ints(rank, dynamicDim);
    if (std::optional<Ints> known = constantInts(node.in(0));
        known && int64_t(known->size()) == rank)
      for (int64_t i = 0; i < rank; ++i)
        (*shape)[i] = (*known)[i] < 0 ? dynamicDim : (*known)[i];
  }
  return node.done(e.op("full", {node.in(0), value}, tensorOf(shape, elementOf(value))));
}

ArrayRef<OpRow> shapeOps() {
  static const OpRow rows[] = {
      {"", "Shape", 1, 1, 1, 1, importShape},
      {"", "Size", 1, 1, 1, 1, importSize},
      {"", "Reshape", 5, 2, 2, 1, importReshape},
      {"", "Flatten", 1, 1, 1, 1, importFlatten},
      {"", "Transpose", 1, 1, 1, 1, importTranspose},
      {"", "Squeeze", 1, 1, 2, 1, importSqueeze},
      {"", "Unsqueeze", 1, 1, 2, 1, importSqueeze},
      {"", "Expand", 8, 2, 2, 1, importExpand},
      {"", "Tile", 6, 2, 2, 1, importTile},
      {"", "Concat", 4, 1, -1, 1, importConcat},
      {"", "Split", 2, 1, 2, -1, importSplit},
      {"", "Slice", 10, 3, 5, 1, importSlice},
      {"", "Range", 11, 3, 3, 1, importRange},
      {"", "ConstantOfShape", 9, 1, 1, 1, importConstantOfShape},
  };
  return rows;
}

} // namespace qopt
