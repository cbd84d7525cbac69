//===- OpSupport.h - What products, model ops and quantization ops share ----------------------===//
// Errors leave the name of the op out: evaluate() puts it in front.
#ifndef QRT_TENSOR_OPSUPPORT_H
#define QRT_TENSOR_OPSUPPORT_H

#include "Tensor/Elements.h"
#include "Tensor/OpTable.h"

namespace qrt::tensor {

/// The operand at a position, null if it is absent or beyond the end.
inline const Tensor *operandAt(Operands operands, size_t index) {
  return index < operands.size() ? operands[index] : nullptr;
}
/// True if an operand that is there has no data.
bool anyAbstract(Operands operands);

/// A result to fill, or (data is null) the shape of one if an operand is abstract.
Result<FreshTensor> makeResult(Operands operands, DType dtype, Shape shape);

/// InvalidArgument "<text>, got f32 [2, 3], absent, i64 [4]".
Status badOperands(Operands operands, const std::string &text);

/// InvalidArgument unless every operand that is there is of a float type.
Status checkFloats(Operands operands);
/// The dtype that the attribute `to` names: given where operands do not decide it. Of the kind of
/// `otherwise`, float or integer.
Result<DType> resultType(const OpCall &call, DType otherwise);

/// Attributes without a default.
Result<int64_t> requiredInt(const OpCall &call, const char *name);
Result<double> requiredFloat(const OpCall &call, const char *name);
/// An attribute that is 0 (the default) or 1.
Result<bool> flagAttr(const OpCall &call, const char *name);
/// An attribute that is not negative.
Result<int64_t> countAttr(const OpCall &call, const char *name, int64_t otherwise);

} // namespace qrt::tensor

#endif // QRT_TENSOR_OPSUPPORT_H
