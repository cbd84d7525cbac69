//===- DiagnosticCollector.h - Diagnostics as text -------------------------------------------===//
#ifndef QOPT_LIB_PIPELINES_DIAGNOSTICCOLLECTOR_H
#define QOPT_LIB_PIPELINES_DIAGNOSTICCOLLECTOR_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"

#include <string>

namespace qopt {

/// While it lives, gathers errors with their notes, one per line, each with the name of the ONNX
/// node or the place in the .mlir file. Warnings and remarks go on to the next handler.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext &context);
  /// All errors; `otherwise` if there was none.
  std::string take(llvm::StringRef otherwise);

private:
  std::string text;
  mlir::ScopedDiagnosticHandler handler;
};

/// "'/model/layers.0/mlp/up': " or "x.mlir:3:5: ", empty if the location says nothing.
std::string describeLocation(mlir::Location location);

} // namespace qopt

#endif // QOPT_LIB_PIPELINES_DIAGNOSTICCOLLECTOR_H
