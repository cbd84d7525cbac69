//===- TokenMajorAttention.cpp - Scores, softmax and values become qir.attention -------------===//
#include "TokenMajorBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace qopt::qir::raise {

/// Sums of a head's offset and a feature's offset: the features of all heads in order.
static std::vector<int64_t> outerSum(ArrayRef<int64_t> heads, ArrayRef<int64_t> inner) {
  std::vector<int64_t> result;
  result.reserve(heads.size() * inner.size());
  for (int64_t head : heads)
    for (int64_t feature : inner)
      result.push_back(head + feature);
  return result;
}

/// Keys or values: a cache with the new tokens, or the new tokens alone where a model has no cache.
static std::optional<AtomKind> keyAtom(const TokenValue &x) {
  if (x.kind == TokenValue::Kind::Cached)
    return AtomKind::Keys;
  if (x.kind == TokenValue::Kind::Features)
    return AtomKind::Fresh;
  return std::nullopt;
}

LogicalResult TokenMajorBuilder::makeScores(Operation *op, const TokenValue &q,
                                            const TokenValue &keys, size_t kFeatureDim,
                                            size_t kKeyDim, Scores &scores, Layout &layout) {
  TokenValue k = keys;
  size_t rank = q.layout.rank();
  if (q.kind != Kind::Features || !keyAtom(k) || rank != k.layout.rank() || rank < 3)
    return fail(op, "multiplies token data that is not queries and keys");
  if (!k.layout.isExactly(kKeyDim, *keyAtom(k)) || !k.layout.onlyFeatures(kFeatureDim) ||
      !q.layout.onlyFeatures(rank - 1))
    return fail(op, "multiplies token data that is not queries and keys");
  // Head h of the queries, in row-major order, meets the head of the keys at the same index;
  // dimensions of size 1 are repeated, and rows of the queries may hold further heads.
  scores.kOffsets = {0};
  layout.dims.clear();
  auto extend = [](std::vector<int64_t> &heads, ArrayRef<int64_t> more) {
    heads = outerSum(heads, more);
  };
  for (size_t dim = 0; dim + 1 < rank; ++dim) {
    std::vector<int64_t> qDim = q.layout.offsets(dim);
    if (dim + 2 < rank) {
      std::vector<int64_t> kDim = k.layout.offsets(dim);
      if (kDim.size() == 1)
        kDim.assign(qDim.size(), kDim[0]);
      if (kDim.size() != qDim.size())
        return fail(op, "has other groups of queries than of keys");
      extend(scores.kOffsets, kDim);
    } else {
      extend(scores.kOffsets, std::vector<int64_t>(qDim.size(), 0));
    }
    layout.dims.push_back(q.layout.dims[dim]);
  }
  Layout heads;
  heads.dims.assign(layout.dims.begin(), layout.dims.end());
  scores.qOffsets = heads.offsets();
  scores.qInner = q.layout.offsets(rank - 1);
  scores.kInner = k.layout.offsets(kFeatureDim);
  if (scores.qInner.size() != scores.kInner.size() ||
      scores.qOffsets.size() != scores.kOffsets.size())
    return fail(op, "multiplies queries and keys of different sizes");
  scores.scale = q.scale * k.scale;
  scores.q = q;
  scores.q.scale = 1;
  scores.k = k;
  scores.k.scale = 1;
  layout.dims.push_back({Atom{AtomKind::Keys}});
  return success();
}

LogicalResult TokenMajorBuilder::convertMatmul(MatmulOp op) {
  const TokenValue *a = find(op.getA()), *b = find(op.getB());
  if (!a || !b)
    return fail(op, "multiplies token data with something that is no constant weight");
  if (a->kind == Kind::Probabilities) {
    size_t rank = b->layout.rank();
    TokenValue v = *b, p = *a;
    if (rank != p.layout.rank())
      return fail(op, "multiplies probabilities with values of another rank");
    TokenValue result;
    return emitAttention(op, *p.scores, p.layout, v, rank - 2, rank - 1);
  }
  TokenValue q = *a, k = *b;
  size_t rank = k.layout.rank();
  if (rank < 3)
    return fail(op, "multiplies token data with token data");
  TokenValue y;
  auto scores = std::make_shared<Scores>();
  if (failed(makeScores(op, q, k, rank - 2, rank - 1, *scores, y.layout)))
    return failure();
  y.kind = Kind::Scores;
  y.scores = std::move(scores);
  set(op.getY(), std::move(y));
  return success();
}

