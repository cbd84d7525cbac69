//===- qopt.cpp - ONNX to .qmod --------------------------------------------------------------===//
// Results go to stdout (--json, --emit), progress, tables and messages to stderr. The exit code is
// the qrt::StatusCode of what went wrong (docs/cli.md).
#include "LargePages.h"
#include "LinearTable.h"
#include "Options.h"
#include "PlanReport.h"
#include "Remarks.h"
#include "Report.h"

#include "qopt/Calibration/DeviceProducts.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Pipelines/Recipe.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"

#include <array>
#include <atomic>
#include <csignal>
#include <new>

using namespace qopt;

static std::atomic<bool> interrupted = false;

/// The first signal asks for a clean stop, the second one ends the process as usual.
static void onSignal(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);
}

static int fail(const qrt::Status &status) {
  llvm::errs() << "qopt: " << qrt::statusCodeName(status.code()) << ": " << status.message()
               << "\n";
  return status.exitCode();
}

static void showProgress(CompileOptions &options) {
  options.onStage = [](llvm::StringRef stage, std::optional<double> seconds) {
    if (seconds)
      llvm::errs() << "qopt: " << stage << llvm::format(" %.2f s\n", *seconds);
  };
  options.onTensor = [](int64_t number, int64_t count, const qrt::TensorEntry &tensor) {
    // A line per tenth is enough for a log and for a terminal.
    if (number * 10 / count != (number - 1) * 10 / count)
      llvm::errs() << "qopt: wrote " << number << " of " << count << " tensors\n";
  };
  if (!options.calibration)
    return;
  options.calibration->mixed.sensitivity.onUnit = [](const calibration::UnitScore &unit,
                                                     int64_t done, int64_t count) {
    llvm::errs() << "qopt: measured " << done << " of " << count << ": " << unit.weights.front()
                 << "\n";
  };
  options.calibration->awq.onGroup = [](const calibration::ScaleReport &group, int64_t done,
                                        int64_t count) {
    printScaleGroup("awq", "loss", group, done, count, llvm::errs());
  };
  options.calibration->smooth.onGroup = [](const calibration::ScaleReport &group, int64_t done,
                                           int64_t count) {
    printScaleGroup("smooth", "largest |x|", group, done, count, llvm::errs());
  };
  options.calibration->quantizer.onLinear = [](const calibration::LinearReport &linear,
                                               int64_t done, int64_t count, double left) {
    printLinear(linear, done, count, left, llvm::errs());
  };
}

static std::array<calibration::SweepOptions *, 4> sweepsOf(calibration::CalibrationStage &stage) {
  return {&stage.quantizer.sweep, &stage.awq.sweep, &stage.smooth.sweep,
          &stage.mixed.sensitivity.sweep};
}

/// --device: products of all sweeps go there. `auto` takes the CPU with one line.
static qrt::Status openDevice(CommandLine &line) {
  if (line.device.kind == qrt::DeviceKind::Cpu)
    return qrt::Status::ok();
  auto products = calibration::DeviceProducts::open(line.device.index);
  if (!products && line.device.kind == qrt::DeviceKind::Cuda)
    return products.status().withContext("--device");
  if (!products) {
    if (!line.quiet)
      llvm::errs() << "qopt: using the CPU: " << products.status().message() << "\n";
    return qrt::Status::ok();
  }
  if (!line.quiet)
    llvm::errs() << "qopt: calibrating on " << (*products)->name() << "\n";
  for (calibration::SweepOptions *sweep : sweepsOf(*line.compile.calibration))
    sweep->products = *products;
  if (line.compile.calibration->activations)
    line.compile.calibration->activations->sweep.products = *products;
  return qrt::Status::ok();
}

/// A compilation, or with --dry-run its plan.
static qrt::Status runCommand(CommandLine &line) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency(line.threads));
  if (line.threads != 1)
    context.setThreadPool(pool);
  QRT_RETURN_IF_ERROR(enableRemarks(context, line.remarksFilter, line.remarksFile));
  if (line.compile.calibration && line.compile.calibration->quantizer.maxMemory > 0)
    keepNoFreedMemory();
  if (!line.quiet)
    showProgress(line.compile);
  line.compile.interrupted = &interrupted;
  if (line.compile.calibration)
    for (calibration::SweepOptions *sweep : sweepsOf(*line.compile.calibration))
      sweep->interrupted = &interrupted;
  if (line.compile.calibration && line.compile.calibration->activations)
    line.compile.calibration->activations->sweep.interrupted = &interrupted;
  QRT_RETURN_IF_ERROR(openDevice(line));
  line.compile.configure = [](mlir::PassManager &pm) {
    applyDefaultTimingPassManagerCLOptions(pm);
    return applyPassManagerCLOptions(pm);
  };
  if (line.dryRun) {
    QRT_ASSIGN_OR_RETURN(CompilePlan plan, Compiler(context, line.compile).plan());
    if (line.json)
      printPlanJson(plan, llvm::outs());
    if (!line.quiet)
      printPlan(plan, llvm::errs());
    return qrt::Status::ok();
  }
  if (!line.saveRecipe.empty()) // before the work: a path that cannot be written costs nothing
    QRT_RETURN_IF_ERROR(saveRecipe(recipeOf(line.compile.scheme, line.compile.calibration.get(),
                                            /*files=*/true),
                                   line.saveRecipe));
  QRT_ASSIGN_OR_RETURN(CompileReport report, Compiler(context, line.compile).run());
  if (line.compile.emit)
    return qrt::Status::ok();
  if (line.json)
    printReportJson(report, line.compile.output, llvm::outs());
  if (!line.reportFile.empty())
    QRT_RETURN_IF_ERROR(writeReport(report, line.compile.output, line.reportFile));
  if (!line.quiet)
    printReport(report, line.compile.output, llvm::errs());
  return report.gateStatus;
}

int main(int argc, char **argv) {
  registerPassesAndPipelines();
  qrt::Result<CommandLine> line = parseCommandLine(argc, argv);
  if (!line)
    return fail(line.status());
  std::signal(SIGINT, onSignal);
  std::signal(SIGTERM, onSignal);
  try {
    if (qrt::Status done = runCommand(*line); !done)
      return fail(done);
  } catch (const std::bad_alloc &) {
    return fail(qrt::resourceExhausted("out of memory"));
  }
  return 0;
}
