//===- Gate.cpp - The gate of a compilation --------------------------------------------------===//
// The file is written all the same: its maker may want to look at what failed.
#include "qopt/Pipelines/Compiler.h"

using qrt::Status;

namespace qopt {

Status Compiler::sampleForGate() {
  if (!options.calibration || !options.calibration->gate.isSet())
    return Status::ok();
  return timed("gate (before)", [&]() -> Status {
    QRT_ASSIGN_OR_RETURN(mlir::func::FuncOp function, mainFunction());
    QRT_ASSIGN_OR_RETURN(calibration::TokenTable tokens, options.calibration->read(function));
    QRT_ASSIGN_OR_RETURN(gateSample, calibration::sampleLogits(
                                         function, tokens, options.calibration->quantizer.sweep));
    return Status::ok();
  });
}

Status Compiler::measureGate() {
  if (!gateSample)
    return Status::ok();
  return timed("gate (after)", [&]() -> Status {
    QRT_ASSIGN_OR_RETURN(mlir::func::FuncOp function, mainFunction());
    QRT_ASSIGN_OR_RETURN(calibration::LogitSample after,
                         calibration::sampleLogits(function, gateSample->tokens,
                                                   options.calibration->quantizer.sweep));
    QRT_ASSIGN_OR_RETURN(report.gate, calibration::compareLogits(*gateSample, after));
    report.gateStatus = calibration::checkGate(options.calibration->gate, *report.gate);
    gateSample.reset();
    return Status::ok();
  });
}

} // namespace qopt