LogicalResult TokenMajorBuilder::convertScoresBinary(Operation *op, const TokenValue &x,
                                                     Value other, bool otherFirst) {
  TokenValue y = x;
  auto scores = std::make_shared<Scores>(*x.scores);
  FailureOr<std::vector<float>> row = featureRow(x, other);
  bool scalar = succeeded(row) && row->size() == 1;
  if (x.kind == Kind::Scores && scalar && isa<MulOp, DivOp>(op) &&
      !(isa<DivOp>(op) && otherFirst)) {
    double factor = isa<DivOp>(op) ? 1.0 / (*row)[0] : (*row)[0];
    if (scores->pendingTanh != 0) { // cap * tanh(scale q k) = softcap of (cap scale) q k
      scores->softcap = factor;
      scores->scale = scores->pendingTanh * factor;
      scores->pendingTanh = 0;
    } else if (scores->softcap != 0 && factor != 1) {
      return fail(op, "scales scores that are already capped");
    } else {
      scores->scale *= factor;
    }
    y.scores = std::move(scores);
    set(op->getResult(0), std::move(y));
    return success();
  }
  // Masked scores are kept finite by some: at or below the lowest f16 their weights are 0 anyway.
  constexpr float lowest = -65504.0f;
  if (x.kind == Kind::Scores && scalar && isa<MaxOp>(op) && (*row)[0] <= lowest) {
    set(op->getResult(0), std::move(y));
    return success();
  }
  if (x.kind == Kind::Scores && isa<AddOp>(op)) {
    if (failed(addMask(op, *scores, x.layout, other, /*invert=*/false)))
      return failure();
    y.scores = std::move(scores);
    set(op->getResult(0), std::move(y));
    return success();
  }
  return fail(op, "is not understood on attention scores");
}

LogicalResult TokenMajorBuilder::convertSoftmax(SoftmaxOp op, const TokenValue &x) {
  size_t rank = x.layout.rank();
  int64_t axis = static_cast<int64_t>(op.getAxis()); // the accessor is unsigned
  axis += axis < 0 ? static_cast<int64_t>(rank) : 0;
  if (x.kind != Kind::Scores || axis != static_cast<int64_t>(rank) - 1 ||
      !x.layout.isExactly(rank - 1, AtomKind::Keys))
    return fail(op, "normalises something other than scores over keys");
  if (x.scores->pendingTanh != 0)
    return fail(op, "normalises scores after a bare tanh");
  TokenValue y = x;
  y.kind = Kind::Probabilities;
  set(op.getY(), std::move(y));
  return success();
}

LogicalResult TokenMajorBuilder::convertSdpa(SdpaOp op) {
  const TokenValue *q = find(op.getQ()), *k = find(op.getK()), *v = find(op.getV());
  if (!q || !k || !v || q->layout.rank() != 4 || k->layout.rank() != 4 || v->layout.rank() != 4)
    return fail(op, "is not an attention of token data");
  TokenValue queries = *q, keys = *k, values = *v;
  // Grouped heads: split the query heads so that they line up with the heads of the keys.
  int64_t heads = queries.layout.featureSize(1), kvHeads = keys.layout.featureSize(1);
  if (kvHeads == 0 || heads % kvHeads != 0)
    return fail(op, "has a number of heads that the keys' heads do not divide");
  if (heads != kvHeads) {
    for (TokenValue *x : {&keys, &values})
      x->layout.dims[1].push_back(Atom::feature(heads / kvHeads, 0));
  }
  Scores scores;
  Layout layout;
  if (failed(makeScores(op, queries, keys, 3, 2, scores, layout)))
    return failure();
  scores.scale *= op.getScale().convertToDouble();
  scores.softcap = op.getSoftcap().convertToDouble();
  scores.causal = op.getCausal() != 0;
  if (op.getMask() && failed(addMask(op, scores, layout, op.getMask(), /*invert=*/false)))
    return failure();
  return emitAttention(op, scores, layout, values, 2, 3);
}

