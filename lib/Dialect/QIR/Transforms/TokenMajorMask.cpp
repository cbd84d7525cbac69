//===- TokenMajorMask.cpp - Masks of attention scores, evaluated and classified --------------===//
#include "TokenMajorBuilder.h"

#include <cmath>

using namespace mlir;

namespace qopt::qir::raise {

/// Values that hide a key: -inf, the smallest number of a type, and what converters clamp it to.
static bool isHidden(double value) { return value <= -9999; }

LogicalResult TokenMajorBuilder::addMask(Operation *op, Scores &scores, const Layout &layout,
                                         Value mask, bool invert) {
  std::string key = std::to_string(reinterpret_cast<uintptr_t>(mask.getAsOpaquePointer())) +
                    (invert ? "!" : "") + layout.key();
  auto &memo = maskMemo_[key];
  if (memo) {
    scores.masks.push_back(memo);
    return success();
  }
  auto tables = std::make_shared<std::vector<std::vector<uint8_t>>>();
  for (size_t run = 0; run < runs_.runs().size(); ++run) {
    const qrt::tensor::Tensor *tensor = runs_.data(run, mask);
    if (!tensor || tensor->shape.size() > layout.rank())
      return fail(op, "adds something to the scores that could not be evaluated");
    const Sizing &sizing = runs_.runs()[run].sizing;
    int64_t keys = sizing.past + sizing.fresh;
    std::vector<uint8_t> visible(sizing.fresh * keys, 2);
    // Odometer over all dimensions of the mask itself; every factor knows its token or key.
    llvm::SmallVector<int64_t, 5> strides(layout.rank(), 0);
    int64_t stride = 1;
    for (size_t i = 0; i < tensor->shape.size(); ++i) {
      size_t dim = layout.rank() - 1 - i, from = tensor->shape.size() - 1 - i;
      int64_t size = tensor->shape[from], want = layout.sizeAt(dim, sizing);
      if (size != 1 && size != want)
        return fail(op, "adds a mask of another shape than the scores");
      strides[dim] = size == 1 ? 0 : stride;
      stride *= size;
    }
    struct Factor {
      AtomKind kind;
      int64_t size, stride;
    };
    llvm::SmallVector<Factor, 6> factors;
    for (size_t dim = 0; dim < layout.rank(); ++dim) {
      int64_t inner = layout.sizeAt(dim, sizing);
      for (const Atom &atom : layout.dims[dim]) {
        int64_t size = atom.sizeAt(sizing);
        inner /= size;
        if (strides[dim] != 0 || atom.kind == AtomKind::Fresh || atom.kind == AtomKind::Keys)
          factors.push_back({atom.kind, size, strides[dim] * inner});
      }
    }
    llvm::SmallVector<int64_t, 6> index(factors.size(), 0);
    int64_t offset = 0, token = 0, position = 0;
    for (bool more = true; more;) {
      double value = elementAt(*tensor, offset);
      uint8_t shown;
      if (tensor->dtype == qrt::DType::Bool)
        shown = (value != 0) != invert;
      else if (isHidden(value))
        shown = 0;
      else if (std::abs(value) < 1e-6)
        shown = 1;
      else
        return fail(op, "adds a bias to the scores that is neither 0 nor a mask");
      uint8_t &cell = visible[token * keys + position];
      if (cell != 2 && cell != shown)
        return fail(op, "adds a mask that differs between heads or sequences");
      cell = shown;
      more = false;
      for (size_t i = factors.size(); i-- > 0;) {
        ++index[i];
        offset += factors[i].stride;
        token += factors[i].kind == AtomKind::Fresh;
        position += factors[i].kind == AtomKind::Keys;
        if (index[i] < factors[i].size) {
          more = true;
          break;
        }
        offset -= index[i] * factors[i].stride;
        token -= factors[i].kind == AtomKind::Fresh ? index[i] : 0;
        position -= factors[i].kind == AtomKind::Keys ? index[i] : 0;
        index[i] = 0;
      }
    }
    tables->push_back(std::move(visible));
  }
  memo = tables;
  scores.masks.push_back(memo);
  return success();
}

LogicalResult TokenMajorBuilder::classifyMask(Operation *op, const Scores &scores,
                                              int64_t &window) {
  window = 0;
  bool limited = false;                // some run hides old keys
  for (int pass = 0; pass < 2; ++pass) // first find the window, then check every cell
    for (size_t run = 0; run < runs_.runs().size(); ++run) {
      const Sizing &sizing = runs_.runs()[run].sizing;
      int64_t keys = sizing.past + sizing.fresh;
      for (int64_t i = 0; i < sizing.fresh; ++i) {
        int64_t count = 0, position = sizing.past + i;
        for (int64_t j = 0; j < keys; ++j) {
          bool shown = !scores.causal || j <= position;
          for (const auto &mask : scores.masks)
            shown = shown && (*mask)[run][i * keys + j] != 0;
          bool want = j <= position && (window == 0 || j > position - window);
          if (pass == 1 && shown != want)
            return fail(op, "has a mask that is neither causal nor a causal window (token " +
                                std::to_string(position) + ", key " + std::to_string(j) +
                                (shown ? " visible)" : " hidden)"));
          count += shown;
        }
        if (pass == 0 && count < position + 1) {
          if (limited && count != window)
            return fail(op, "has a mask that is neither causal nor a causal window");
          limited = true;
          window = count;
        }
      }
    }
  if (limited && window == 0)
    return fail(op, "has a mask that hides all keys of a token");
  return success();
}

LogicalResult TokenMajorBuilder::convertWhere(WhereOp op) {
  const TokenValue *condition = find(op.getCondition()), *a = find(op.getA()), *b = find(op.getB());
  const TokenValue *token = a ? a : b;
  Value other = a ? op.getB() : op.getA();
  if (!token || (a && b))
    return fail(op, "chooses between token data");
  TokenValue x = *token;
  FailureOr<std::vector<float>> row = featureRow(x, other);
  if (failed(row) || row->size() != 1)
    return fail(op, "chooses between token data and a table");
  double value = (*row)[0];
  // Rows without any visible key: zeros by definition of qir.attention.
  if (condition) {
    if (condition->kind != Kind::NanTest || x.kind != Kind::Probabilities || a || value != 0)
      return fail(op, "chooses by token data");
    set(op.getY(), std::move(x));
    return success();
  }
  if (x.kind == Kind::Scores && isHidden(value) && x.scores->pendingTanh == 0) {
    auto scores = std::make_shared<Scores>(*x.scores);
    if (failed(addMask(op, *scores, x.layout, op.getCondition(), /*invert=*/!a)))
      return failure();
    x.scores = std::move(scores);
    set(op.getY(), std::move(x));
    return success();
  }
  if (x.kind == Kind::Probabilities && value == 0) {
    // Zeroing of masked probabilities or of padded rows: nothing new where it hides masked keys.
    auto scores = std::make_shared<Scores>(*x.scores);
    if (failed(addMask(op, *scores, x.layout, op.getCondition(), /*invert=*/!a)))
      return failure();
    for (size_t run = 0; run < runs_.runs().size(); ++run)
      for (size_t cell = 0; cell < (*scores->masks.back())[run].size(); ++cell) {
        bool shown = true;
        for (const auto &mask : x.scores->masks)
          shown = shown && (*mask)[run][cell] != 0;
        if (shown && !(*scores->masks.back())[run][cell])
          return fail(op, "drops probabilities of visible keys");
      }
    set(op.getY(), std::move(x));
    return success();
  }
  // A choice that always keeps the token data when nothing is padded.
  for (size_t run = 0; run < runs_.runs().size(); ++run) {
    const qrt::tensor::Tensor *tensor = runs_.data(run, op.getCondition());
    int64_t elements = 1;
    for (int64_t size : tensor ? ArrayRef<int64_t>(tensor->shape) : ArrayRef<int64_t>())
      elements *= size;
    for (int64_t i = 0; i < elements; ++i)
      if (!tensor || (elementAt(*tensor, i) != 0) != (a != nullptr))
        return fail(op, "replaces token data by a constant");
  }
  if (!sameShape(op.getY(), a ? op.getA() : op.getB()))
    return fail(op, "broadcasts token data");
  set(op.getY(), std::move(x));
  return success();
}

} // namespace qopt::qir::raise
