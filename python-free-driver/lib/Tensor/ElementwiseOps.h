//===- ElementwiseOps.h - The two files of elementwise ops ------------------------------------===//
#ifndef QRT_TENSOR_ELEMENTWISEOPS_H
#define QRT_TENSOR_ELEMENTWISEOPS_H

#include "Tensor/OpTable.h"

namespace qrt::tensor {

/// Ops of one operand, cast included.
void addUnaryOps(OpTable &table);

} // namespace qrt::tensor

#endif // QRT_TENSOR_ELEMENTWISEOPS_H
