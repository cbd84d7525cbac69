//===- Compiler.h - From a model file to a .qmod ----------------------------------------------===//
// The driver as a library: runs the stages in order, stops after one if asked to, checks the raised
// graph against the imported one, and writes the file. Error codes are exit codes. One compilation
// per object; not thread-safe.
#ifndef QOPT_PIPELINES_COMPILER_H
#define QOPT_PIPELINES_COMPILER_H

#include "qopt/Pipelines/DryRun.h"
#include "qopt/Pipelines/Pipelines.h"

#include "Engine/MemoryNeed.h"
#include "Format/Program.h"
#include "qrt/Status.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace qopt {

struct QModOptions;
namespace calibration {
struct SweepWork;
}

enum class Stage { Import, Raise, Transform, Assign, Quantize, Lower };
/// "import", "raised", "transformed", "assigned", "quantized", "lowered": the words of --emit.
llvm::StringRef stageName(Stage stage);
std::optional<Stage> stageFromName(llvm::StringRef name);

struct CompileOptions {
  std::string input;     ///< .onnx, .mlir or .mlirbc file, or a model folder; unused if synthetic
  std::string synthetic; ///< name of a synthetic shape (Synthetic.h), or empty
  std::string output;    ///< the .qmod, or the IR of `emit`; "-" or empty: stdout, `emit` only
  SchemeOptions scheme;
  /// Calibration data and quantizer, for algorithms that need them; else null.
  std::shared_ptr<calibration::CalibrationStage> calibration;
  std::optional<Stage> emit; ///< print the IR after this stage and stop
  int threads = 0;           ///< 0: all; for the estimate of a plan
  bool fragments = false;    ///< weights in the order of tensor cores (QModOptions)
  bool verify = true;        ///< run the raised graph against the imported one
  /// Called when a stage begins and, with the seconds that it took, when it ends.
  std::function<void(llvm::StringRef stage, std::optional<double> seconds)> onStage;
  /// Called after each tensor that is written.
  std::function<void(int64_t number, int64_t count, const qrt::TensorEntry &)> onTensor;
  /// Called on each stage's pass manager before passes are added: printing and timing flags.
  std::function<mlir::LogicalResult(mlir::PassManager &)> configure;
  /// Set from a signal handler: the compilation stops with Interrupted and leaves nothing behind.
  const std::atomic<bool> *interrupted = nullptr;
};

struct CompileReport {
  std::string modelFile;
  std::string programKind; ///< "token_major" or "generic"
  std::vector<qrt::TensorEntry> tensors;
  std::vector<std::pair<std::string, double>> stageSeconds;
  std::string verification; ///< how far raised and imported logits are apart, or why not compared
  std::string notRaised;    ///< why the program is a generic one, or empty
  std::vector<std::string> sidecars;
  std::vector<calibration::LinearReport> linears; ///< those that were calibrated
  int64_t calibrationTokens = 0;
  calibration::TokenWeightCounts weightCounts; ///< positions that --calib-weights lets count more
  std::vector<calibration::ScaleReport> awqGroups, smoothGroups;
  std::optional<calibration::GateMeasure> gate;
  qrt::Status gateStatus;                 ///< GateFailed if a bound of --gate is not kept
  calibration::MixedReport mix;           ///< no units: precisions were not mixed
  std::optional<qrt::MemoryNeed> fitNeed; ///< with --fit: what running takes
  int64_t fitContext = 0;
  std::string markers; ///< the derived marker table, JSON, or empty
  int64_t fileBytes = 0;
};

struct MarkerSample;

class Compiler {
public:
  Compiler(mlir::MLIRContext &context, CompileOptions options);

  /// Everything that went wrong is in the status: diagnostics are collected, not printed.
  qrt::Result<CompileReport> run();
  /// Instead of run(): what it would make and take, and the errors that can be foreseen. Writes
  /// nothing, runs no tokens.
  qrt::Result<CompilePlan> plan();

private:
  /// Printed IR enters after the stage at which it was printed.
  bool isPast(Stage stage);
  /// Tokenizer and template for calibration, and what the side files take.
  qrt::Status attachSidecars();
  /// The calibration tokens, read or written by the model itself, while it is the float model.
  qrt::Status readCalibrationData();
  qrt::Result<calibration::TokenTable> writeTraces(const calibration::TokenTable &prompts);
  qrt::Status writeFloatModel(const std::string &path);
  qrt::Status addSections(QModOptions &qmod);
  /// What running the lowered function takes at the context of --fit.
  qrt::Result<qrt::MemoryNeed> needOf(mlir::func::FuncOp function);
  /// --fit becomes a target for the file; TargetUnreachable if nothing is left for it.
  qrt::Status prepareFit();
  /// TargetUnreachable if the lowered program does not keep it.
  qrt::Status checkFit();
  qrt::Status assignForPlan(CompilePlan &plan);
  void estimateCost(CompilePlan &plan, const calibration::SweepWork &work);
  qrt::Status importModel();
  qrt::Status importGraph();
  void keepImported();
  qrt::Status runStage(Stage stage, llvm::function_ref<void(mlir::OpPassManager &)> build,
                       qrt::StatusCode onFailure);
  /// After raising and, if something is rotated, again after that.
  qrt::Status verifyRaised(Stage stage);
  /// ResourceExhausted, with figures, if the codes and packed weights do not fit into free memory.
  qrt::Status checkMemory();
  /// The same for rotated weights, which are f32 until they are quantized.
  qrt::Status checkRotationMemory();
  /// Logits before quantization, if there is a gate to check; then its figures.
  qrt::Status sampleForGate();
  qrt::Status measureGate();
  /// What the model says before quantization, if markers are to be derived; then their table.
  qrt::Status sampleForMarkers();
  qrt::Status deriveMarkers();
  qrt::Status printModule();
  qrt::Status write();
  qrt::Result<mlir::func::FuncOp> mainFunction();
  /// Runs `body` with progress, timing and the interruption check.
  qrt::Status timed(llvm::StringRef stage, llvm::function_ref<qrt::Status()> body);

  mlir::MLIRContext &context;
  CompileOptions options;
  CompileReport report;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OwningOpRef<mlir::ModuleOp> imported; // kept for verifyRaised()
  int64_t maxContext = 0;                     // 0 = unknown
  std::optional<calibration::LogitSample> gateSample;
  std::shared_ptr<MarkerSample> markerSample;
};

} // namespace qopt

#endif // QOPT_PIPELINES_COMPILER_H