/// The distinct offsets of `heads` if head h reads offset number h / group, else nothing.
static std::optional<std::vector<int64_t>> groupedHeads(ArrayRef<int64_t> heads) {
  std::vector<int64_t> distinct;
  for (int64_t head : heads)
    if (distinct.empty() || distinct.back() != head)
      distinct.push_back(head);
  if (heads.size() % distinct.size() != 0)
    return std::nullopt;
  size_t group = heads.size() / distinct.size();
  for (auto [h, head] : llvm::enumerate(heads))
    if (distinct[h / group] != head)
      return std::nullopt;
  llvm::SmallVector<int64_t> sorted(distinct.begin(), distinct.end());
  llvm::sort(sorted);
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return std::nullopt;
  return distinct;
}

LogicalResult TokenMajorBuilder::emitAttention(Operation *op, const Scores &scores,
                                               const Layout &scoreLayout, const TokenValue &v,
                                               size_t vKeyDim, size_t vFeatureDim) {
  size_t rank = scoreLayout.rank();
  if (!keyAtom(v) || keyAtom(v) != keyAtom(scores.k) || !v.layout.isExactly(vKeyDim, *keyAtom(v)) ||
      !v.layout.onlyFeatures(vFeatureDim))
    return fail(op, "multiplies probabilities with something that is not values");
  std::vector<int64_t> vOffsets{0};
  for (size_t dim = 0; dim + 1 < rank; ++dim) {
    size_t heads = scoreLayout.offsets(dim).size();
    std::vector<int64_t> more(heads, 0);
    if (dim + 2 < rank) {
      std::vector<int64_t> mine = v.layout.offsets(dim);
      if (mine.size() != 1 && mine.size() != heads)
        return fail(op, "has other groups of queries than of values");
      for (size_t h = 0; h < heads; ++h)
        more[h] = mine[mine.size() == 1 ? 0 : h];
    }
    vOffsets = outerSum(vOffsets, more);
  }
  // The scores may have been transposed or reshaped since: their heads must still be the queries'.
  Layout now;
  now.dims.assign(scoreLayout.dims.begin(), scoreLayout.dims.end() - 1);
  if (now.offsets() != scores.qOffsets)
    return fail(op, "reorders the heads between scores and values");
  auto kHeads = groupedHeads(scores.kOffsets), vHeads = groupedHeads(vOffsets);
  if (!kHeads || !vHeads || kHeads->size() != vHeads->size())
    return fail(op, "groups its heads in another way than head / group");
  int64_t window = 0;
  if (failed(classifyMask(op, scores, window)))
    return failure();

  std::vector<int64_t> vInner = v.layout.offsets(vFeatureDim);
  FailureOr<Value> query = materialize(op, scores.q, outerSum(scores.qOffsets, scores.qInner));
  FailureOr<Value> key = materialize(op, scores.k, outerSum(*kHeads, scores.kInner));
  TokenValue values = v;
  values.scale = 1;
  FailureOr<Value> value = materialize(op, values, outerSum(*vHeads, vInner));
  if (failed(query) || failed(key) || failed(value))
    return failure();
  int64_t heads = scores.qOffsets.size(), headDim = scores.qInner.size(), valueDim = vInner.size();
  int64_t cache = static_cast<int64_t>(caches_.size());
  caches_.emplace_back(scores.k.past, v.past);
  Value result =
      AttentionOp::create(builder_, op->getLoc(), rowsType(heads * valueDim), *query, *key, *value,
                          heads, static_cast<int64_t>(kHeads->size()), headDim, valueDim,
                          llvm::APFloat(static_cast<double>(static_cast<float>(scores.scale))),
                          llvm::APFloat(scores.softcap), window, cache);
  now.dims.push_back({Atom::feature(valueDim, 1)});
  setEmitted(op->getResult(0), result, std::move(now), false);
  tokens_[op->getResult(0)].scale = v.scale;
  return success();
}

} // namespace qopt::qir::raise
