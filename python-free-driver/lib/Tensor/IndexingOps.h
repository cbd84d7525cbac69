//===- IndexingOps.h - The two files of indexing ops ------------------------------------------===//
#ifndef QRT_TENSOR_INDEXINGOPS_H
#define QRT_TENSOR_INDEXINGOPS_H

#include "Tensor/OpTable.h"

namespace qrt::tensor {

/// pad, trilu: ops that set elements by their place.
void addMarginOps(OpTable &table);

} // namespace qrt::tensor

#endif // QRT_TENSOR_INDEXINGOPS_H
