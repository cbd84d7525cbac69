//===- ForwardOps.h - One op of a token-major graph on the f32 kernels -----------------------===//
// bindOp() reads the constants of an op once and returns a closure that computes it for a chunk of
// tokens. Values are numbered slots; where their rows lie is said per chunk. Weights are widened
// (or dequantized) to f32, or packed as the runtime packs them, and live as long as the closure.
#ifndef QOPT_LIB_CALIBRATION_FORWARDOPS_H
#define QOPT_LIB_CALIBRATION_FORWARDOPS_H

#include "KvPages.h"
#include "RopeTables.h"

#include "qopt/Calibration/DeviceProducts.h"
#include "qopt/Calibration/Sweep.h"
#include "qopt/Calibration/TokenTable.h"
#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "kernels/cpu/Workspace.h"
#include "kernels/cpu/linear/linear.h"
#include "kernels/cpu/threading/ThreadPool.h"
#include "qrt/Status.h"

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace qopt::calibration {

/// Slots that are no activations.
enum : int { constantSlot = -1, idsSlot = -2, positionsSlot = -3 };

/// Whole sequences on their way through a part of the graph.
struct Chunk {
  qrt::kernels::ThreadPool &pool;
  qrt::kernels::Workspace &workspace;
  KvPages &pages;
  RopeTables &ropes;
  int64_t tokens = 0;
  std::vector<int32_t> ids, positions;         ///< [tokens]
  std::vector<TokenTable::Sequence> sequences; ///< `first` counts from the chunk's first row
  std::vector<float *> values;                 ///< by slot: [tokens, width]
};

/// A weight as the graph uses it.
struct WeightMatrix {
  int64_t n = 0, k = 0;
  std::vector<float> values; ///< [n, k]
};
using BoundOp = std::function<qrt::Status(Chunk &)>;

/// What an op reads and writes, by slot.
struct OpSlots {
  std::vector<int> inputs; ///< one per operand
  std::vector<int> outputs;
  std::span<const int64_t> widths; ///< by slot
  SweepArithmetic arithmetic = SweepArithmetic::F32;
  DeviceProducts *products = nullptr; ///< computes linears; null: the CPU
};

/// Null if there is no f32 kernel for the op, and `why` says what is missing.
BoundOp bindOp(mlir::Operation *op, const OpSlots &slots, std::string &why);

/// Ok without problems ("op: why" -> how often); else Unsupported, all of them named.
qrt::Status missingKernels(const std::map<std::string, int> &problems);

/// A linear with these weights instead of its own.
BoundOp bindLinear(const WeightMatrix &weight, mlir::Value bias, const OpSlots &slots,
                   std::string &why);

/// Does the op only give another name to its operand?
bool isAlias(mlir::Operation *op);

/// A float weight, or codes with scales and zero points (null where there are none). False if
/// constants are missing or unreadable.
bool readWeight(mlir::Value weight, WeightMatrix &out);
bool readCodes(mlir::Value codes, mlir::Value scales, mlir::Value zeroPoints, int64_t bits,
               int64_t groupSize, WeightMatrix &out);

/// Codes, scales and zero points in the layout of the integer kernels.
struct PackedCodes {
  qrt::kernels::WeightView view;
  std::unique_ptr<std::byte, void (*)(void *)> memory{nullptr, std::free};
};
/// Null if constants are missing or unreadable, or the kernels have no such format.
std::shared_ptr<PackedCodes> packCodes(qir::QuantizedLinearOp op);

/// Adds the outliers of a linear to the weight of its codes. False as above.
bool addOutliers(mlir::Operation *linear, WeightMatrix &weight);

/// One row at a time, for tables of which few rows are used. Valid while the constants live.
struct TableRows {
  int64_t n = 0, k = 0;
  std::function<void(int64_t row, float *out)> read;
};
bool readTable(mlir::Operation *embedding, TableRows &out);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_FORWARDOPS_H
