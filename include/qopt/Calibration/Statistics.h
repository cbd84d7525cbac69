//===- Statistics.h - Moments of activations, kept in a file ----------------------------------===//
// What --stats saves: for every input that float linears share, the moments of its rows over the
// calibration tokens, measured in the *float* model. They do not depend on schemes, bits or
// algorithm, so one file serves any number of compilations of the same model on the same tokens,
// without running the tokens again. (A sweep without statistics lets each layer see the outputs of
// quantized ones; from statistics each layer is quantized as if the others were not.)
//
// File: a line of JSON, arrays of little-endian f32 in the order of `groups`, XXH64 of all that.
//   {"qopt_statistics": 1, "hessians": bool, "fingerprint": {...}, "tokens": N,
//    "groups": [{"weights": [names], "features": K}, ...]}
//   per group: mean |x|, max |x|, mean x^2 [K each]; with Hessians the lower triangle of
//   mean x x^T, row by row [K (K + 1) / 2]
// Thread safety: reading is free; divide() is not.
#ifndef QOPT_CALIBRATION_STATISTICS_H
#define QOPT_CALIBRATION_STATISTICS_H

#include "qopt/Calibration/Sweep.h"

#include "Support/MappedFile.h"

#include <map>
#include <memory>
#include <span>

namespace qopt::calibration {

class Statistics {
public:
  /// Moments of one input. Valid while the Statistics live.
  struct Moments {
    std::vector<float> meanAbs, maxAbs, meanSquares; ///< [features]
    std::vector<float> hessian; ///< [features, features]; empty unless asked for
  };

  /// Opens `file`. ResumeMismatch names what differs: another model, other tokens (unless `tokens`
  /// has none, when only the model is compared), or no Hessians where they are `needed`;
  /// BadCalibration for files that are damaged or none of ours; CannotRead.
  static qrt::Result<std::shared_ptr<Statistics>> open(const std::string &file,
                                                       mlir::func::FuncOp function,
                                                       const TokenTable &tokens,
                                                       bool hessiansNeeded);
  /// Runs one float sweep and writes `file`, complete or not at all. `function` has no quantized
  /// ops yet. Errors: those of runSweep() and of writing.
  static qrt::Status measure(const std::string &file, mlir::func::FuncOp function,
                             const TokenTable &tokens, const SweepOptions &options,
                             int64_t maxMemory, bool hessians);

  int64_t tokens() const { return tokenCount; }
  int64_t groups() const { return static_cast<int64_t>(places.size()); }

  /// Moments of the input of a group's linears. ResumeMismatch if they are not there.
  qrt::Result<Moments> of(const LinearGroup &group, bool hessian) const;
  /// The group's input has since been divided by s [features]; exact for all moments.
  void divide(const LinearGroup &group, std::span<const float> s);

private:
  struct Place {
    int64_t features = 0;
    size_t offset = 0; ///< of mean |x|
    std::vector<double> divisors;
  };
  qrt::Result<const Place *> find(const LinearGroup &group) const;

  qrt::MappedFile file;
  bool hasHessians = false;
  int64_t tokenCount = 0;
  std::vector<Place> places;
  std::map<std::string, size_t> byWeight;
};

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_STATISTICS_H
