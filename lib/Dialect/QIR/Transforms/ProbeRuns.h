//===- ProbeRuns.h - The graph evaluated on small inputs, weights and tokens left abstract ----===//
// Shapes, masks and position tables of an imported graph are known by evaluating it: token ids,
// past keys and values and large weights are shape-only tensors, the attention mask is all ones and
// the positions are those of unpadded sequences. Every value that does not depend on token data
// then has its data, and every value has its shape, in several runs of different sizes:
//
//   small sizes  distinct primes, to tell batch, new tokens and features apart (layoutRuns)
//   a long run   positions 0, 1, 2, ...: rotary angles are unwrapped along it
//   far runs     a few tokens behind long caches: windows, angles far out
#ifndef QOPT_LIB_DIALECT_QIR_TRANSFORMS_PROBERUNS_H
#define QOPT_LIB_DIALECT_QIR_TRANSFORMS_PROBERUNS_H

#include "ArgumentRoles.h"
#include "TokenLayout.h"

#include "Tensor/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace qopt::qir::raise {

struct ProbeRun {
  Sizing sizing;
  llvm::DenseMap<mlir::Value, qrt::tensor::Tensor> values;
};

class ProbeRuns {
public:
  /// Evaluates the function in all runs. Failure if a small size does not evaluate: `reason` and
  /// `where` say why. A far run that fails (a table ends) is replaced by a nearer one.
  ///
  /// `farthest`: no run has a longer cache than that.
  mlir::LogicalResult evaluate(mlir::func::FuncOp function, int64_t farthest = 40000);

  llvm::ArrayRef<ProbeRun> runs() const { return runs_; }
  size_t numLayoutRuns() const { return numLayoutRuns_; }
  /// True for values that do not depend on token ids or past states, shapes aside.
  bool isAuxiliary(mlir::Value value) const { return !dependsOnTokens_.contains(value); }
  /// The data of an auxiliary value; null if it was not evaluated.
  const qrt::tensor::Tensor *data(size_t run, mlir::Value value) const;
  const qrt::tensor::Tensor *shapeOnly(size_t run, mlir::Value value) const;
  /// An auxiliary value that is the same in all runs and needs no run to be known.
  std::optional<std::vector<int64_t>> integers(mlir::Value value, size_t run) const;

  /// Tokens of the longest run: nothing is known about positions behind.
  int64_t longest() const;

  std::string reason;
  mlir::Operation *where = nullptr;

private:
  mlir::LogicalResult evaluateRun(mlir::func::FuncOp function, const Sizing &sizing, ProbeRun &run);
  void findTokenValues(mlir::func::FuncOp function);

  std::vector<ProbeRun> runs_;
  size_t numLayoutRuns_ = 0;
  llvm::DenseSet<mlir::Value> dependsOnTokens_;
  llvm::DenseMap<mlir::Value, int64_t> headSizes_; // of past arguments whose last dim is symbolic
};

qrt::tensor::Tensor integerTensor(qrt::DType dtype, std::vector<int64_t> shape,
                                  llvm::ArrayRef<int64_t> values);

/// The value of an input at a size: `ids` repeated for every sequence (shape-only where empty),
/// ones for masks, the positions of unpadded sequences. Nothing for caches and unknown inputs.
std::optional<qrt::tensor::Tensor> argumentTensor(mlir::func::FuncOp function, unsigned argument,
                                                  const Sizing &sizing,
                                                  llvm::ArrayRef<int64_t> ids);
/// A cache of no tokens, for one sequence.
std::optional<qrt::tensor::Tensor> emptyPast(mlir::func::FuncOp function, unsigned argument,
                                             int64_t headSize);

/// Element `offset` of a tensor with data, as a double.
double elementAt(const qrt::tensor::Tensor &tensor, int64_t offset);

} // namespace qopt::qir::raise

#endif // QOPT_LIB_DIALECT_QIR_TRANSFORMS_PROBERUNS_H
