//===- Pipelines.h - The stages as pass pipelines ---------------------------------------------===//
// One builder per stage, registered under its name (qopt-raise, ...) for qopt-opt. Options are
// plain structs; nothing reads global state.
#ifndef QOPT_PIPELINES_PIPELINES_H
#define QOPT_PIPELINES_PIPELINES_H

#include "qopt/Calibration/Passes.h"

#include "qrt/KvSpec.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"

#include <string>
#include <vector>

namespace qopt {

/// What is rotated before quantization; a part that cannot be is an error that names the op.
struct RotationOptions {
  bool residual = false; ///< the residual stream, norms folded before
  bool values = false;   ///< values and attention outputs, per head
  bool down = false;     ///< inputs of down-projections, by an instruction at run time
  uint64_t seed = 1;     ///< of the random signs; 0: none

  bool any() const { return residual || values || down; }
};

/// What the user wants the weights to become.
struct SchemeOptions {
  /// Scheme text for all linears ("w4a16-g128-sym", "f16" ...); empty: as the source has them.
  std::string scheme;
  std::string headScheme;              ///< --lm-head-type; empty: by the rule of qir-assign-scheme
  std::string embedScheme;             ///< --embed-type; likewise
  std::vector<std::string> keepFp16;   ///< regexes of weight names
  std::vector<std::string> ignore;     ///< names, or re:REGEX: left as the source has them
  std::vector<std::string> tensorType; ///< REGEX=SCHEME, first match wins
  bool mse = false;                    ///< search the scale that minimises the squared error
  bool fallbackGroup = false;          ///< a smaller group where that of `scheme` does not divide
  double outliers = 0;                 ///< share of each calibrated weight that stays f16
  bool alternates = false;             ///< the second weight set holds every quantized linear
  /// rtn, hqq, or one that needs a CalibrationStage: scale, gptq, awq, awq+gptq, smooth,
  /// smooth+gptq.
  std::string algorithm = "rtn";
  /// A textual pipeline of passes on functions, checked by whoever sets it; they run before weights
  /// are rounded, and what they quantize stays (docs/add-a-pass.md).
  std::string quantizePasses;
  RotationOptions rotation;
  qrt::KvSpec kv; ///< what the runtime's caches store unless it is told otherwise

  bool calibrates() const { return algorithm != "rtn" && algorithm != "hqq"; }
};

void buildRaisePipeline(mlir::OpPassManager &pm);
void buildTransformPipeline(mlir::OpPassManager &pm, const RotationOptions &rotation = {});
/// With a stage that asks for it, precisions are then mixed.
void buildAssignPipeline(mlir::OpPassManager &pm, const SchemeOptions &options,
                         std::shared_ptr<calibration::CalibrationStage> stage = nullptr);
/// With a stage and an algorithm that needs it, linears are quantized by a sweep, everything else
/// before that.
void buildQuantizePipeline(mlir::OpPassManager &pm, const SchemeOptions &options,
                           std::shared_ptr<calibration::CalibrationStage> stage = nullptr);
void buildLowerPipeline(mlir::OpPassManager &pm);

/// All dialects, passes and pipelines of the project.
void registerDialects(mlir::DialectRegistry &registry);
void registerPassesAndPipelines();

} // namespace qopt

#endif // QOPT_PIPELINES_PIPELINES_H
