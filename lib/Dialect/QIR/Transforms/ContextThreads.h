//===- ContextThreads.h - The threads of a context for the numerics ---------------------------===//
#ifndef QOPT_LIB_DIALECT_QIR_TRANSFORMS_CONTEXTTHREADS_H
#define QOPT_LIB_DIALECT_QIR_TRANSFORMS_CONTEXTTHREADS_H

#include "qopt/Quantization/Parallel.h"

#include "mlir/IR/Threading.h"

namespace qopt::qir {

/// Runs the numerics on the context's thread pool. The context outlives the result.
inline quantization::ParallelFor contextThreads(mlir::MLIRContext *context) {
  return [context](int64_t count, const quantization::IndexBody &body) {
    mlir::parallelFor(context, 0, count, [&](size_t i) { body(static_cast<int64_t>(i)); });
  };
}

} // namespace qopt::qir

#endif // QOPT_LIB_DIALECT_QIR_TRANSFORMS_CONTEXTTHREADS_H
