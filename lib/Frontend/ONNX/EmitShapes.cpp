//===- EmitShapes.cpp - Shape-changing qir ops with inferred result types ---------------------===//
// Exporters compute shapes with long chains of Shape, Gather and Concat; only what fixes a rank or
// a constant dimension is followed here.
#include "Emitter.h"

#include <numeric>

using namespace mlir;

namespace qopt {

static int64_t wrap(int64_t axis, int64_t rank) { return axis < 0 ? axis + rank : axis; }
static bool inside(int64_t axis, int64_t rank) { return axis >= 0 && axis < rank; }

Value Emitter::shapeVector(Value x, int64_t start, std::optional<int64_t> end) {
  int64_t rank = rankOf(x), count = dynamicDim;
  SmallVector<NamedAttribute> attributes;
  if (rank >= 0) {
    start = std::clamp<int64_t>(wrap(start, rank), 0, rank);
    int64_t stop = std::clamp<int64_t>(end ? wrap(*end, rank) : rank, start, rank);
    count = stop - start;
    end = stop;
  }
  attributes.push_back(i64("start", start));
  if (end)
    attributes.push_back(i64("end", *end));
  return op("shape_of", {x}, RankedTensorType::get({count}, builder.getI64Type()), attributes);
}

Value Emitter::dim(Value x, int64_t axis) {
  axis = rankOf(x) >= 0 ? wrap(axis, rankOf(x)) : axis;
  return shapeVector(x, axis, axis + 1);
}

Value Emitter::reshape(Value x, Value shape, bool allowZero) {
  Shape from = shapeOf(x), result;
  int64_t rank = dimOf(shape, 0);
  if (rank != dynamicDim && rank <= 64)
    result = Ints(rank, dynamicDim);
  std::optional<Ints> wanted = constantInts(shape);
  if (result && wanted && int64_t(wanted->size()) == rank) {
    int64_t total = 1, known = 1, unknownAt = -1;
    bool allKnown = from.has_value();
    for (int64_t dim : from ? *from : Ints())
      if (dim == dynamicDim || (dim && total > INT64_MAX / dim))
        allKnown = false;
      else
        total *= dim;
    for (int64_t i = 0; i < rank; ++i) {
      int64_t dim = (*wanted)[i];
      if (dim == 0 && !allowZero)
        dim = from && i < int64_t(from->size()) ? (*from)[i] : dynamicDim;
      if (dim == -1)
        unknownAt = i;
      else if (dim < 0 || (dim && known > INT64_MAX / dim))
        allKnown = false;
      else
        known *= dim;
      (*result)[i] = dim < 0 ? dynamicDim : dim;
    }
    if (unknownAt >= 0 && allKnown && known > 0 && total % known == 0)
      (*result)[unknownAt] = total / known;
  }
  return op("reshape", {x, shape}, tensorOf(result, elementOf(x)), {i64("allowzero", allowZero)});
}

Value Emitter::reshape(Value x, ArrayRef<int64_t> shape) { return reshape(x, intVector(shape)); }

Value Emitter::transpose(Value x, ArrayRef<int64_t> perm) {
  Shape from = shapeOf(x), result = Ints(perm.size(), dynamicDim);
  for (size_t i = 0; from && i < perm.size(); ++i)
    if (inside(perm[i], int64_t(from->size())))
      (*result)[i] = (*from)[perm[i]];
  return op("transpose", {x}, tensorOf(result, elementOf(x)), {ints("perm", perm)});
}

Value Emitter::unsqueeze(Value x, ArrayRef<int64_t> axes) {
  Shape from = shapeOf(x), result;
  Ints positive(axes);
  if (from) {
    int64_t rank = int64_t(from->size() + axes.size());
    SmallVector<bool> added(rank, false);
    for (int64_t &axis : positive) {
      axis = wrap(axis, rank);
      if (inside(axis, rank))
        added[axis] = true;
    }
    result.emplace();
    size_t next = 0;
    for (int64_t i = 0; i < rank; ++i)
      result->push_back(added[i] ? 1 : next < from->size() ? (*from)[next++] : 1);
    llvm::sort(positive);
  }
  return op("unsqueeze", {x}, tensorOf(result, elementOf(x)), {ints("axes", positive)});
}

Value Emitter::squeeze(Value x, ArrayRef<int64_t> axes) {
  Shape from = shapeOf(x), result;
  Ints positive(axes);
  bool fixed = from && (!axes.empty() || !llvm::is_contained(*from, dynamicDim));
  if (from)
    for (int64_t &axis : positive)
      axis = wrap(axis, int64_t(from->size()));
  if (fixed) {
    result.emplace();
    for (size_t i = 0; i < from->size(); ++i)
      if (axes.empty() ? (*from)[i] != 1 : !llvm::is_contained(positive, int64_t(i)))
        result->push_back((*from)[i]);
  }
  return op("squeeze", {x}, tensorOf(result, elementOf(x)), {ints("axes", positive)});
}

Value Emitter::expand(Value x, Value shape) {
  Shape wanted;
  int64_t rank = dimOf(shape, 0);
  if (rank != dynamicDim && rank <= 64) {
    wanted = Ints(rank, dynamicDim);
    if (std::optional<Ints> known = constantInts(shape); known && int64_t(known->size()) == rank)
      for (int64_t i = 0; i < rank; ++i)
        (*wanted)[i] = (*known)[i] < 0 ? dynamicDim : (*known)[i];
  }
  return op("expand", {x, shape}, tensorOf(broadcastShapes(shapeOf(x), wanted), elementOf(x)));
}

Value Emitter::concat(ValueRange inputs, int64_t axis) {
  Shape result = shapeOf(inputs[0]);
  for (Value input : inputs.drop_front()) {
    Shape shape = shapeOf(input);
    if (!result)
      result = shape;
    if (!shape || shape->size() != result->size())
      continue;
    for (size_t i = 0; i < shape->size(); ++i)
      if ((*result)[i] == dynamicDim)
        (*result)[i] = (*shape)[i];
  }
  if (result) {
    axis = wrap(axis, int64_t(result->size()));
    int64_t total = 0;
    for (Value input : inputs) {
      int64_t size = dimOf(input, axis);
      total = total == dynamicDim || size == dynamicDim ? dynamicDim : total + size;
    }
    if (inside(axis, int64_t(result->size())))
      (*result)[axis] = total;
  }
  return op("concat", inputs, tensorOf(result, elementOf(inputs[0])), {i64("axis", axis)});
}

SmallVector<Value> Emitter::split(Value x, int64_t axis, ArrayRef<int64_t> sizes) {
  Shape shape = shapeOf(x);
  if (shape)
    axis = wrap(axis, int64_t(shape->size()));
  SmallVector<Type> types;
  for (int64_t size : sizes) {
    Shape piece = shape;
    if (piece && inside(axis, int64_t(piece->size())))
      (*piece)[axis] = size;
    types.push_back(tensorOf(piece, elementOf(x)));
  }
  OperationState state(loc, "qir.split", {x}, types, {i64("axis", axis), ints("sizes", sizes)});
  auto results = builder.create(state)->getResults();
  return SmallVector<Value>(results.begin(), results.end());
}

Value Emitter::slice(Value x, Value starts, Value ends, ArrayRef<int64_t> axes,
                     ArrayRef<int64_t> steps) {
  Shape result = shapeOf(x);
  Ints positive(axes);
  if (result) {
    int64_t rank = int64_t(result->size());
    std::optional<Ints> from = constantInts(starts), to = constantInts(ends);
    for (size_t i = 0; i < positive.size(); ++i) {
      int64_t &axis = positive[i];
      axis = wrap(axis, rank);
      if (!inside(axis, rank))
        continue;
      int64_t size = (*result)[axis], out = dynamicDim;
      if (from && to && i < from->size() && i < to->size() && size != dynamicDim && steps[i] == 1) {
        int64_t begin = std::clamp<int64_t>(wrap((*from)[i], size), 0, size);
        int64_t end = std::clamp<int64_t>(wrap((*to)[i], size), 0, size);
        out = std::max<int64_t>(0, end - begin);
      }
      (*result)[axis] = out;
    }
  }
  return op("slice", {x, toInt64(starts), toInt64(ends)}, tensorOf(result, elementOf(x)),
            {ints("axes", positive), ints("steps", steps)});
}

Value Emitter::gather(Value x, Value indices, int64_t axis) {
  Shape data = shapeOf(x), index = shapeOf(indices), result;
  if (data) {
    axis = wrap(axis, int64_t(data->size()));
    if (index && inside(axis, int64_t(data->size()))) {
      result = Ints(data->begin(), data->begin() + axis);
      result->append(index->begin(), index->end());
      result->append(data->begin() + axis + 1, data->end());
    }
  }
  return op("gather", {x, indices}, tensorOf(result, elementOf(x)), {i64("axis", axis)});
}

Value Emitter::range(Value start, Value limit, Value delta) {
  return op("range", {start, limit, delta}, RankedTensorType::get({dynamicDim}, elementOf(start)));
}

Value Emitter::countTo(Value n) { return range(intScalar(0), squeeze(n, {0}), intScalar(1)); }

} // namespace qopt
