//===- Sweep.h - All calibration tokens through a graph, linear by linear ---------------------===//
// Runs a raised, token-major function in f32 on the runtime's kernels. All tokens pass a linear
// before any token passes the next one: linears that read one value form a group; before they run,
// a visitor sees the whole of their input, and may put quantized linears in their places, whose
// output the rest of the graph then sees. So errors propagate exactly, each linear runs once, and
// what is kept between groups is only the activations that are still needed. These are spilled to
// a file past `maxActivationBytes`.
//
// Between two groups the tokens go in chunks of whole sequences, so temporary values stay small.
// The chunks depend on the lengths of the sequences only: results do not depend on the number of
// threads nor on the memory limit.
// Thread safety: one sweep at a time per object; visitors are called from the calling thread.
#ifndef QOPT_CALIBRATION_SWEEP_H
#define QOPT_CALIBRATION_SWEEP_H

#include "qopt/Calibration/TokenTable.h"
#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "kernels/cpu/threading/ThreadPool.h"
#include "qrt/Status.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <atomic>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace qopt::calibration {

class DeviceProducts;

/// Linears that read one value, in the order of the graph.
struct LinearGroup {
  int64_t index = 0;    ///< in the order of the sweep
  int64_t features = 0; ///< K
  /// Where moments of its input are to be summed (SweepOptions); null: on the CPU.
  DeviceProducts *products = nullptr;
  std::vector<qir::LinearOp> linears;

  /// The op that the sweep is to run in place of linears[i]; null: linears[i] itself.
  std::vector<mlir::Operation *> replacements;
};

/// The ONNX name of a constant, "" for one that folding made.
std::string weightName(mlir::Value weight);

/// Rows of a value, one per token.
struct Rows {
  const float *data = nullptr; ///< [tokens, width], contiguous
  int64_t first = 0;           ///< index of the first token in the table
  int64_t tokens = 0, width = 0;
  const float *weights = nullptr; ///< [tokens] or null: all 1
  /// The same rows in the float model; null without SweepOptions::floatFunction.
  const float *floatData = nullptr;
};

/// One that looks at groups or at the result only leaves the rest as it is.
class SweepVisitor {
public:
  virtual ~SweepVisitor() = default;

  /// Is this linear to be visited? Asked once per linear, before the sweep.
  virtual bool wants(qir::LinearOp linear) = 0;
  /// Before the chunks of a group; false: its inputs need not be shown.
  virtual qrt::Result<bool> begin(const LinearGroup &group, qrt::kernels::ThreadPool &pool) {
    return false;
  }
  /// The next rows of the group's input, in ascending order.
  virtual qrt::Status observe(const LinearGroup &group, const Rows &rows,
                              qrt::kernels::ThreadPool &pool) {
    return qrt::Status::ok();
  }
  /// After the last chunk. May replace linears: erase the op, note the new one in
  /// group.replacements (qir.linear or qir.quantized_linear with the same operand and width).
  virtual qrt::Status finish(LinearGroup &group, qrt::kernels::ThreadPool &pool) {
    return qrt::Status::ok();
  }

  /// Is the function's result wanted? If not, what lies behind the last group is not run.
  virtual bool wantsResult() { return false; }
  /// Rows of the function's result.
  virtual qrt::Status result(const Rows &rows) { return qrt::Status::ok(); }
};

/// How a sweep computes linears that are quantized already.
enum class SweepArithmetic {
  F32, ///< dequantized, products in f32
  A16, ///< as the runtime's integer kernels do, inputs rounded to 16 bits per 128 features
  A8,  ///< with 8 bits where the weight has at most 4, else with 16
};

std::optional<SweepArithmetic> parseSweepArithmetic(llvm::StringRef text);
llvm::StringRef sweepArithmeticText(SweepArithmetic arithmetic);

struct SweepOptions {
  int threads = 0; ///< 0: one per processor
  SweepArithmetic arithmetic = SweepArithmetic::F32;
  int64_t maxActivationBytes = std::numeric_limits<int64_t>::max();
  std::string spillDirectory; ///< where activations go that do not fit; "": the system's
  const std::atomic<bool> *interrupted = nullptr;
  /// A copy of the function that stays as it is: it runs beside it, group by group, and rows come
  /// with those of the copy. Null: no copy runs.
  mlir::func::FuncOp floatFunction;
  /// Linears and moments are computed there; null: on the CPU.
  std::shared_ptr<DeviceProducts> products;
};

/// The groups of a sweep, without running it.
qrt::Result<std::vector<LinearGroup>> linearGroups(mlir::func::FuncOp function,
                                                   SweepVisitor &visitor);

/// Runs the sweep. InvalidArgument: no tokens, or an id outside the table; Unsupported: the
/// function is not token-major or has ops without an f32 kernel, all named; Interrupted.
qrt::Status runSweep(mlir::func::FuncOp function, const TokenTable &tokens,
                     const SweepOptions &options, SweepVisitor &visitor);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_SWEEP_H
