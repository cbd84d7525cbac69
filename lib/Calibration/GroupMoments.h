//===- GroupMoments.h - Moments of a group's input, accumulated or known ----------------------===//
// The one way in which visitors come to the moments of the group that the sweep is at: from the
// rows that they are shown, or from statistics, in which case no rows are needed.
#ifndef QOPT_LIB_CALIBRATION_GROUPMOMENTS_H
#define QOPT_LIB_CALIBRATION_GROUPMOMENTS_H

#include "ChannelMoments.h"
#include "HessianRows.h"
#include "Lend.h"

#include "qopt/Calibration/Statistics.h"

namespace qopt::calibration {

class GroupMoments {
public:
  /// HessianAlone: meanAbs and maxAbs are not needed.
  enum class Kind { Hessian, HessianAlone, Channels };

  /// `statistics` may be null and outlives this.
  GroupMoments(Kind kind, const Statistics *statistics,
               quantization::MomentPrecision precision = quantization::MomentPrecision::Float32)
      : kind(kind), statistics(statistics), precision(precision) {}

  /// Must rows be shown?
  bool begin(const LinearGroup &group, qrt::kernels::ThreadPool &pool) {
    reset();
    if (statistics)
      return false;
    if (kind != Kind::Channels)
      hessian = makeHessian(group, pool, precision, kind == Kind::Hessian);
    else
      channels = std::make_unique<ChannelMoments>(group.features);
    return true;
  }

  void add(const Rows &rows, qrt::kernels::ThreadPool &pool) {
    if (hessian)
      addRows(*hessian, rows);
    else
      channels->add(rows, pool);
  }

  /// `hessian` [K, K] if the kind has one, mean |x|, max |x|; mean x^2 without a Hessian. Lets the
  /// accumulators go. BadCalibration for values that are not finite.
  qrt::Result<Statistics::Moments> finish(const LinearGroup &group) {
    if (statistics) {
      count = statistics->tokens();
      return statistics->of(group, kind != Kind::Channels);
    }
    Statistics::Moments moments;
    bool finite = false;
    if (hessian) {
      count = hessian->tokens();
      moments.hessian.resize(group.features * group.features);
      finite = hessian->finish(moments.hessian);
      quantization::ChannelStatistics seen = hessian->channels();
      moments.meanAbs = std::move(seen.meanAbs);
      moments.maxAbs = std::move(seen.maxAbs);
    } else if (channels) {
      count = channels->tokens();
      finite = channels->finish(moments.meanSquares, &moments.meanAbs, &moments.maxAbs);
    }
    reset();
    if (group.products && !group.products->status())
      return group.products->status();
    if (!finite)
      return qrt::Status::error(qrt::StatusCode::BadCalibration,
                                "its values are not finite, or no token has a weight");
    return moments;
  }

  /// Tokens with a weight above 0, after finish().
  int64_t tokens() const { return count; }

private:
  void reset() {
    hessian.reset();
    channels.reset();
  }

  Kind kind;
  const Statistics *statistics;
  quantization::MomentPrecision precision;
  int64_t count = 0;
  std::unique_ptr<quantization::HessianAccumulator> hessian;
  std::unique_ptr<ChannelMoments> channels;
};

/// A sweep, or with statistics only its groups, one after another: no token is run.
qrt::Status runVisitor(mlir::func::FuncOp function, const TokenTable &tokens,
                       const SweepOptions &options, SweepVisitor &visitor,
                       const Statistics *statistics);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_GROUPMOMENTS_H
