//===- OpTable.h - Which function evaluates which op ------------------------------------------===//
// One group of ops per file; each file adds its rows. To add an op: write its function in the file
// of its group and add a row there.
#ifndef QRT_TENSOR_OPTABLE_H
#define QRT_TENSOR_OPTABLE_H

#include "Tensor/Evaluate.h"

#include <unordered_map>

namespace qrt::tensor {

using Operands = std::span<const Tensor *const>;
using OpFunction = Result<std::vector<Tensor>> (*)(const OpCall &call, Operands operands);

struct OpRow {
  size_t minOperands; ///< operands that must be there (the first ones, not null)
  size_t maxOperands; ///< SIZE_MAX: any number
  OpFunction function;
};
using OpTable = std::unordered_map<std::string_view, OpRow>; ///< names are string literals

void addElementwiseOps(OpTable &table); // QIRElementwiseOps.td
void addIndexingOps(OpTable &table);    // QIRIndexingOps.td
void addReductionOps(OpTable &table);   // QIRReductionOps.td
void addShapeOps(OpTable &table);       // QIRShapeOps.td
void addMatrixOps(OpTable &table);      // matmul, einsum, linear and other products
void addModelOps(OpTable &table);       // QIRModelOps.td: norms, rotary_embedding, sdpa, gates ...
void addQuantOps(OpTable &table);       // QIRQuantOps.td

/// Attributes with the default of the .td file; InvalidArgument for another type.
Result<int64_t> intAttr(const OpCall &call, const char *name, int64_t otherwise);
Result<double> floatAttr(const OpCall &call, const char *name, double otherwise);
Result<std::string> stringAttr(const OpCall &call, const char *name, std::string otherwise);
Result<std::vector<int64_t>> intsAttr(const OpCall &call, const char *name,
                                      std::vector<int64_t> otherwise = {});

} // namespace qrt::tensor

#endif // QRT_TENSOR_OPTABLE_H
