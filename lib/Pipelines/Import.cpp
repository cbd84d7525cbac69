//===- Import.cpp - The first stage: a module from a file ------------------------------------===//
// .onnx goes through the frontend; .mlir and .mlirbc are read as they are, at whatever stage they
// were printed, which is how tests and bug reports enter the driver.
#include "DiagnosticCollector.h"

#include "qopt/Frontend/ImportONNX.h"
#include "qopt/Pipelines/Compiler.h"
#include "qopt/Pipelines/ModelFiles.h"
#include "qopt/Pipelines/Synthetic.h"
#include "qopt/Support/SpillPolicy.h"

#include "Support/Memory.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using qrt::Status;

namespace qopt {

static qrt::Result<OwningOpRef<ModuleOp>> parseIR(MLIRContext &context, const std::string &path) {
  std::string error;
  // Blobs in bytecode are borrowed from the buffer, so it must be aligned like them.
  auto buffer = mlir::openInputFile(path, llvm::Align(64), &error);
  if (!buffer)
    return qrt::cannotRead(error);
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  DiagnosticCollector diagnostics(context);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
  if (!module)
    return qrt::invalidModel(diagnostics.take("'" + path + "' is not MLIR"));
  return std::move(module);
}

/// Weights and codes that the compiler owns stay in memory up to an eighth of --max-memory, else a
/// quarter of what is free (but 256 MiB).
static SpillPolicy spillPolicyFor(const calibration::CalibrationStage *stage) {
  SpillPolicy policy;
  const int64_t limit = stage ? stage->quantizer.maxMemory : 0;
  policy.heapBytes =
      std::max(limit > 0 ? limit / 8 : qrt::availableMemory() / 4, int64_t(256) << 20);
  policy.residentBytes = policy.heapBytes;
  if (stage)
    policy.directory = stage->quantizer.workDirectory;
  return policy;
}

Status Compiler::importModel() {
  setSpillPolicy(spillPolicyFor(options.calibration.get()));
  if (const SyntheticShape *shape = findSyntheticShape(options.synthetic)) {
    QRT_ASSIGN_OR_RETURN(module, buildSynthetic(context, *shape));
    maxContext = shape->maxContext;
    report.modelFile = shape->name;
    report.verification = "not verified: synthetic weights";
    return Status::ok();
  }
  QRT_ASSIGN_OR_RETURN(report.modelFile, findModelFile(options.input));
  llvm::StringRef extension = llvm::sys::path::extension(report.modelFile);
  if (extension == ".mlir" || extension == ".mlirbc") {
    QRT_ASSIGN_OR_RETURN(module, parseIR(context, report.modelFile));
    report.verification = "not verified: the input was IR";
    return Status::ok();
  }
  return importGraph();
}

Status Compiler::importGraph() {
  DiagnosticCollector diagnostics(context); // the frontend emits none; the op verifiers may
  auto imported = importONNX(context, report.modelFile);
  if (!imported)
    return imported.status();
  module = imported.takeValue();
  return Status::ok();
}

} // namespace qopt
