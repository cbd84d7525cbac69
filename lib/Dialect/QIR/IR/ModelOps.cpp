//===- ModelOps.cpp - Verifiers of the ops a quantizer reasons about -------------------------===//
#include "Checks.h"

using namespace mlir;
using namespace qopt::qir;

LogicalResult EmbeddingOp::verify() {
  if (failed(checkRank(*this, "a table", getTable(), 2))) // C1
    return failure();
  if (static_cast<int64_t>(getOffset()) < 0) // C3
    return emitOpError() << "expects an offset of at least 0";
  std::optional<Dims> table = dimsOf(getTable()), expected = dimsOf(getIds());
  if (expected)
    expected->push_back(table ? table->back() : unknown);
  return checkDims(*this, "a result", getY(), expected); // C2
}

LogicalResult LinearOp::verify() {
  if (failed(checkRank(*this, "a weight", getW(), 2))) // C1
    return failure();
  std::optional<Dims> weight = dimsOf(getW()), expected = dimsOf(getX());
  if (!weight)
    return success();
  if (expected && (expected->empty() || !agree(expected->back(), weight->back()))) // C2
    return emitOpError() << "expects x with a last dimension of " << weight->back() << ", got "
                         << getX().getType();
  if (getBias() && failed(checkDims(*this, "a bias", getBias(), Dims{weight->front()}))) // C3
    return failure();
  if (expected)
    expected->back() = weight->front();
  return checkDims(*this, "a result", getY(), expected); // C4
}

/// C1 to C3 of both norms.
static LogicalResult verifyNorm(Operation *op, Value x, Value w, Value y, const APFloat &epsilon) {
  std::optional<Dims> dims = dimsOf(x);
  std::optional<int64_t> chunk = countOf(w);
  if (dims && chunk) {
    int64_t last = dims->empty() ? 0 : dims->back();
    if (*chunk < 1 || dims->empty() || (last != unknown && last % *chunk != 0)) // C1
      return op->emitOpError() << "expects a weight whose length divides the last dimension of "
                               << x.getType() << ", got " << w.getType();
  }
  if (failed(checkSameDims(op, "a result", y, x))) // C2
    return failure();
  if (!(epsilon.convertToDouble() >= 0)) // C3
    return op->emitOpError() << "expects an epsilon of at least 0, got "
                             << epsilon.convertToDouble();
  return success();
}

LogicalResult RmsNormOp::verify() {
  return verifyNorm(*this, getX(), getW(), getY(), getEpsilon());
}

LogicalResult LayerNormOp::verify() {
  if (getB() && failed(checkSameDims(*this, "a bias", getB(), getW()))) // C4
    return failure();
  return verifyNorm(*this, getX(), getW(), getY(), getEpsilon());
}

LogicalResult RotaryEmbeddingOp::verify() {
  if (failed(checkRank(*this, "x", getX(), 4)) ||              // C1
      failed(checkRank(*this, "cos", getCos(), 3)) ||          // C1
      failed(checkSameDims(*this, "sin", getSin(), getCos()))) // C1
    return failure();
  std::optional<Dims> dims = dimsOf(getX()), table = dimsOf(getCos());
  if (dims && table && dims->back() != unknown && table->back() != unknown &&
      2 * table->back() > dims->back()) // C2
    return emitOpError() << "expects tables of at most " << dims->back() / 2 << " angles, got "
                         << table->back();
  if (failed(checkFlag(*this, "interleaved", getInterleaved()))) // C4
    return failure();
  return checkSameDims(*this, "a result", getY(), getX()); // C3
}

LogicalResult SdpaOp::verify() {
  for (auto [name, value] : {std::pair("q", getQ()), {"k", getK()}, {"v", getV()}})
    if (failed(checkRank(*this, name, value, 4))) // C1
      return failure();
  if (failed(checkFlag(*this, "causal", getCausal()))) // C6
    return failure();
  if (!(getSoftcap().convertToDouble() >= 0)) // C5
    return emitOpError() << "expects a softcap of at least 0";
  std::optional<Dims> q = dimsOf(getQ()), k = dimsOf(getK()), v = dimsOf(getV());
  if (!q || !k || !v)
    return success();
  int64_t heads = (*q)[1], kvHeads = (*k)[1];
  if (heads != unknown && kvHeads != unknown && (kvHeads < 1 || heads % kvHeads != 0)) // C2
    return emitOpError() << "expects query heads that are a multiple of " << kvHeads << ", got "
                         << heads;
  if (!agree((*q)[3], (*k)[3]) || !agree((*k)[2], (*v)[2]) || !agree((*k)[1], (*v)[1])) // C3
    return emitOpError() << "expects q, k and v that agree, got " << getQ().getType() << ", "
                         << getK().getType() << " and " << getV().getType();
  return checkDims(*this, "a result", getY(), Dims{(*q)[0], heads, (*q)[2], (*v)[3]}); // C4
}

