//===- Synthetic.h - Models of known shapes with random weights -------------------------------===//
// Speed does not depend on what a model says, only on its shape: these stand in for weights that
// are not here. The result is a raised, token-major module, so everything from scheme assignment on
// is the real compiler. Deterministic: the same name gives the same bytes everywhere.
#ifndef QOPT_PIPELINES_SYNTHETIC_H
#define QOPT_PIPELINES_SYNTHETIC_H

#include "qrt/Status.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstdint>
#include <string>

namespace qopt {

/// A decoder of the Llama family: RMSNorm, rotary attention with grouped heads, SwiGLU.
struct SyntheticShape {
  const char *name;
  int64_t layers, hidden, heads, kvHeads, headDim, intermediate, vocabulary;
  double ropeTheta, epsilon;
  bool tied, qkvBias;
  int64_t maxContext;
};

/// Null for unknown names.
const SyntheticShape *findSyntheticShape(llvm::StringRef name);
bool isSyntheticName(llvm::StringRef name);
/// "qwen2.5-0.5b, qwen2.5-1.5b ...", for messages.
std::string syntheticNames();

/// Builds the module; weights are bf16 [N, K] constants with a standard deviation of 1/sqrt(K).
/// ResourceExhausted, with figures, if they do not fit into free memory.
qrt::Result<mlir::OwningOpRef<mlir::ModuleOp>> buildSynthetic(mlir::MLIRContext &context,
                                                              const SyntheticShape &shape);

} // namespace qopt

#endif // QOPT_PIPELINES_SYNTHETIC_H
