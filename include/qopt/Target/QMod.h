//===- QMod.h - Writes a qexec function as a .qmod file ---------------------------------------===//
// The last stage: numbers values, packs weights with the kernels' own packer and streams them into
// the file, one at a time. Nothing is left behind on failure: the writer renames at the end.
// Errors are statuses of the runtime, whose codes are the exit codes of qopt. Not thread-safe.
#ifndef QOPT_TARGET_QMOD_H
#define QOPT_TARGET_QMOD_H

#include "qopt/Dialect/QExec/IR/QExecOps.h"

#include "Format/Program.h"
#include "Format/Writer.h"
#include "qrt/Status.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <string>
#include <utility>
#include <vector>

namespace qopt {

struct QModOptions {
  /// Text sections to store beside the program: tokenizer.json and so on.
  std::vector<std::pair<qrt::SectionKind, std::string>> sections;
  int64_t maxContext = 0; ///< 0 = unknown
  qrt::KvSpec kv;         ///< of token-major programs; others must leave it as it is
  /// Store weights in the order of tensor cores, f32 ones excepted; only devices read such a file.
  /// Unsupported for programs that are not token-major.
  bool fragments = false;
  /// Free each constant's blob once it is written. The function cannot be executed afterwards.
  bool releaseWeights = false;
  /// Called after each tensor with its number, the count of all and its entry; false stops with
  /// Interrupted.
  llvm::function_ref<bool(int64_t, int64_t, const qrt::TensorEntry &)> onTensor;
};

/// The instructions, values, inputs and outputs of a lowered function; tensors are empty, tensor
/// values are numbered in the order of qexec.weight and qexec.tensor ops. InvalidModel with a
/// reason if the function is not completely lowered and planned.
qrt::Result<qrt::Program> buildProgram(mlir::func::FuncOp function);

/// Writes the file and returns the table of its tensors.
qrt::Result<std::vector<qrt::TensorEntry>>
writeQMod(mlir::func::FuncOp function, const std::string &path, const QModOptions &options);

/// Unsupported: fragments in a program that devices do not run.
qrt::Status checkFragments(const qrt::Program &program, bool fragments);
/// Notes what the caches store. Unsupported where the program has no cache of that kind.
qrt::Status setKv(qrt::Program &program, const qrt::KvSpec &kv);

/// What writeQMod() would write: known from shapes and schemes, so constants are not read.
struct QModPlan {
  qrt::Program program; ///< without tensors
  std::vector<qrt::TensorEntry> tensors;
  int64_t fileBytes = 0;
};
qrt::Result<QModPlan> planQMod(mlir::func::FuncOp function, const QModOptions &options);

/// The entry of one weight or tensor, sizes included, offsets not.
qrt::Result<qrt::TensorEntry> describeWeight(qexec::WeightOp op, bool fragments = false);
qrt::Result<qrt::TensorEntry> describeTensor(qexec::TensorOp op);
/// Packs and appends one weight or tensor.
qrt::Result<qrt::TensorEntry> writeWeight(qexec::WeightOp op, qrt::QmodWriter &writer,
                                          bool fragments = false);
qrt::Result<qrt::TensorEntry> writeTensor(qexec::TensorOp op, qrt::QmodWriter &writer);

} // namespace qopt

#endif // QOPT_TARGET_QMOD_H
