//===- ModelOps.h - The model ops, one file per kind ------------------------------------------===//
// All compute in f64 and round once to the type of their first operand, or to the attribute `to`.
#ifndef QRT_TENSOR_MODELOPS_H
#define QRT_TENSOR_MODELOPS_H

#include "Tensor/OpSupport.h"

namespace qrt::tensor {

Result<std::vector<Tensor>> evaluateRmsNorm(const OpCall &call, Operands operands);
Result<std::vector<Tensor>> evaluateLayerNorm(const OpCall &call, Operands operands);

Result<std::vector<Tensor>> evaluateHadamard(const OpCall &call, Operands operands);

Result<std::vector<Tensor>> evaluateRotaryEmbedding(const OpCall &call, Operands operands);
Result<std::vector<Tensor>> evaluateRope(const OpCall &call, Operands operands);

Result<std::vector<Tensor>> evaluateSdpa(const OpCall &call, Operands operands);
Result<std::vector<Tensor>> evaluateAttention(const OpCall &call, Operands operands);

/// Row numbers ids + offset of a table of `rows` rows; InvalidArgument names one outside.
Result<std::vector<int64_t>> rowsOfIds(const OpCall &call, const Tensor &ids, int64_t rows);

} // namespace qrt::tensor

#endif // QRT_TENSOR_MODELOPS_H
