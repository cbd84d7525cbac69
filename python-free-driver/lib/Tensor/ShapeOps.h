//===- ShapeOps.h - The two files of shape ops ------------------------------------------------===//
#ifndef QRT_TENSOR_SHAPEOPS_H
#define QRT_TENSOR_SHAPEOPS_H

#include "Tensor/OpTable.h"

namespace qrt::tensor {

/// transpose, expand, tile, concat, split, slice: shape ops that copy elements.
void addMovingOps(OpTable &table);

} // namespace qrt::tensor

#endif // QRT_TENSOR_SHAPEOPS_H
