//===- CalibrateActivations.cpp - Static scales of 8-bit activations --------------------------===//
#include "qopt/Calibration/CalibrateActivations.h"

#include "MemoryPlan.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"

#include "mlir/IR/Remarks.h"

#include <algorithm>
#include <map>

using namespace mlir;
using namespace qopt::quantization;
using qrt::Status;

namespace qopt::calibration {

std::optional<ActivationObserver> activationObserver(StringRef word) {
  for (auto observer :
       {ActivationObserver::AbsMax, ActivationObserver::Percentile, ActivationObserver::MeanSquare})
    if (activationObserverName(observer) == word)
      return observer;
  return std::nullopt;
}

StringRef activationObserverName(ActivationObserver observer) {
  return observer == ActivationObserver::AbsMax       ? "absmax"
         : observer == ActivationObserver::Percentile ? "percentile"
                                                      : "mse";
}

namespace {

class ActivationVisitor : public SweepVisitor {
public:
  explicit ActivationVisitor(ActivationObserver observer) : observer(observer) {}

  bool wants(qir::LinearOp linear) override {
    return qir::schemeOf(linear).isInt() && qir::schemeOf(linear).getActivationBits() == 8;
  }

  qrt::Result<bool> begin(const LinearGroup &group, qrt::kernels::ThreadPool &) override {
    histograms.clear();
    for (qir::LinearOp linear : group.linears) {
      const int64_t size = blockOf(linear);
      histograms.try_emplace(size, (group.features + size - 1) / size);
    }
    return true;
  }

  Status observe(const LinearGroup &, const Rows &rows, qrt::kernels::ThreadPool &pool) override {
    for (auto &[size, histogram] : histograms) {
      const int64_t blocks = (rows.width + size - 1) / size;
      pool.parallelFor(blocks, 1, [&, size = size](int64_t begin, int64_t end, int) {
        for (int64_t t = 0; t < rows.tokens; ++t) {
          if (rows.weights && !(rows.weights[t] > 0))
            continue;
          const float *x = rows.data + t * rows.width;
          for (int64_t block = begin; block < end; ++block)
            histogram.add(block, x + block * size, std::min(size, rows.width - block * size));
        }
      });
    }
    return Status::ok();
  }

  Status finish(LinearGroup &group, qrt::kernels::ThreadPool &) override {
    for (qir::LinearOp linear : group.linears) {
      const int64_t size = blockOf(linear), blocks = (group.features + size - 1) / size;
      const ActivationHistogram &histogram = histograms.at(size);
      std::vector<double> scales;
      double largest = 0, reach = 0, clamped = 0;
      for (int64_t block = 0; block < blocks; ++block) {
        if (!histogram.isFinite(block))
          return Status::error(qrt::StatusCode::BadCalibration, "input of '" +
                                                                    weightName(linear.getW()) +
                                                                    "': its values are not finite");
        const float scale = histogram.scale(block, observer);
        scales.push_back(scale);
        largest = std::max<double>(largest, histogram.maximum(block));
        reach = std::max<double>(reach, 127 * scale);
        clamped += histogram.clampedShare(block, scale) / double(blocks);
      }
      Builder builder(linear);
      linear->setAttr(qir::activationScalesAttr, builder.getDenseF64ArrayAttr(scales));
      remark::passed(linear.getW().getLoc(),
                     remark::RemarkOpts::name("scales").category("activations"))
          << remark::metric("observer", activationObserverName(observer))
          << remark::metric("largest", largest) << remark::metric("reach", reach)
          << remark::metric("clamped", clamped);
    }
    return Status::ok();
  }

private:
  static int64_t blockOf(qir::LinearOp linear) {
    const int64_t group = qir::schemeOf(linear).getGroupSize();
    return group ? group : 128;
  }

  ActivationObserver observer;
  std::map<int64_t, ActivationHistogram> histograms; ///< by block size
};

} // namespace

Status calibrateActivations(func::FuncOp function, const TokenTable &tokens,
                            const ActivationOptions &options) {
  if (tokens.tokens() == 0)
    return qrt::invalidArgument("static activation scales need --calib FILE: statistics have "
                                "moments, not how values are distributed");
  ActivationVisitor visitor(options.observer);
  QRT_ASSIGN_OR_RETURN(std::vector<LinearGroup> groups, linearGroups(function, visitor));
  if (groups.empty())
    return qrt::invalidArgument(
        "static activation scales have no effect: no linear has 8-bit activations");
  SweepOptions sweep = options.sweep;
  QRT_ASSIGN_OR_RETURN(int64_t bytes, activationBytes(groups, options.maxMemory));
  sweep.maxActivationBytes = std::min(sweep.maxActivationBytes, bytes);
  return runSweep(function, tokens, sweep, visitor);
}

} // namespace qopt::calibration
