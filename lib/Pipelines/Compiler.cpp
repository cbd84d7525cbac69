//===- Compiler.cpp - From a model file to a .qmod -------------------------------------------===//
#include "qopt/Pipelines/Compiler.h"

#include "DiagnosticCollector.h"
#include "TextEncoder.h"

#include "qopt/Dialect/QExec/IR/QExecDialect.h"
#include "qopt/Dialect/QIR/IR/QIRDialect.h"
#include "qopt/Pipelines/ModelFiles.h"
#include "qopt/Pipelines/Recipe.h"
#include "qopt/Target/QMod.h"

#include "mlir/IR/AsmState.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"

#include <chrono>

using namespace mlir;
using qrt::Status;
using qrt::StatusCode;

namespace qopt {

StringRef stageName(Stage stage) {
  static constexpr StringLiteral names[] = {"import",   "raised",    "transformed",
                                            "assigned", "quantized", "lowered"};
  return names[static_cast<int>(stage)];
}

std::optional<Stage> stageFromName(StringRef name) {
  for (Stage stage : {Stage::Import, Stage::Raise, Stage::Transform, Stage::Assign, Stage::Quantize,
                      Stage::Lower})
    if (stageName(stage) == name)
      return stage;
  return std::nullopt;
}

Compiler::Compiler(MLIRContext &context, CompileOptions options)
    : context(context), options(std::move(options)) {
  // Diagnostics name the node; the printed op would be a page of text.
  context.printOpOnDiagnostic(false);
}

bool Compiler::isPast(Stage stage) {
  auto function = module->lookupSymbol<func::FuncOp>("main");
  if (!function)
    return false;
  if (function->hasAttr(qexec::kindAttr))
    return true;
  return stage == Stage::Raise && function->hasAttr(qir::tokenMajorAttr);
}

Status Compiler::timed(StringRef stage, llvm::function_ref<Status()> body) {
  if (options.interrupted && options.interrupted->load())
    return Status::error(StatusCode::Interrupted, "interrupted before " + stage.str());
  if (options.onStage)
    options.onStage(stage, std::nullopt);
  auto start = std::chrono::steady_clock::now();
  Status status = body();
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  report.stageSeconds.emplace_back(stage.str(), seconds.count());
  if (status.isOk() && options.onStage)
    options.onStage(stage, seconds.count());
  return status;
}

Status Compiler::runStage(Stage stage, llvm::function_ref<void(OpPassManager &)> build,
                          StatusCode onFailure) {
  return timed(stageName(stage), [&]() -> Status {
    DiagnosticCollector diagnostics(context);
    PassManager pm(&context);
    if (options.configure && failed(options.configure(pm)))
      return qrt::invalidArgument(diagnostics.take("pass manager options cannot be applied"));
    build(pm);
    if (succeeded(pm.run(*module)))
      return Status::ok();
    if (options.calibration && !options.calibration->status.isOk())
      return options.calibration->status; // knows its exit code
    return Status::error(onFailure, diagnostics.take("stage '" + stageName(stage).str() +
                                                     "' failed without a message"));
  });
}

qrt::Result<func::FuncOp> Compiler::mainFunction() {
  auto function = module->lookupSymbol<func::FuncOp>("main");
  if (!function)
    return qrt::invalidModel("expects a module with a function @main");
  return function;
}

Status Compiler::printModule() {
  std::string error;
  auto file = mlir::openOutputFile(options.output.empty() ? "-" : options.output, &error);
  if (!file)
    return qrt::cannotWrite(error);
  OpPrintingFlags flags; // command line flags; resources are elided unless they say otherwise
  flags.elideLargeResourceString(64);
  module->print(file->os(), flags);
  file->os() << "\n";
  file->keep();
  return Status::ok();
}

Status Compiler::addSections(QModOptions &qmod) {
  qmod.maxContext = maxContext;
  qmod.kv = options.scheme.kv;
  qmod.fragments = options.fragments;
  if (options.synthetic.empty()) {
    QRT_ASSIGN_OR_RETURN(Sidecars sidecars, readSidecars(report.modelFile));
    qmod.sections = std::move(sidecars.sections);
    qmod.maxContext = sidecars.maxContext;
    report.sidecars = std::move(sidecars.files);
  }
  qmod.sections.emplace_back(
      qrt::SectionKind::Recipe,
      qrt::dumpJson(recipeOf(options.scheme, options.calibration.get(), /*files=*/false), 2));
  bool synthetic = !options.synthetic.empty();
  QRT_ASSIGN_OR_RETURN(std::string provenance,
                       provenanceJson(synthetic ? options.synthetic : report.modelFile, synthetic,
                                      report.verification, options.calibration.get()));
  qmod.sections.emplace_back(qrt::SectionKind::Provenance, std::move(provenance));
  if (!report.markers.empty())
    qmod.sections.emplace_back(qrt::SectionKind::Markers, report.markers);
  return Status::ok();
}

Status Compiler::write() {
  QRT_ASSIGN_OR_RETURN(func::FuncOp function, mainFunction());
  QModOptions qmod;
  QRT_RETURN_IF_ERROR(addSections(qmod));
  qmod.releaseWeights = true;
  bool stopped = false;
  auto onTensor = [&](int64_t number, int64_t count, const qrt::TensorEntry &entry) {
    if (options.onTensor)
      options.onTensor(number, count, entry);
    stopped = options.interrupted && options.interrupted->load();
    return !stopped;
  };
  qmod.onTensor = onTensor;
  QRT_ASSIGN_OR_RETURN(report.tensors, writeQMod(function, options.output, qmod));
  uint64_t size = 0;
  if (!llvm::sys::fs::file_size(options.output, size))
    report.fileBytes = static_cast<int64_t>(size);
  return Status::ok();
}

Status Compiler::attachSidecars() {
  if (!options.calibration || !options.synthetic.empty())
    return Status::ok();
  QRT_ASSIGN_OR_RETURN(Sidecars sidecars, readSidecars(report.modelFile));
  int64_t bytes = 0;
  for (const auto &[kind, contents] : sidecars.sections)
    bytes += static_cast<int64_t>(contents.size());
  options.calibration->mixed.reservedBytes = bytes;
  options.calibration->encoder =
      makeTextEncoder(std::make_shared<const Sidecars>(std::move(sidecars)));
  return Status::ok();
}

qrt::Result<CompileReport> Compiler::run() {
  struct Step {
    Stage stage;
    std::function<void(OpPassManager &)> build;
    StatusCode onFailure;
  };
  const SchemeOptions &scheme = options.scheme;
  const Step steps[] = {
      {Stage::Raise, buildRaisePipeline, StatusCode::Internal},
      {Stage::Transform, [&](OpPassManager &pm) { buildTransformPipeline(pm, scheme.rotation); },
       scheme.rotation.any() ? StatusCode::Unsupported : StatusCode::Internal},
      {Stage::Assign,
       [&](OpPassManager &pm) { buildAssignPipeline(pm, scheme, options.calibration); },
       StatusCode::InvalidArgument},
      {Stage::Quantize,
       [&](OpPassManager &pm) { buildQuantizePipeline(pm, scheme, options.calibration); },
       StatusCode::InvalidModel},
      {Stage::Lower, buildLowerPipeline, StatusCode::Unsupported},
  };
  QRT_RETURN_IF_ERROR(timed("import", [&] { return importModel(); }));
  QRT_RETURN_IF_ERROR(attachSidecars());
  keepImported();
  bool stop = options.emit == Stage::Import;
  for (const Step &step : steps) {
    if (stop)
      break;
    if (step.stage == Stage::Transform)
      QRT_RETURN_IF_ERROR(checkRotationMemory());
    if (step.stage == Stage::Quantize) {
      QRT_RETURN_IF_ERROR(checkMemory());
      QRT_RETURN_IF_ERROR(sampleForGate());
      QRT_RETURN_IF_ERROR(sampleForMarkers());
    }
    if (step.stage == Stage::Assign && !isPast(Stage::Lower)) {
      QRT_RETURN_IF_ERROR(readCalibrationData());
      QRT_RETURN_IF_ERROR(prepareFit());
    }
    if (!isPast(step.stage))
      QRT_RETURN_IF_ERROR(runStage(step.stage, step.build, step.onFailure));
    if (step.stage == Stage::Quantize) {
      QRT_RETURN_IF_ERROR(measureGate());
      QRT_RETURN_IF_ERROR(deriveMarkers());
    }
    if (step.stage == Stage::Raise || (step.stage == Stage::Transform && scheme.rotation.any()))
      QRT_RETURN_IF_ERROR(timed("verify", [&] { return verifyRaised(step.stage); }));
    stop = options.emit == step.stage;
  }
  if (options.calibration) {
    report.linears = options.calibration->linears;
    report.calibrationTokens = options.calibration->tokens;
    report.awqGroups = options.calibration->awqGroups;
    report.smoothGroups = options.calibration->smoothGroups;
    report.weightCounts = options.calibration->weightCounts;
    report.mix = options.calibration->mix;
  }
  if (options.emit) {
    QRT_RETURN_IF_ERROR(printModule());
    return std::move(report);
  }
  QRT_ASSIGN_OR_RETURN(func::FuncOp function, mainFunction());
  if (auto kind = function->getAttrOfType<StringAttr>(qexec::kindAttr))
    report.programKind = kind.str();
  QRT_RETURN_IF_ERROR(checkFit());
  QRT_RETURN_IF_ERROR(timed("write", [&] { return write(); }));
  return std::move(report);
}

} // namespace qopt
