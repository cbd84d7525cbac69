//===- ImportIndexing.cpp - Elements by index, padding, triangles -----------------------------===//
#include "OpTable.h"

using namespace mlir;

namespace qopt {

static Outcome importGather(Node &node) {
  return node.done(node.emit.gather(node.in(0), node.in(1), node.integer("axis", 0)));
}

static Outcome importGatherElements(Node &node) {
  Emitter &e = node.emit;
  int64_t axis = node.integer("axis", 0);
  axis += axis < 0 && rankOf(node.in(0)) >= 0 ? rankOf(node.in(0)) : 0;
  return node.done(e.op("gather_elements", {node.in(0), node.in(1)},
                        tensorOf(shapeOf(node.in(1)), elementOf(node.in(0))),
                        {e.i64("axis", axis)}));
}

static Outcome importGatherND(Node &node) {
  Emitter &e = node.emit;
  int64_t batch = node.integer("batch_dims", 0);
  Shape data = shapeOf(node.in(0)), index = shapeOf(node.in(1)), result;
  if (data && index && !index->empty() && index->back() != dynamicDim) {
    int64_t from = batch + index->back();
    if (batch < 0 || from < batch || from > int64_t(data->size()))
      return node.invalid("the index vectors are longer than the rank");
    result = Ints(index->begin(), index->end() - 1);
    result->append(data->begin() + from, data->end());
  }
  return node.done(e.op("gather_nd", {node.in(0), node.in(1)},
                        tensorOf(result, elementOf(node.in(0))), {e.i64("batch_dims", batch)}));
}

static Outcome importScatterND(Node &node) {
  Emitter &e = node.emit;
  return node.done(e.op("scatter_nd", {node.in(0), node.in(1), node.in(2)}, node.in(0).getType(),
                        {e.str("reduction", node.text("reduction", "none"))}));
}

static Outcome importPad(Node &node) {
  Emitter &e = node.emit;
  std::optional<Ints> axes = node.in(3) ? constantInts(node.in(3)) : Ints();
  if (!axes)
    return node.unsupported("axes that are not constant");
  for (int64_t &axis : *axes)
    axis += axis < 0 && rankOf(node.in(0)) >= 0 ? rankOf(node.in(0)) : 0;
  Shape shape;
  if (rankOf(node.in(0)) >= 0)
    shape = Ints(rankOf(node.in(0)), dynamicDim);
  SmallVector<Value> operands{node.in(0), node.in(1)};
  if (node.in(2))
    operands.push_back(node.in(2));
  return node.done(e.op("pad", operands, tensorOf(shape, elementOf(node.in(0))),
                        {e.str("mode", node.text("mode", "constant")), e.ints("axes", *axes)}));
}

static Outcome importTrilu(Node &node) {
  Emitter &e = node.emit;
  SmallVector<Value> operands{node.in(0)};
  if (node.in(1))
    operands.push_back(node.in(1));
  return node.done(
      e.op("trilu", operands, node.in(0).getType(), {e.i64("upper", node.integer("upper", 1))}));
}

static Outcome importNonZero(Node &node) {
  int64_t rank = rankOf(node.in(0));
  Ints shape{rank < 0 ? dynamicDim : rank, dynamicDim};
  return node.done(
      node.emit.op("non_zero", {node.in(0)}, tensorOf(shape, node.emit.builder.getI64Type())));
}

/// Writes update[b, ..., s, ...] at position write[b] + s of the axis (modulo its size if
/// circular): the axis is moved to the front of a row and (b, position) pairs are scattered.
static Outcome importTensorScatter(Node &node) {
  Emitter &e = node.emit;
  Value cache = node.in(0), update = node.in(1);
  int64_t rank = rankOf(cache), axis = node.integer("axis", -2);
  std::string mode = node.text("mode", "linear");
  if (rank < 2)
    return node.unsupported("an input of unknown rank");
  axis += axis < 0 ? rank : 0;
  if (axis < 1 || axis >= rank || (mode != "linear" && mode != "circular"))
    return node.invalid("axis or mode is not one of the operator");
  Ints perm{0, axis}, inverse(rank);
  for (int64_t i = 1; i < rank; ++i)
    if (i != axis)
      perm.push_back(i);
  for (int64_t i = 0; i < rank; ++i)
    inverse[perm[i]] = i;
  Value rows = axis == 1 ? cache : e.transpose(cache, perm);
  Value fresh = axis == 1 ? update : e.transpose(update, perm);
  Value batch = e.dim(fresh, 0), count = e.dim(fresh, 1);
  Value position = e.unsqueeze(e.countTo(count), {0}); // [1, S]
  if (node.in(2))
    position = e.add(e.unsqueeze(e.toInt64(node.in(2)), {1}), position);
  if (mode == "circular")
    position = e.binary("mod", position, e.dim(rows, 1), {e.i64("fmod", 0)});
  Value grid = e.concat({batch, count}, 0);
  Value sequence = e.expand(e.unsqueeze(e.countTo(batch), {1}), grid);
  Value index =
      e.concat({e.unsqueeze(sequence, {2}), e.unsqueeze(e.expand(position, grid), {2})}, 2);
  Value result =
      e.op("scatter_nd", {rows, index, fresh}, rows.getType(), {e.str("reduction", "none")});
  return node.done(axis == 1 ? result : e.transpose(result, inverse));
}

ArrayRef<OpRow> indexingOps() {
  static const OpRow rows[] = {
      {"", "Gather", 1, 2, 2, 1, importGather},
      {"", "GatherElements", 11, 2, 2, 1, importGatherElements},
      {"", "GatherND", 11, 2, 2, 1, importGatherND},
      {"", "ScatterND", 11, 3, 3, 1, importScatterND},
      {"", "Pad", 11, 2, 4, 1, importPad},
      {"", "Trilu", 14, 1, 2, 1, importTrilu},
      {"", "NonZero", 9, 1, 1, 1, importNonZero},
      {"", "TensorScatter", 24, 2, 3, 1, importTensorScatter},
  };
  return rows;
}

} // namespace qopt
