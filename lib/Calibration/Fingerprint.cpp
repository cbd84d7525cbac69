//===- Fingerprint.cpp - Is this still the same model, are these the same tokens? -------------===//
#include "Fingerprint.h"

#include "qopt/Calibration/Sweep.h"
#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qopt/Support/WeightStore.h"

#include "Format/Checksum.h"

#include "llvm/ADT/StringExtras.h"

namespace qopt::calibration {

static std::string hex(const qrt::Checksum &sum) {
  return llvm::utohexstr(sum.digest(), /*LowerCase=*/true, 16);
}

std::string fingerprintWeights(mlir::func::FuncOp function) {
  qrt::Checksum sum;
  function.walk([&](qir::ConstantOp constant) {
    llvm::SmallVector<char> scratch;
    auto bytes = WeightStore::bytes(constant, scratch);
    if (mlir::succeeded(bytes))
      sum.update(bytes->data(), bytes->size());
  });
  return hex(sum);
}

std::string fingerprintGraph(mlir::func::FuncOp function, bool schemes) {
  qrt::Checksum sum;
  function.walk([&](mlir::Operation *op) {
    if (mlir::isa<qir::ConstantOp>(op))
      return;
    std::string text = op->getName().getStringRef().str();
    if (auto linear = mlir::dyn_cast<qir::LinearOp>(op))
      text += " " + weightName(linear.getW()) + (schemes ? " " + qir::schemeOf(op).toText() : "");
    if (const double share = schemes ? qir::outlierShare(op) : 0; share > 0)
      text += " " + std::to_string(share);
    sum.update(text.data(), text.size());
  });
  return hex(sum);
}

std::string fingerprintTokens(const TokenTable &tokens) {
  qrt::Checksum sum;
  sum.update(tokens.ids.data(), tokens.ids.size() * sizeof(int32_t));
  sum.update(tokens.weights.data(), tokens.weights.size() * sizeof(float));
  sum.update(tokens.sequences.data(), tokens.sequences.size() * sizeof(TokenTable::Sequence));
  return hex(sum);
}

} // namespace qopt::calibration
