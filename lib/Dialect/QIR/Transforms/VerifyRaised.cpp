//===- VerifyRaised.cpp - Compares a raised graph with the imported one -----------------------===//
#include "qopt/Dialect/QIR/Transforms/VerifyRaised.h"

#include "qopt/Interpreter/OpEvaluation.h"

#include "ProbeRuns.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

using namespace mlir;
using namespace qopt::qir;
using namespace qopt::interpreter;
using namespace qopt::qir::raise;
using qrt::DType;
using qrt::tensor::Tensor;

namespace {

/// Evaluates a function op by op and frees what is not used again.
class Evaluation {
public:
  explicit Evaluation(func::FuncOp function) : function(function) {
    for (Operation &op : function.getBody().front()) {
      op.walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          lastUse[operand] = &op;
      });
    }
  }

  LogicalResult run(ArrayRef<Tensor> arguments, std::vector<Tensor> &results, std::string &why) {
    TensorMap values;
    for (auto [argument, tensor] : llvm::zip(function.getArguments(), arguments))
      values[argument] = tensor;
    for (Operation &op : function.getBody().front().without_terminator()) {
      if (failed(evaluateOp(&op, values, why))) {
        why = "'" + op.getName().getStringRef().str() + "': " + why;
        return failure();
      }
      for (Value operand : op.getOperands())
        if (lastUse[operand] == &op)
          values.erase(operand);
    }
    for (Value operand : function.getBody().front().getTerminator()->getOperands()) {
      results.push_back(values[operand]);
      if (!results.back().data) {
        why = "a result was not evaluated";
        return failure();
      }
    }
    return success();
  }

private:
  func::FuncOp function;
  llvm::DenseMap<Value, Operation *> lastUse;
};

int64_t elementsOf(const Tensor &tensor) {
  int64_t count = 1;
  for (int64_t size : tensor.shape)
    count *= size;
  return count;
}

/// The narrowest float that the imported graph computes in, as a part of the logit range.
double toleranceOf(func::FuncOp function) {
  double tolerance = 1e-3;
  auto widen = [&](Type type) {
    auto tensor = dyn_cast<TensorType>(type);
    if (!tensor)
      return;
    if (tensor.getElementType().isF16())
      tolerance = std::max(tolerance, 3e-2);
    if (tensor.getElementType().isBF16())
      tolerance = std::max(tolerance, 2e-1);
  };
  function.walk([&](Operation *op) {
    if (!isa<ConstantOp>(op))
      for (Type type : op->getResultTypes())
        widen(type);
  });
  return tolerance;
}

/// Rows of the embedding table: ids are drawn below it.
int64_t vocabularyOf(func::FuncOp raised) {
  int64_t rows = 0;
  raised.walk([&](Operation *op) {
    Value ids = isa<EmbeddingOp>(op)            ? cast<EmbeddingOp>(op).getIds()
                : isa<QuantizedEmbeddingOp>(op) ? cast<QuantizedEmbeddingOp>(op).getIds()
                                                : Value();
    if (ids && ids == raised.getArgument(0))
      rows = cast<RankedTensorType>(op->getOperand(0).getType()).getDimSize(0);
  });
  return rows;
}

/// Which result continues which past argument.
std::vector<int> presentOf(func::FuncOp imported) {
  std::vector<int> result(imported.getNumArguments(), -1);
  for (unsigned a = 0; a < imported.getNumArguments(); ++a) {
    auto past = imported.getArgAttrOfType<StringAttr>(a, "qir.name");
    for (unsigned r = 0; past && r < imported.getNumResults(); ++r) {
      auto name = imported.getResultAttrOfType<StringAttr>(r, "qir.name");
      if (roleOf(imported, a) == ArgumentRole::PastState && name && r > 0 &&
          cacheIdentity(name.getValue()) == cacheIdentity(past.getValue()))
        result[a] = static_cast<int>(r);
    }
  }
  return result;
}

} // namespace