LogicalResult RopeOp::verify() {
  const int64_t headDim = getHeadDim();
  std::optional<Dims> dims = dimsOf(getX());
  bool divides =
      headDim >= 1 &&
      (!dims || (!dims->empty() && (dims->back() == unknown || dims->back() % headDim == 0)));
  if (!divides) // C1
    return emitOpError() << "expects a last dimension that is a multiple of head_dim " << headDim
                         << ", got " << getX().getType();
  if (countOf(getInvFreq()).value_or(0) > headDim / 2) // C2
    return emitOpError() << "expects at most " << headDim / 2 << " frequencies, got "
                         << getInvFreq().getType();
  if (failed(checkFlag(*this, "interleaved", getInterleaved()))) // C4
    return failure();
  return checkSameDims(*this, "a result", getY(), getX()); // C3
}

LogicalResult AttentionOp::verify() {
  const int64_t heads = getNumHeads(), kvHeads = getKvHeads();
  const int64_t headDim = getHeadDim(), valueDim = getValueDim();
  if (kvHeads < 1 || heads < 1 || headDim < 1 || valueDim < 1 || heads % kvHeads != 0) // C1
    return emitOpError() << "expects num_heads to be a multiple of kv_heads, got " << heads
                         << " and " << kvHeads;
  std::optional<Dims> q = dimsOf(getQ());
  int64_t tokens = q && !q->empty() ? q->front() : unknown;
  if (failed(checkDims(*this, "q", getQ(), Dims{tokens, heads * headDim})) ||       // C2
      failed(checkDims(*this, "k", getK(), Dims{tokens, kvHeads * headDim})) ||     // C2
      failed(checkDims(*this, "v", getV(), Dims{tokens, kvHeads * valueDim})) ||    // C2
      failed(checkDims(*this, "a result", getY(), Dims{tokens, heads * valueDim}))) // C2
    return failure();
  if (static_cast<int64_t>(getWindow()) < 0 || static_cast<int64_t>(getCache()) < 0 ||
      !(getSoftcap().convertToDouble() >= 0)) // C3
    return emitOpError() << "expects window, softcap and cache of at least 0";
  return success();
}

LogicalResult SwigluOp::verify() {
  if (failed(checkSameDims(*this, "up", getUp(), getGate()))) // C1
    return failure();
  return checkSameDims(*this, "a result", getY(), getGate()); // C1
}

LogicalResult GegluOp::verify() {
  if (failed(checkSameDims(*this, "up", getUp(), getGate())) || // C1
      failed(checkSameDims(*this, "a result", getY(), getGate())))
    return failure();
  return checkWord(*this, "approximate", getApproximate(), {"none", "tanh"}); // C2
}

LogicalResult HadamardOp::verify() {
  const auto block = static_cast<int64_t>(getBlock());
  int64_t order = 1;
  if (getBase()) {
    if (failed(checkRank(*this, "a base", getBase(), 2))) // C1
      return failure();
    std::optional<Dims> base = dimsOf(getBase());
    if (base && (!agree(base->front(), base->back()) || llvm::is_contained(*base, 0))) // C1
      return emitOpError() << "expects a square base, got " << getBase().getType();
    order = base ? std::max(base->front(), base->back()) : unknown;
  }
  if (block < 1 ||
      (order != unknown && (block % order != 0 || !llvm::isPowerOf2_64(block / order)))) // C1
    return emitOpError() << "expects a block of " << (order == unknown ? 1 : order)
                         << " times a power of two, got " << block;
  std::optional<Dims> dims = dimsOf(getX());
  if (dims && (dims->empty() || (dims->back() != unknown && dims->back() % block != 0))) // C2
    return emitOpError() << "expects a last dimension that is a multiple of block " << block
                         << ", got " << getX().getType();
  return checkSameDims(*this, "a result", getY(), getX()); // C3
}
