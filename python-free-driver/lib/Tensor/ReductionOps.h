//===- ReductionOps.h - The two files of reductions -------------------------------------------===//
#ifndef QRT_TENSOR_REDUCTIONOPS_H
#define QRT_TENSOR_REDUCTIONOPS_H

#include "Tensor/OpTable.h"

namespace qrt::tensor {

/// softmax, log_softmax, arg_max, top_k, cumsum: ops along one axis.
void addAxisOps(OpTable &table);

} // namespace qrt::tensor

#endif // QRT_TENSOR_REDUCTIONOPS_H
