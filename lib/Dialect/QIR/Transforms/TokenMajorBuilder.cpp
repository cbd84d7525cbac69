//===- TokenMajorBuilder.cpp - Walks the function and dispatches its ops ----------------------===//
#include "TokenMajorBuilder.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace qopt::qir::raise {

TokenMajorBuilder::TokenMajorBuilder(func::FuncOp source, func::FuncOp target,
                                     const ProbeRuns &runs)
    : source_(source), target_(target), runs_(runs), builder_(source.getContext()) {
  Block *entry = target.addEntryBlock();
  ids_ = entry->getArgument(0);
  positions_ = entry->getArgument(1);
  builder_.setInsertionPointToEnd(entry);
  for (const ProbeRun &run : runs.runs())
    for (int64_t s = 0; s < run.sizing.fresh; ++s)
      tables_.positions.push_back(run.sizing.past + s);
}

LogicalResult TokenMajorBuilder::fail(Operation *op, const Twine &why) {
  if (!failedOp) {
    failedOp = op;
    reason = why.str();
  }
  return failure();
}

const TokenValue *TokenMajorBuilder::find(Value value) const {
  auto it = tokens_.find(value);
  return it == tokens_.end() ? nullptr : &it->second;
}

std::vector<Shape> TokenMajorBuilder::shapesOf(Value value) const {
  std::vector<Shape> shapes;
  for (size_t run = 0; run < runs_.numLayoutRuns(); ++run) {
    const qrt::tensor::Tensor *tensor = runs_.shapeOnly(run, value);
    if (!tensor)
      return {};
    shapes.emplace_back(tensor->shape.begin(), tensor->shape.end());
  }
  return shapes;
}

void TokenMajorBuilder::setEmitted(Value value, Value emitted, Layout layout, bool lastOnly) {
  TokenValue token;
  layout.renumber();
  layout.normalize();
  token.layout = std::move(layout);
  token.base = emitted;
  token.width = cast<RankedTensorType>(emitted.getType()).getDimSize(1);
  token.lastOnly = lastOnly;
  set(value, std::move(token));
}

/// The layout of an argument: its static dimensions are features, the rest as seen in the runs.
static std::optional<Layout> argumentLayout(ArrayRef<ProbeRun> runs, size_t numRuns, Value argument,
                                            AtomKind time) {
  Layout layout;
  const qrt::tensor::Tensor *first = &runs[0].values.find(argument)->second;
  for (size_t dim = 0; dim < first->shape.size(); ++dim) {
    bool constant = true, batch = true, tokens = true;
    for (size_t run = 0; run < numRuns; ++run) {
      int64_t size = runs[run].values.find(argument)->second.shape[dim];
      constant &= size == first->shape[dim];
      batch &= size == runs[run].sizing.batch;
      tokens &= size == Atom{time}.sizeAt(runs[run].sizing);
    }
    if (batch)
      layout.dims.push_back({Atom{AtomKind::Batch}});
    else if (tokens)
      layout.dims.push_back({Atom{time}});
    else if (constant)
      layout.dims.push_back({Atom::feature(first->shape[dim], 1)});
    else
      return std::nullopt;
  }
  layout.renumber();
  layout.normalize();
  return layout;
}

LogicalResult TokenMajorBuilder::convert() {
  for (BlockArgument argument : source_.getArguments()) {
    ArgumentRole role = roleOf(source_, argument.getArgNumber());
    if (role != ArgumentRole::Ids && role != ArgumentRole::PastState)
      continue;
    bool past = role == ArgumentRole::PastState;
    auto layout = argumentLayout(runs_.runs(), runs_.numLayoutRuns(), argument,
                                 past ? AtomKind::Past : AtomKind::Fresh);
    if (!layout)
      return fail(source_, "an argument has a shape that is neither batch, tokens nor constant");
    TokenValue token;
    token.kind = past ? Kind::Past : Kind::Ids;
    token.layout = std::move(*layout);
    token.past = past ? static_cast<int>(argument.getArgNumber()) : -1;
    set(argument, std::move(token));
  }
  for (Operation &op : source_.getBody().front()) {
    if (auto ret = dyn_cast<func::ReturnOp>(op))
      return finish(ret);
    if (llvm::all_of(op.getResults(), [&](Value v) { return runs_.isAuxiliary(v); }))
      continue;
    if (op.use_empty())
      continue;
    if (failed(convertOp(&op)))
      return fail(&op, "is not understood on token data");
  }
  return failure();
}

