//===- Passes.h - Passes that run calibration tokens ------------------------------------------===//
// Each takes its options as text in qopt-opt; a driver makes them from one CalibrationStage, which
// also carries callbacks and takes what the passes have to say.
#ifndef QOPT_CALIBRATION_PASSES_H
#define QOPT_CALIBRATION_PASSES_H

#include "qopt/Calibration/CalibrateActivations.h"
#include "qopt/Calibration/CalibrationData.h"
#include "qopt/Calibration/FoldSmoothScales.h"
#include "qopt/Calibration/Gate.h"
#include "qopt/Calibration/MixedPrecision.h"
#include "qopt/Calibration/QuantizeCalibrated.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace qopt::calibration {

#define GEN_PASS_DECL
#include "qopt/Calibration/Passes.h.inc"

struct CalibrationStage {
  CalibrationOptions data; ///< `vocabulary` is set by the pass
  TextEncoder encoder;
  TokenWeights tokenWeights;
  SelfTraces self;
  /// Writes the traces of `self`; set by the driver that can run the model.
  std::function<qrt::Result<TokenTable>(const TokenTable &prompts)> writeTraces;
  bool quantizesLinears = true; ///< in a sweep; false: something else rounds them
  CalibratedOptions quantizer;
  bool foldAwq = false; ///< fold AWQ scales before the quantizer runs
  AwqFoldOptions awq;
  bool foldSmooth = false; ///< fold SmoothQuant's scales before weights are quantized
  SmoothFoldOptions smooth;
  std::optional<ActivationOptions> activations; ///< fix scales of 8-bit activations; null: dynamic
  MixedOptions mixed;
  /// Moments of the float model, instead of those behind quantized layers: from this file if it is
  /// there, else measured and written to it ("": to a temporary one).
  bool floatMoments = false;
  std::string statisticsFile;
  qrt::QualityGate gate;      ///< checked by the driver
  bool deriveMarkers = false; ///< by the driver

  // Results.
  std::shared_ptr<Statistics> statistics; ///< with floatMoments, once a pass has run
  qrt::Status status;                     ///< why the pass failed; its code is an exit code
  std::vector<LinearReport> linears;
  std::vector<ScaleReport> awqGroups, smoothGroups;
  MixedReport mix;
  std::optional<GateMeasure> gateMeasure;
  int64_t sequences = 0, tokens = 0;
  TokenWeightCounts weightCounts;
  std::optional<TokenTable> table; ///< the tokens, once they are read

  bool quantizes(Algorithm algorithm) const {
    return quantizesLinears && quantizer.algorithm == algorithm;
  }
  /// Does qir-quantize-calibrated run, if an algorithm calibrates or not? Round to nearest does
  /// when outliers are to be chosen.
  bool runsQuantizer(bool calibrates) const {
    return quantizesLinears && (calibrates || quantizer.algorithm == Algorithm::Rtn);
  }
  /// Are there moments that no tokens need be run for?
  bool statisticsKnown() const;
  /// Are there tokens to be read or written?
  bool hasData() const { return !data.file.empty() || !self.prompts.empty() || table; }
  /// The tokens of `data` (or `self`) for this function, with their weights. Read once: the first
  /// call is to come while the function is the float model.
  qrt::Result<TokenTable> read(mlir::func::FuncOp function);
};

std::unique_ptr<mlir::Pass> createCollectStatistics(std::shared_ptr<CalibrationStage> stage);
std::unique_ptr<mlir::Pass> createAssignMixed(std::shared_ptr<CalibrationStage> stage);
std::unique_ptr<mlir::Pass> createFoldAwqScales(std::shared_ptr<CalibrationStage> stage);
std::unique_ptr<mlir::Pass> createFoldSmoothScales(std::shared_ptr<CalibrationStage> stage);
std::unique_ptr<mlir::Pass> createCalibrateActivations(std::shared_ptr<CalibrationStage> stage);
std::unique_ptr<mlir::Pass> createQuantizeCalibrated(std::shared_ptr<CalibrationStage> stage);

#define GEN_PASS_REGISTRATION
#include "qopt/Calibration/Passes.h.inc"

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_PASSES_H
