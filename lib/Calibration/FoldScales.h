//===- FoldScales.h - Channel scales of groups, folded exactly --------------------------------===//
// What AWQ and SmoothQuant share: find what can take the inverse of a group's scales, measure the
// group's input in the float model, choose scales, and fold all of them when the sweep is over
// (until then it needs the graph as it is). How scales are chosen is the subclass's.
#ifndef QOPT_LIB_CALIBRATION_FOLDSCALES_H
#define QOPT_LIB_CALIBRATION_FOLDSCALES_H

#include "ForwardOps.h"
#include "GroupMoments.h"
#include "ScaleFold.h"

#include "qopt/Calibration/FoldAwqScales.h"
#include "qopt/Quantization/AWQ.h"

#include <chrono>

namespace qopt::calibration {

/// The group's weights as f32.
struct GroupWeights {
  std::vector<WeightMatrix> matrices;
  std::vector<quantization::WeightView> views;
};

class ScaleFolder : public SweepVisitor {
public:
  /// `category` of remarks; `count` of groups, for progress.
  ScaleFolder(const ScaleFoldOptions &options, GroupMoments::Kind kind, const char *category,
              int64_t count)
      : options(options), category(category), count(count),
        moments(kind, options.statistics.get()) {}

  bool wants(qir::LinearOp linear) override;
  qrt::Result<bool> begin(const LinearGroup &group, qrt::kernels::ThreadPool &pool) override;
  qrt::Status observe(const LinearGroup &group, const Rows &rows,
                      qrt::kernels::ThreadPool &pool) override;
  qrt::Status finish(LinearGroup &group, qrt::kernels::ThreadPool &pool) override;
  /// Folds what was chosen.
  void apply();

  std::vector<ScaleReport> reports;

protected:
  /// Why the group keeps its input, or "".
  virtual std::string refuse(const LinearGroup &group) const { return ""; }
  /// Scales [K], equal for channels that share a producer's; empty, with report.skipped set, for
  /// none. Fills the report's losses and exponent.
  virtual qrt::Result<std::vector<float>> choose(const LinearGroup &group, const ScaleFold &fold,
                                                 const Statistics::Moments &moments,
                                                 const GroupWeights &weights,
                                                 const quantization::ParallelFor &parallel,
                                                 ScaleReport &report) const = 0;

private:
  struct Decision {
    LinearGroup group;
    ScaleFold fold;
    std::vector<float> scales;
  };

  const ScaleFoldOptions &options;
  const char *category;
  int64_t count;
  std::chrono::steady_clock::time_point start;
  ScaleReport report;
  std::optional<ScaleFold> fold;
  GroupMoments moments;
  std::vector<Decision> decisions;
};

/// Channels that share a producer's channel get the geometric mean of their scales.
void tieScales(const ScaleFold &fold, std::vector<float> &scales);

/// One float sweep (none with statistics) with the folder, whose scales are then applied.
/// `makeFolder(count of groups)` makes it.
qrt::Result<std::vector<ScaleReport>>
foldScales(mlir::func::FuncOp function, const TokenTable &tokens, const ScaleFoldOptions &options,
           llvm::function_ref<std::unique_ptr<ScaleFolder>(int64_t)> makeFolder);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_FOLDSCALES_H
