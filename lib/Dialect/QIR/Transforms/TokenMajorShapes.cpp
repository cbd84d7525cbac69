//===- TokenMajorShapes.cpp - Ops that only move token data -----------------------------------===//
#include "TokenMajorBuilder.h"

#include "llvm/ADT/STLExtras.h"

#include <numeric>

using namespace mlir;

namespace qopt::qir::raise {

static llvm::SmallVector<Sizing> layoutSizings(const ProbeRuns &runs) {
  llvm::SmallVector<Sizing> sizings;
  for (size_t run = 0; run < runs.numLayoutRuns(); ++run)
    sizings.push_back(runs.runs()[run].sizing);
  return sizings;
}

static int64_t wrapAxis(int64_t axis, size_t rank) {
  return axis < 0 ? axis + static_cast<int64_t>(rank) : axis;
}

LogicalResult TokenMajorBuilder::convertReshape(Operation *op, const TokenValue &x) {
  std::vector<Shape> shapes = shapesOf(op->getResult(0));
  if (shapes.empty())
    return fail(op, "its shape could not be evaluated");
  auto layout = reshapeLayout(x.layout, layoutSizings(runs_), shapes);
  if (!layout)
    return fail(op, "reshapes across tokens and features");
  TokenValue y = x;
  y.layout = std::move(*layout);
  set(op->getResult(0), std::move(y));
  return success();
}

LogicalResult TokenMajorBuilder::convertExpand(Operation *op, const TokenValue &x) {
  std::vector<Shape> shapes = shapesOf(op->getResult(0));
  if (shapes.empty())
    return fail(op, "its shape could not be evaluated");
  auto layout = expandLayout(x.layout, layoutSizings(runs_), shapes);
  if (!layout)
    return fail(op, "repeats token data along a dynamic dimension");
  TokenValue y = x;
  y.layout = std::move(*layout);
  set(op->getResult(0), std::move(y));
  return success();
}

LogicalResult TokenMajorBuilder::convertTranspose(TransposeOp op, const TokenValue &x) {
  TokenValue y = x;
  if (op.getPerm().size() != x.layout.rank())
    return fail(op, "permutes another number of dimensions");
  for (auto [i, from] : llvm::enumerate(op.getPerm()))
    y.layout.dims[i] = x.layout.dims[from];
  set(op.getY(), std::move(y));
  return success();
}

LogicalResult TokenMajorBuilder::select(Operation *op, Value result, const TokenValue &x,
                                        size_t dim, ArrayRef<int64_t> indices, bool drop) {
  if (!x.layout.onlyFeatures(dim))
    return fail(op, "selects tokens");
  if (x.kind != Kind::Features && x.kind != Kind::Past)
    return fail(op, "selects parts of something that is not token features");
  std::vector<int64_t> inDim = x.layout.offsets(dim);
  // Offsets of the old features in the order of the new ones; repeated dimensions stay at 0.
  std::vector<int64_t> old{0};
  Layout layout = x.layout;
  for (size_t d = 0; d < layout.rank(); ++d) {
    std::vector<int64_t> offsets;
    if (d == dim) {
      for (int64_t index : indices) {
        if (index < 0 || index >= static_cast<int64_t>(inDim.size()))
          return fail(op, "selects outside the dimension");
        offsets.push_back(inDim[index]);
      }
    } else {
      Layout one;
      one.dims.push_back({});
      for (const Atom &atom : layout.dims[d])
        if (atom.isFeature() && atom.stride != 0)
          one.dims[0].push_back(atom);
      offsets = one.offsets(0);
    }
    std::vector<int64_t> next;
    next.reserve(old.size() * offsets.size());
    for (int64_t base : old)
      for (int64_t offset : offsets)
        next.push_back(base + offset);
    old = std::move(next);
  }
  layout.dims[dim] = {Atom::feature(static_cast<int64_t>(indices.size()), 1)};
  layout.renumber();
  if (drop)
    layout.dims.erase(layout.dims.begin() + dim);
  layout.normalize();

  TokenValue y = x;
  y.layout = std::move(layout);
  if (x.kind == Kind::Features) {
    auto map = std::make_shared<FeatureMap>();
    map->rows.reserve(old.size());
    for (int64_t offset : old)
      map->rows.push_back(x.map ? x.map->rows[offset] : Row{Term{offset}});
    y.map = std::move(map);
  }
  set(result, std::move(y));
  return success();
}

LogicalResult TokenMajorBuilder::convertSplit(SplitOp op, const TokenValue &x) {
  size_t dim = wrapAxis(op.getAxis(), x.layout.rank());
  int64_t start = 0;
  for (auto [result, size] : llvm::zip(op.getOutputs(), op.getSizes())) {
    std::vector<int64_t> indices(size);
    std::iota(indices.begin(), indices.end(), start);
    start += size;
    if (failed(select(op, result, x, dim, indices, /*drop=*/false)))
      return failure();
  }
  return success();
}

/// Keeps the last token only: what a builder does that prunes the logits. Nothing is dropped here,
/// since the runtime asks for the rows it wants.
LogicalResult TokenMajorBuilder::selectToken(Operation *op, Value result, const TokenValue &x,
                                             size_t dim, bool drop) {
  if (x.kind != Kind::Features || !x.layout.isExactly(dim, AtomKind::Fresh))
    return fail(op, "selects tokens");
  TokenValue y = x;
  y.lastOnly = true;
  y.layout.dims[dim].clear();
  if (drop)
    y.layout.dims.erase(y.layout.dims.begin() + dim);
  set(result, std::move(y));
  return success();
}

LogicalResult TokenMajorBuilder::convertSlice(SliceOp op, const TokenValue &x) {
  TokenValue y = x;
  std::vector<Shape> before = shapesOf(op.getX()), after = shapesOf(op.getY());
  if (before == after && llvm::all_of(op.getSteps(), [](int64_t s) { return s > 0; })) {
    set(op.getY(), x); // takes everything
    return success();
  }
  if (op.getAxes().size() != 1)
    return fail(op, "slices several dimensions at once");
  size_t dim = wrapAxis(op.getAxes()[0], x.layout.rank());
  int64_t step = op.getSteps()[0];
  std::vector<int64_t> indices;
  for (size_t run = 0; run < runs_.runs().size(); ++run) {
    auto starts = runs_.integers(op.getStarts(), run), ends = runs_.integers(op.getEnds(), run);
    const qrt::tensor::Tensor *input = runs_.shapeOnly(run, op.getX());
    if (!starts || !ends || !input || starts->size() != 1 || ends->size() != 1 || step == 0)
      return fail(op, "its bounds depend on token data");
    int64_t size = input->shape[dim], start = (*starts)[0], end = (*ends)[0];
    auto clampIndex = [&](int64_t i, int64_t low, int64_t high) {
      return std::clamp(i < 0 ? i + size : i, low, high);
    };
    start = step > 0 ? clampIndex(start, 0, size) : clampIndex(start, 0, size - 1);
    end = step > 0 ? clampIndex(end, 0, size) : (end < -size ? -1 : clampIndex(end, -1, size - 1));
    std::vector<int64_t> here;
    for (int64_t i = start; step > 0 ? i < end : i > end; i += step)
      here.push_back(i);
    if (x.layout.isExactly(dim, AtomKind::Fresh)) {
      if (here.size() != 1 || here[0] != size - 1)
        return fail(op, "slices the tokens");
      continue;
    }
    if (run > 0 && here != indices)
      return fail(op, "slices differently for other sizes");
    indices = std::move(here);
  }
  if (x.layout.isExactly(dim, AtomKind::Fresh))
    return selectToken(op, op.getY(), x, dim, /*drop=*/false);
  return select(op, op.getY(), x, dim, indices, /*drop=*/false);
}

LogicalResult TokenMajorBuilder::convertGather(GatherOp op) {
  const TokenValue *found = find(op.getX());
  if (!found)
    return fail(op, "looks up token data in a table that was not raised to an embedding");
  if (find(op.getIndices()))
    return fail(op, "selects by token data");
  TokenValue x = *found;
  size_t dim = wrapAxis(op.getAxis(), x.layout.rank());
  const qrt::tensor::Tensor *shape = runs_.shapeOnly(0, op.getIndices());
  if (!shape || shape->shape.size() > 1)
    return fail(op, "selects with a table of indices");
  bool drop = shape->shape.empty();
  std::vector<int64_t> indices;
  for (size_t run = 0; run < runs_.runs().size(); ++run) {
    auto here = runs_.integers(op.getIndices(), run);
    const qrt::tensor::Tensor *input = runs_.shapeOnly(run, op.getX());
    if (!here || !input)
      return fail(op, "its indices could not be evaluated");
    for (int64_t &index : *here)
      index = index < 0 ? index + input->shape[dim] : index;
    if (x.layout.isExactly(dim, AtomKind::Fresh)) {
      if (here->size() != 1 || (*here)[0] != input->shape[dim] - 1)
        return fail(op, "selects tokens other than the last");
      continue;
    }
    if (run > 0 && *here != indices)
      return fail(op, "selects differently for other sizes");
    indices = std::move(*here);
  }
  if (x.layout.isExactly(dim, AtomKind::Fresh))
    return selectToken(op, op.getY(), x, dim, drop);
  return select(op, op.getY(), x, dim, indices, drop);
}

LogicalResult TokenMajorBuilder::convertConcat(ConcatOp op) {
  llvm::SmallVector<TokenValue, 4> inputs;
  for (Value operand : op.getInputs()) {
    const TokenValue *token = find(operand);
    if (!token)
      return fail(op, "joins token data with something else");
    inputs.push_back(*token);
  }
  size_t dim = wrapAxis(op.getAxis(), inputs[0].layout.rank());

  // Cache followed by new tokens.
  if (inputs.size() == 2 && inputs[0].kind == Kind::Past && inputs[1].kind == Kind::Features) {
    const Layout &past = inputs[0].layout, &fresh = inputs[1].layout;
    bool fits = past.rank() == fresh.rank() && past.isExactly(dim, AtomKind::Past) &&
                fresh.isExactly(dim, AtomKind::Fresh);
    for (size_t d = 0; fits && d < past.rank(); ++d)
      fits = d == dim || (past.featureSize(d) == fresh.featureSize(d) &&
                          past.onlyFeatures(d) == fresh.onlyFeatures(d));
    if (!fits || inputs[0].scale != 1)
      return fail(op, "joins a cache and new tokens of different shapes");
    TokenValue y = inputs[1];
    y.kind = Kind::Cached;
    y.past = inputs[0].past;
    y.layout.dims[dim] = {Atom{AtomKind::Keys}};
    set(op.getY(), std::move(y));
    return success();
  }

  // Features side by side: one map over a common base.
  bool sameBase = true;
  for (TokenValue &input : inputs) {
    if (input.kind != Kind::Features || !input.layout.onlyFeatures(dim) ||
        input.layout.rank() != inputs[0].layout.rank())
      return fail(op, "joins token data along the tokens");
    sameBase &= input.base == inputs[0].base && input.lastOnly == inputs[0].lastOnly;
  }
  Value base = inputs[0].base;
  std::vector<int64_t> shift(inputs.size(), 0);
  int64_t width = inputs[0].width;
  if (!sameBase) {
    llvm::SmallVector<Value> bases;
    width = 0;
    for (auto [i, input] : llvm::enumerate(inputs)) {
      FailureOr<Value> value = materialize(op, input);
      if (failed(value))
        return failure();
      input.layout.renumber();
      input.map = nullptr;
      input.scale = 1;
      shift[i] = width;
      width += cast<RankedTensorType>(value->getType()).getDimSize(1);
      bases.push_back(*value);
    }
    base = ConcatOp::create(builder_, op.getLoc(), rowsType(width), bases, 1);
  }
  Layout layout = inputs[0].layout;
  int64_t total = 0;
  for (const TokenValue &input : inputs)
    total += input.layout.featureSize(dim);
  layout.dims[dim] = {Atom::feature(total, 1)};
  layout.renumber();
  std::vector<std::vector<int64_t>> offsets; // per input, row-major
  for (const TokenValue &input : inputs)
    offsets.push_back(input.layout.offsets());
  int64_t outer = 1, inner = 1;
  for (size_t d = 0; d < layout.rank(); ++d)
    if (d < dim)
      outer *= layout.featureSize(d);
    else if (d > dim)
      inner *= layout.featureSize(d);
  auto map = std::make_shared<FeatureMap>();
  for (int64_t o = 0; o < outer; ++o)
    for (auto [i, input] : llvm::enumerate(inputs)) {
      int64_t count = input.layout.featureSize(dim) * inner;
      if (static_cast<int64_t>(offsets[i].size()) != outer * count)
        return fail(op, "joins token data of different shapes");
      for (int64_t j = 0; j < count; ++j) {
        int64_t offset = offsets[i][o * count + j];
        Row row = input.map ? input.map->rows[offset] : Row{Term{offset}};
        for (Term &term : row) {
          term.source += shift[i];
          term.factor *= input.scale;
        }
        map->rows.push_back(std::move(row));
      }
    }
  TokenValue y = inputs[0];
  layout.normalize();
  y.layout = std::move(layout);
  y.base = base;
  y.width = width;
  y.scale = 1;
  y.map = std::move(map);
  set(op.getY(), std::move(y));
  return success();
}

} // namespace qopt::qir::raise
