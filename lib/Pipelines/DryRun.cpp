//===- DryRun.cpp - What a compilation would make and take -----------------------------------===//
// Everything up to the schemes is done as always; then the codes are placeholders.
#include "DiagnosticCollector.h"

#include "qopt/Calibration/WorkEstimate.h"
#include "qopt/Dialect/QExec/IR/QExecDialect.h"
#include "qopt/Dialect/QIR/Transforms/PlaceholderCodes.h"
#include "qopt/Pipelines/Compiler.h"
#include "qopt/Support/SpillPolicy.h"
#include "qopt/Target/QMod.h"

#include "Support/Memory.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using qrt::Status;
using qrt::StatusCode;

namespace qopt {

/// Can a file of this size be written there? Nothing is touched.
static Status checkOutput(const std::string &output, int64_t bytes) {
  if (output.empty())
    return Status::ok();
  llvm::SmallString<128> folder(llvm::sys::path::parent_path(output));
  if (folder.empty())
    folder = ".";
  const std::string what = "'" + output + "': ";
  if (llvm::sys::fs::is_directory(output))
    return qrt::cannotWrite(what + "is a folder");
  if (!llvm::sys::fs::is_directory(folder))
    return qrt::cannotWrite(what + "the folder does not exist");
  if (!llvm::sys::fs::can_write(folder))
    return qrt::cannotWrite(what + "no permission to write into the folder");
  llvm::ErrorOr<llvm::sys::fs::space_info> space = llvm::sys::fs::disk_space(folder);
  if (space && static_cast<uint64_t>(bytes) > space->available)
    return qrt::cannotWrite(what + "needs " + qrt::formatBytes(bytes) + ", the disk has " +
                            qrt::formatBytes(static_cast<int64_t>(space->available)) + " free");
  return Status::ok();
}

Status Compiler::assignForPlan(CompilePlan &plan) {
  calibration::CalibrationStage *stage = options.calibration.get();
  const bool mixes = stage && stage->mixed.enabled();
  QRT_RETURN_IF_ERROR(runStage(
      Stage::Assign, [&](OpPassManager &pm) { buildAssignPipeline(pm, options.scheme); },
      StatusCode::InvalidArgument));
  if (!mixes)
    return Status::ok();
  QRT_ASSIGN_OR_RETURN(func::FuncOp function, mainFunction());
  calibration::MixedOptions mixed = stage->mixed;
  plan.mixAssumed = mixed.assumeScores =
      mixed.scoresFile.empty() || !llvm::sys::fs::exists(mixed.scoresFile);
  return calibration::assignMixed(function, {}, mixed).status();
}

/// Codes live until they are written, one byte each; one matrix at a time is packed.
static int64_t codeBytes(const std::vector<qrt::TensorEntry> &tensors, int64_t &largest) {
  int64_t codes = 0;
  for (const qrt::TensorEntry &tensor : tensors) {
    largest = std::max(largest, static_cast<int64_t>(tensor.dataBytes));
    if (tensor.packed && tensor.scalesBytes)
      codes += tensor.weight.n * tensor.weight.k +
               static_cast<int64_t>(tensor.scalesBytes + tensor.zeroPointsBytes);
  }
  return codes;
}

static calibration::TokenTable longestTraces(const calibration::TokenTable &prompts,
                                             const calibration::CalibrationStage &stage) {
  calibration::TokenTable table;
  for (const calibration::TokenTable::Sequence &prompt : prompts.sequences)
    table.append(std::vector<int32_t>(
        std::min(prompt.tokens + stage.self.tokens, std::max(prompt.tokens, stage.data.length))));
  return table;
}

void Compiler::estimateCost(CompilePlan &plan, const calibration::SweepWork &work) {
  int64_t largest = 0;
  const int64_t own = qrt::residentMemory(), codes = blobGrowth(codeBytes(plan.tensors, largest));
  const int64_t limit = options.calibration ? options.calibration->quantizer.maxMemory : 0;
  int64_t activations = work.activationBytes;
  if (limit > 0)
    activations =
        std::min(activations, std::max<int64_t>(0, limit - own - codes - work.quantizerBytes));
  plan.peakBytes = own + codes + std::max(largest, work.quantizerBytes + activations);
  plan.memoryBasis = llvm::formatv(
      "{0} now, {1} of codes, {2} for the largest layer, {3} of activations; the "
      "mapped model is not counted",
      qrt::formatBytes(own), qrt::formatBytes(codes),
      qrt::formatBytes(std::max(largest, work.quantizerBytes)), qrt::formatBytes(activations));
  double done = 0;
  for (const auto &[stage, seconds] : report.stageSeconds)
    done += seconds;
  double elements = 0;
  for (const qrt::TensorEntry &tensor : plan.tensors)
    if (tensor.packed)
      elements += double(tensor.weight.n) * double(tensor.weight.k);
  const calibration::SweepSpeeds speeds = calibration::measureSpeeds(
      work, options.calibration ? options.calibration->quantizer : calibration::CalibratedOptions{},
      options.threads);
  const double speed = speeds.forward, sweeps = calibration::secondsOf(work, speeds);
  // Rounding and packing without data, element by element; half-quadratic scales iterate.
  const double rounding = elements * (options.scheme.algorithm == "hqq" ? 400.0 : 20.0) / speed;
  plan.seconds = done + sweeps + rounding + double(plan.fileBytes) / 500e6;
  std::string rates;
  for (auto [what, rate] :
       {std::pair("float linears", speeds.forward), std::pair("quantized linears", speeds.coded),
        std::pair("moments", speeds.moments), std::pair("moments of bytes", speeds.byteMoments),
        std::pair("factors", speeds.factors), std::pair("GPTQ", speeds.gptq)})
    if (rate > 1) // the others do not occur
      rates += llvm::formatv("{0}{1:f0} ({2})", rates.empty() ? "" : ", ", rate / 1e9, what).str();
  plan.timeBasis = llvm::formatv(
      "{0:f1} s that import and raise took now, {1:f1} s of calibration from operation counts at "
      "{2} GFLOP/s, measured now; verification and the disk are not counted; a guide, not a bound",
      done, sweeps, rates);
}

qrt::Result<CompilePlan> Compiler::plan() {
  CompilePlan plan;
  QRT_RETURN_IF_ERROR(timed("import", [&] { return importModel(); }));
  QRT_RETURN_IF_ERROR(attachSidecars());
  if (!isPast(Stage::Raise))
    QRT_RETURN_IF_ERROR(runStage(Stage::Raise, buildRaisePipeline, StatusCode::Internal));
  const RotationOptions &rotation = options.scheme.rotation;
  QRT_RETURN_IF_ERROR(checkRotationMemory());
  QRT_RETURN_IF_ERROR(runStage(
      Stage::Transform, [&](OpPassManager &pm) { buildTransformPipeline(pm, rotation); },
      rotation.any() ? StatusCode::Unsupported : StatusCode::Internal));
  const bool lowered = isPast(Stage::Lower);
  calibration::SweepWork work;
  if (!lowered) {
    QRT_RETURN_IF_ERROR(prepareFit());
    QRT_RETURN_IF_ERROR(assignForPlan(plan));
    QRT_RETURN_IF_ERROR(checkMemory());
    QRT_ASSIGN_OR_RETURN(func::FuncOp function, mainFunction());
    if (auto reason = function->getAttrOfType<StringAttr>("qir.not_raised"))
      plan.notRaised = reason.str();
    if (calibration::CalibrationStage *stage = options.calibration.get();
        stage && (stage->hasData() || stage->statisticsKnown())) {
      calibration::TokenTable tokens;
      if (stage->hasData()) { // without weights, and prompts as if every trace had its full length
        stage->tokenWeights = {};
        stage->writeTraces = [&](const calibration::TokenTable &prompts) {
          return longestTraces(prompts, *stage);
        };
        QRT_ASSIGN_OR_RETURN(tokens, stage->read(function));
      }
      plan.calibrationTokens = tokens.tokens();
      QRT_ASSIGN_OR_RETURN(
          work, calibration::estimateSweeps(function, tokens, *stage,
                                            stage->runsQuantizer(options.scheme.calibrates())));
      plan.calibratedLinears = work.linears;
    }
    QRT_RETURN_IF_ERROR(qir::putPlaceholderCodes(function));
    QRT_RETURN_IF_ERROR(runStage(Stage::Lower, buildLowerPipeline, StatusCode::Unsupported));
  }
  QRT_ASSIGN_OR_RETURN(func::FuncOp function, mainFunction());
  if (auto kind = function->getAttrOfType<StringAttr>(qexec::kindAttr))
    plan.programKind = kind.str();
  QModOptions qmod;
  QRT_RETURN_IF_ERROR(addSections(qmod));
  QRT_ASSIGN_OR_RETURN(QModPlan file, planQMod(function, qmod));
  plan.modelFile = report.modelFile;
  plan.tensors = std::move(file.tensors);
  plan.fileBytes = file.fileBytes;
  QRT_RETURN_IF_ERROR(checkFit());
  plan.fitNeed = report.fitNeed;
  plan.fitContext = report.fitContext;
  QRT_RETURN_IF_ERROR(checkOutput(options.output, plan.fileBytes));
  estimateCost(plan, work);
  return plan;
}

} // namespace qopt