LogicalResult qopt::qir::verifyRaised(ModuleOp importedModule, ModuleOp raisedModule,
                                      const VerifyRaisedOptions &options,
                                      VerifyRaisedResult &result) {
  auto imported = importedModule.lookupSymbol<func::FuncOp>("main");
  auto raised = raisedModule.lookupSymbol<func::FuncOp>("main");
  if (!imported || !raised || !raised->hasAttr("qir.token_major")) {
    result.text = "not compared: the graph was not raised";
    return success();
  }
  auto refuse = [&](const std::string &text) {
    result.text = text;
    return failure();
  };
  int64_t vocabulary = vocabularyOf(raised);
  if (vocabulary <= 0)
    return refuse("the raised graph has no embedding of its ids");
  std::mt19937 random(options.seed);
  std::vector<int64_t> ids, positions;
  for (int64_t i = 0; i < options.tokens; ++i) {
    ids.push_back(random() % vocabulary);
    positions.push_back(i);
  }
  std::string why;
  std::vector<Tensor> raisedResults;
  if (failed(Evaluation(raised).run({integerTensor(DType::I32, {options.tokens}, ids),
                                     integerTensor(DType::I32, {options.tokens}, positions)},
                                    raisedResults, why)))
    return refuse("the raised graph could not be evaluated: " + why);
  int64_t width = raisedResults[0].shape.back();

  std::optional<int64_t> headDim;
  raised.walk([&](AttentionOp op) { headDim = op.getHeadDim(); });
  std::vector<int> presents = presentOf(imported);
  bool hasPast = llvm::any_of(presents, [](int present) { return present >= 0; });
  Evaluation importedEvaluation(imported);
  std::vector<Tensor> outputs;
  double low = INFINITY, high = -INFINITY;
  auto runPiece = [&](int64_t begin, int64_t end, bool continued) -> LogicalResult {
    Sizing sizing{1, end - begin, begin};
    std::vector<Tensor> arguments;
    for (unsigned a = 0; a < imported.getNumArguments(); ++a) {
      std::optional<Tensor> value;
      if (roleOf(imported, a) == ArgumentRole::PastState) {
        if (continued && presents[a] < 0)
          return refuse("a cache has no result that continues it");
        value = continued ? outputs[presents[a]] : emptyPast(imported, a, headDim.value_or(1));
      } else {
        value = argumentTensor(imported, a, sizing, ArrayRef(ids).slice(begin, end - begin));
      }
      if (!value)
        return refuse("input " + std::to_string(a) + " has no known meaning");
      arguments.push_back(std::move(*value));
    }
    std::vector<Tensor> next;
    if (failed(importedEvaluation.run(arguments, next, why)))
      return refuse("the imported graph could not be evaluated: " + why);
    outputs = std::move(next);
    int64_t rows = elementsOf(outputs[0]) / width;
    if (outputs[0].shape.back() != width || rows < 1 || rows > end - begin)
      return refuse("the logits have another width than before raising");
    for (int64_t row = 0; row < rows; ++row) // pruned logits are those of the last tokens
      for (int64_t i = 0; i < width; ++i) {
        double want = elementAt(outputs[0], row * width + i);
        double got = elementAt(raisedResults[0], (end - rows + row) * width + i);
        low = std::min(low, want);
        high = std::max(high, want);
        double error = std::abs(want - got);
        result.maxError = std::isfinite(error) ? std::max(result.maxError, error) : INFINITY;
      }
    return success();
  };
  if (failed(runPiece(0, options.tokens, false)))
    return failure();
  if (hasPast && options.firstPiece > 0 && options.firstPiece < options.tokens) {
    if (failed(runPiece(0, options.firstPiece, false)))
      return failure();
    // Graphs that take one token at a time behind a cache get it so.
    if (failed(runPiece(options.firstPiece, options.tokens, true))) {
      for (int64_t token = options.firstPiece; token < options.tokens; ++token)
        if (failed(runPiece(token, token + 1, true)))
          return failure();
      result.text.clear();
    }
  }

  result.compared = true;
  result.logitRange = high - low;
  result.tolerance = options.tolerance > 0 ? options.tolerance : toleranceOf(imported);
  llvm::raw_string_ostream text(result.text);
  text << "raised and imported logits differ by at most " << llvm::format("%.3g", result.maxError)
       << " of a range of " << llvm::format("%.3g", result.logitRange) << " over " << options.tokens
       << " tokens" << (hasPast ? ", in one piece and in two" : "");
  return success(result.maxError <= result.tolerance * result.logitRange);
}