LogicalResult TokenMajorBuilder::convertOp(Operation *op) {
  const TokenValue *first = op->getNumOperands() ? find(op->getOperand(0)) : nullptr;
  if (isa<AddOp, SubOp, MulOp, DivOp, PowOp, MaxOp, SwigluOp, GegluOp>(op))
    return convertBinary(op);
  if (auto where = dyn_cast<WhereOp>(op))
    return convertWhere(where);
  if (auto gather = dyn_cast<GatherOp>(op))
    return convertGather(gather);
  if (isa<EmbeddingOp, QuantizedEmbeddingOp>(op))
    return convertEmbedding(op);
  if (auto concat = dyn_cast<ConcatOp>(op))
    return convertConcat(concat);
  if (!first)
    return fail(op, "takes token data where only constants are understood");
  TokenValue x = *first; // set() may move the map's entries
  if (isa<ReshapeOp, FlattenOp, SqueezeOp, UnsqueezeOp>(op))
    return convertReshape(op, x);
  if (isa<ExpandOp>(op))
    return convertExpand(op, x);
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](TransposeOp t) { return convertTranspose(t, x); })
      .Case([&](SplitOp s) { return convertSplit(s, x); })
      .Case([&](SliceOp s) { return convertSlice(s, x); })
      .Case([&](MatmulOp m) { return convertMatmul(m); })
      .Case([&](SdpaOp s) { return convertSdpa(s); })
      .Case([&](SoftmaxOp s) { return convertSoftmax(s, x); })
      .Case([&](RotaryEmbeddingOp r) { return convertRotation(r, x); })
      .Case<RmsNormOp, LayerNormOp>([&](auto n) { return convertNorm(n, x); })
      .Case<LinearOp, QuantizedLinearOp>([&](auto l) { return convertLinear(l, x); })
      .Default([&](Operation *o) { return convertUnary(o, x); });
}

/// The logits are the one floating-point result that is not a cache; named "logits" where several.
static std::optional<unsigned> findLogits(func::FuncOp function, func::ReturnOp op,
                                          function_ref<const TokenValue *(Value)> find) {
  std::optional<unsigned> found;
  for (unsigned i = 0; i < op.getNumOperands(); ++i) {
    const TokenValue *token = find(op.getOperand(i));
    if (!token || token->kind != TokenValue::Kind::Features)
      continue;
    auto name = function.getResultAttrOfType<StringAttr>(i, "qir.name");
    if (name && name.getValue() == "logits")
      return i;
    if (!found)
      found = i;
  }
  return found;
}

LogicalResult TokenMajorBuilder::finish(func::ReturnOp op) {
  std::optional<unsigned> logits = findLogits(source_, op, [&](Value v) { return find(v); });
  if (!logits)
    return fail(op, "no result is a tensor of token features");
  TokenValue value = *find(op.getOperand(*logits));
  for (size_t dim = 0; dim + 1 < value.layout.rank(); ++dim)
    if (value.layout.featureSize(dim) != 1)
      return fail(op, "the logits have features outside their last dimension");
  if (failed(checkCaches(op, *logits)))
    return failure();
  FailureOr<Value> result = materialize(op, value);
  if (failed(result))
    return failure();
  // The product that makes the logits is the head, whatever scales or caps them afterwards.
  Operation *producer = result->getDefiningOp();
  while (producer && !isa<LinearOp, QuantizedLinearOp>(producer))
    producer = producer->getNumOperands() ? producer->getOperand(0).getDefiningOp() : nullptr;
  if (producer && isa<LinearOp>(producer))
    cast<LinearOp>(producer).setRole("head");
  func::ReturnOp::create(builder_, op.getLoc(), ValueRange{*result});
  target_.setFunctionType(builder_.getFunctionType({ids_.getType(), positions_.getType()},
                                                   TypeRange{result->getType()}));
  target_.setResultAttr(0, "qir.name", builder_.getStringAttr("logits"));
  return success();
}

LogicalResult TokenMajorBuilder::checkCaches(func::ReturnOp op, unsigned logits) {
  llvm::DenseSet<int> returned;
  for (unsigned i = 0; i < op.getNumOperands(); ++i) {
    if (i == logits)
      continue;
    const TokenValue *token = find(op.getOperand(i));
    auto name = source_.getResultAttrOfType<StringAttr>(i, "qir.name");
    std::string shown = name ? name.str() : std::to_string(i);
    if (!token || token->kind != Kind::Cached) {
      remarks.push_back("result '" + shown + "' is not a cache and is dropped");
      continue;
    }
    if (token->scale != 1)
      return fail(op, "result '" + shown + "' is a scaled cache");
    auto past = source_.getArgAttrOfType<StringAttr>(token->past, "qir.name");
    if (name && past && cacheIdentity(name) != cacheIdentity(past))
      return fail(op, "result '" + shown + "' extends the cache '" + past.getValue() + "'");
    returned.insert(token->past);
  }
  llvm::DenseSet<int> used;
  for (auto [key, value] : caches_)
    for (int argument : {key, value}) {
      if (argument < 0)
        continue;
      if (!used.insert(argument).second)
        return fail(op, "a cache is read by two attentions");
      if (!returned.contains(argument))
        return fail(op, "a cache is read but not returned with the new tokens appended");
    }
  return success();
}

} // namespace qopt::qir::raise
