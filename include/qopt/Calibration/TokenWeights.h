//===- TokenWeights.h - Positions that count more in calibration ------------------------------===//
// Where a reasoning model breaks under quantization are few positions: those at which it decides to
// doubt ("Wait"), those at which it is unsure, and the one at which it stops thinking.
// --calib-weights lets them count more in every statistic. A position is judged by what comes
// behind it: its output decides the next token. Factors multiply, also with those of a mask.
#ifndef QOPT_CALIBRATION_TOKENWEIGHTS_H
#define QOPT_CALIBRATION_TOKENWEIGHTS_H

#include "qopt/Calibration/Sweep.h"

#include <string>
#include <vector>

namespace qopt::calibration {

struct TokenWeights {
  double marker = 1;        ///< the next token is a marker
  double endOfThink = 1;    ///< the next token closes the thinking
  double entropy = 1;       ///< the next token's entropy is among the highest
  double entropyPart = 0.2; ///< "among the highest": this part of all positions

  /// "marker=2,entropy=1.5,end-of-think=4"; factors above 0 and at most 1000. InvalidArgument.
  static qrt::Result<TokenWeights> parse(const std::string &text);
  /// What parse() reads; "" if nothing counts more.
  std::string text() const;
  bool isSet() const { return marker != 1 || endOfThink != 1 || entropy != 1; }
};

/// Ids of a model that mean something.
struct TokenClasses {
  std::vector<int32_t> markers;
  std::vector<int32_t> endOfThink; ///< empty: the model does not think, or its tag is no one token
};

struct TokenWeightCounts {
  int64_t markers = 0, endOfThink = 0, entropy = 0; ///< positions
};

/// Entropies in nats of the next token behind every token, from one run of the whole graph.
/// Errors: those of runSweep().
qrt::Result<std::vector<float>> nextTokenEntropies(mlir::func::FuncOp function,
                                                   const TokenTable &tokens,
                                                   const SweepOptions &options);

/// Multiplies the table's weights. `function` runs if `entropy` counts. BadCalibration for a class
/// that has a factor and no position.
qrt::Result<TokenWeightCounts> weighTokens(TokenTable &tokens, const TokenWeights &weights,
                                           const TokenClasses &classes, mlir::func::FuncOp function,
                                           const SweepOptions &options);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_TOKENWEIGHTS_H
