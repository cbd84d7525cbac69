//===- TokenMajorElementwise.cpp - Arithmetic and activations on token data ------------------===//
#include "TokenMajorBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace qopt::qir::raise {

LogicalResult TokenMajorBuilder::convertBinary(Operation *op) {
  const TokenValue *a = find(op->getOperand(0)), *b = find(op->getOperand(1));
  if (isa<MaxOp>(op) && (!a || a->kind != Kind::Scores || b))
    return fail(op, "is not understood on token data");
  if (a && b) {
    TokenValue x = *a, y = *b;
    return convertTokenPair(op, x, y);
  }
  if (isa<SwigluOp, GegluOp>(op))
    return fail(op, "gates token data with a constant");
  TokenValue x = a ? *a : *b;
  Value other = op->getOperand(a ? 1 : 0);
  if (x.kind == Kind::Scores || x.kind == Kind::Probabilities)
    return convertScoresBinary(op, x, other, /*otherFirst=*/!a);
  return convertWithAuxiliary(op, x, other, /*otherFirst=*/!a);
}

/// Brings two layouts to one rank: broadcasting adds dimensions on the left.
static void alignRanks(Layout &a, Layout &b) {
  while (a.rank() < b.rank())
    a.dims.insert(a.dims.begin(), DimAtoms{});
  while (b.rank() < a.rank())
    b.dims.insert(b.dims.begin(), DimAtoms{});
}

/// The same factors in every dimension, strides aside.
static bool sameFactors(const Layout &a, const Layout &b) {
  for (size_t dim = 0; dim < a.rank(); ++dim) {
    DimAtoms x = a.dims[dim], y = b.dims[dim];
    auto dynamic = [](const DimAtoms &atoms) {
      llvm::SmallVector<AtomKind, 2> kinds;
      for (const Atom &atom : atoms)
        if (!atom.isFeature())
          kinds.push_back(atom.kind);
      return kinds;
    };
    if (dynamic(x) != dynamic(y) || a.featureSize(dim) != b.featureSize(dim))
      return false;
    bool mixed = !dynamic(x).empty() && a.featureSize(dim) > 1;
    if (mixed && x.size() != y.size())
      return false;
  }
  return true;
}

LogicalResult TokenMajorBuilder::convertTokenPair(Operation *op, const TokenValue &a,
                                                  const TokenValue &b) {
  if (a.kind != Kind::Features || b.kind != Kind::Features)
    return fail(op, "combines token data of different kinds");
  if (isa<PowOp>(op))
    return fail(op, "raises token data to a power that depends on tokens");
  TokenValue x = a, y = b;
  alignRanks(x.layout, y.layout);
  if (!sameFactors(x.layout, y.layout) || x.lastOnly != y.lastOnly)
    return fail(op, "broadcasts token data against token data");
  std::vector<int64_t> xOffsets = x.layout.offsets(), yOffsets = y.layout.offsets();
  if (xOffsets.size() != yOffsets.size())
    return fail(op, "broadcasts token data against token data");

  // The two halves of a rotation: stay a map.
  bool rotating = (x.map && x.map->dependsOnPosition()) || (y.map && y.map->dependsOnPosition());
  if (isa<AddOp, SubOp>(op) && rotating && x.base == y.base) {
    double sign = isa<SubOp>(op) ? -1 : 1;
    auto map = std::make_shared<FeatureMap>();
    for (auto [xo, yo] : llvm::zip(xOffsets, yOffsets)) {
      Row row;
      for (Term term : x.map ? x.map->rows[xo] : Row{Term{xo}}) {
        term.factor *= x.scale;
        row.push_back(term);
      }
      for (Term term : y.map ? y.map->rows[yo] : Row{Term{yo}}) {
        term.factor *= y.scale * sign;
        row.push_back(term);
      }
      map->rows.push_back(std::move(row));
    }
    TokenValue sum = x;
    sum.scale = 1;
    sum.map = std::move(map);
    sum.layout.renumber();
    set(op->getResult(0), std::move(sum));
    return success();
  }

  FailureOr<Value> lhs = materialize(op, x, xOffsets), rhs = materialize(op, y, yOffsets);
  if (failed(lhs) || failed(rhs))
    return failure();
  // One order of commuting operands, whichever the exporter chose: the older value (the residual)
  // first.
  if (isa<AddOp, MulOp>(op) && rhs->getDefiningOp()->isBeforeInBlock(lhs->getDefiningOp()))
    std::swap(*lhs, *rhs);
  Type type = lhs->getType();
  Location loc = op->getLoc();
  Value result;
  if (isa<AddOp>(op))
    result = AddOp::create(builder_, loc, type, *lhs, *rhs);
  else if (isa<SubOp>(op))
    result = SubOp::create(builder_, loc, type, *lhs, *rhs);
  else if (isa<MulOp>(op))
    result = MulOp::create(builder_, loc, type, *lhs, *rhs);
  else // division, gated activations
    result = cloneWith(op, {*lhs, *rhs}, type)->getResult(0);
  setEmitted(op->getResult(0), result, x.layout, x.lastOnly);
  return success();
}

