//===- MatrixOps.h - Products that several ops are made of ------------------------------------===//
#ifndef QRT_TENSOR_MATRIXOPS_H
#define QRT_TENSOR_MATRIXOPS_H

#include "Tensor/OpSupport.h"

namespace qrt::tensor {

/// What is subtracted from each row of a and each column of b; empty: nothing.
struct StackZeros {
  std::vector<int64_t> rows, columns;
};

/// numpy's a @ b of the first two operands, in `dtype`.
Result<std::vector<Tensor>> multiplyStacks(Operands operands, DType dtype, const StackZeros &zeros);

/// x w^T + bias with w [N, K] and bias [N] or null; `operands` are named in errors and decide
/// whether the result is abstract. The type is that of x, or the attribute `to`.
Result<std::vector<Tensor>> multiplyRows(const OpCall &call, Operands operands, const Tensor &x,
                                         const Tensor &w, const Tensor *bias);

/// Terms separated by commas, "->" and the result; letters, and "..." for broadcast dimensions.
Result<std::vector<Tensor>> evaluateEinsum(const OpCall &call, Operands operands);

} // namespace qrt::tensor

#endif // QRT_TENSOR_MATRIXOPS_H