LogicalResult TokenMajorBuilder::convertWithAuxiliary(Operation *op, const TokenValue &token,
                                                      Value other, bool otherFirst) {
  TokenValue x = token;
  if (x.kind != Kind::Features && x.kind != Kind::Cached)
    return fail(op, "combines token data that is no feature tensor with a constant");
  std::vector<Shape> shapes = shapesOf(op->getResult(0));
  if (shapes.empty())
    return fail(op, "its shape could not be evaluated");
  while (x.layout.rank() < shapes[0].size())
    x.layout.dims.insert(x.layout.dims.begin(), DimAtoms{});
  for (size_t run = 0; run < shapes.size(); ++run)
    if (!x.layout.hasShape(shapes[run], runs_.runs()[run].sizing))
      return fail(op, "broadcasts token data");

  FailureOr<std::vector<float>> row = featureRow(x, other);
  bool scalar = succeeded(row) && row->size() == 1;
  bool divides = isa<DivOp>(op);
  if (scalar && (isa<MulOp>(op) || (divides && !otherFirst))) {
    x.scale *= divides ? 1.0 / (*row)[0] : (*row)[0];
    set(op->getResult(0), std::move(x));
    return success();
  }
  if (x.kind != Kind::Features)
    return fail(op, "computes with cached values");

  if (failed(row)) { // depends on the position
    if (isa<AddOp>(op))
      return addPositions(op, x, other);
    if (!isa<MulOp>(op))
      return fail(op, "combines token data with a table of positions");
    FailureOr<std::vector<int32_t>> tables = featureTables(op, x, other);
    if (failed(tables))
      return failure();
    std::vector<int64_t> offsets = x.layout.offsets();
    auto map = std::make_shared<FeatureMap>();
    for (auto [offset, table] : llvm::zip(offsets, *tables)) {
      Row terms = x.map ? x.map->rows[offset] : Row{Term{offset}};
      for (Term &term : terms)
        term.table = tables_.product(term.table, table);
      map->rows.push_back(std::move(terms));
    }
    x.layout.renumber();
    x.map = std::move(map);
    set(op->getResult(0), std::move(x));
    return success();
  }
  if (x.map && !scalar && isa<MulOp>(op)) { // signs of a rotation written as factors
    std::vector<int64_t> offsets = x.layout.offsets();
    auto map = std::make_shared<FeatureMap>();
    for (auto [offset, factor] : llvm::zip(offsets, *row)) {
      Row terms = x.map->rows[offset];
      for (Term &term : terms)
        term.factor *= factor;
      map->rows.push_back(std::move(terms));
    }
    x.layout.renumber();
    x.map = std::move(map);
    set(op->getResult(0), std::move(x));
    return success();
  }

  FailureOr<Value> value = materialize(op, x);
  if (failed(value))
    return failure();
  Location loc = op->getLoc();
  Type type = value->getType();
  if (isa<PowOp>(op)) {
    if (otherFirst || !scalar || (*row)[0] != 2.0f)
      return fail(op, "raises token data to a power other than 2");
    setEmitted(op->getResult(0), MulOp::create(builder_, loc, type, *value, *value), x.layout,
               x.lastOnly);
    return success();
  }
  Location constantLoc = other.getDefiningOp() ? other.getDefiningOp()->getLoc() : loc;
  Value constant = scalar ? constantF32(constantLoc, *row, {})
                          : constantF32(constantLoc, *row, {static_cast<int64_t>(row->size())});
  Value a = otherFirst ? constant : *value, b = otherFirst ? *value : constant;
  Value result;
  if (isa<AddOp>(op)) // one order, whichever the exporter chose
    result = AddOp::create(builder_, loc, type, *value, constant);
  else if (isa<MulOp>(op))
    result = MulOp::create(builder_, loc, type, *value, constant);
  else if (isa<SubOp>(op))
    result = SubOp::create(builder_, loc, type, a, b);
  else
    result = DivOp::create(builder_, loc, type, a, b);
  setEmitted(op->getResult(0), result, x.layout, x.lastOnly);
  return success();
}

LogicalResult TokenMajorBuilder::convertUnary(Operation *op, const TokenValue &x) {
  if (isa<CastOp, IdentityOp>(op)) { // casts between floats annotate precision
    auto type = cast<TensorType>(op->getResult(0).getType());
    bool toFloat = isa<FloatType>(type.getElementType());
    if ((x.kind == Kind::Ids) == toFloat && !isa<IdentityOp>(op))
      return fail(op, "converts token data between integers and floats");
    set(op->getResult(0), x);
    return success();
  }
  if (isa<IsNanOp>(op) && x.kind == Kind::Probabilities) {
    TokenValue test = x;
    test.kind = Kind::NanTest;
    set(op->getResult(0), std::move(test));
    return success();
  }
  if (x.kind == Kind::Scores && isa<TanhOp, SoftcapOp>(op)) {
    TokenValue y = x;
    auto scores = std::make_shared<Scores>(*x.scores);
    if (scores->softcap != 0 || scores->pendingTanh != 0 || !scores->masks.empty())
      return fail(op, "caps scores that are already capped or masked");
    if (auto cap = dyn_cast<SoftcapOp>(op)) {
      scores->softcap = cap.getCap().convertToDouble();
    } else {
      scores->pendingTanh = scores->scale;
    }
    y.scores = std::move(scores);
    set(op->getResult(0), std::move(y));
    return success();
  }
  if (isa<NegOp>(op) && (x.kind == Kind::Features)) {
    TokenValue y = x;
    if (!x.map) { // the sign must not leave the map: a sum of maps has one scale
      y.scale = -x.scale;
    } else {
      auto map = std::make_shared<FeatureMap>(*x.map);
      for (Row &row : map->rows)
        for (Term &term : row)
          term.factor = -term.factor;
      y.map = std::move(map);
    }
    set(op->getResult(0), std::move(y));
    return success();
  }
  if (x.kind != Kind::Features ||
      !isa<GeluOp, SiluOp, ReluOp, TanhOp, SoftcapOp, QuickGeluOp, SigmoidOp>(op))
    return fail(op, "is not understood on token data");
  FailureOr<Value> value = materialize(op, x);
  if (failed(value))
    return failure();
  Operation *created = cloneWith(op, {*value}, value->getType());
  setEmitted(op->getResult(0), created->getResult(0), x.layout, x.lastOnly);
  return success();
}

} // namespace qopt::qir::raise
