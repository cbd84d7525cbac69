//===- OpSupport.cpp - What products, model ops and quantization ops share --------------------===//
#include "Tensor/OpSupport.h"

#include <algorithm>

namespace qrt::tensor {

bool anyAbstract(Operands operands) {
  return std::any_of(operands.begin(), operands.end(),
                     [](const Tensor *tensor) { return tensor && isAbstract(*tensor); });
}

Result<FreshTensor> makeResult(Operands operands, DType dtype, Shape shape) {
  if (!anyAbstract(operands))
    return makeTensor(dtype, std::move(shape));
  QRT_ASSIGN_OR_RETURN(Tensor result, abstractTensor(dtype, std::move(shape)));
  return FreshTensor{std::move(result), nullptr};
}

Status badOperands(Operands operands, const std::string &text) {
  std::string list;
  for (const Tensor *operand : operands)
    list += (list.empty() ? "" : ", ") + (operand ? describe(*operand) : std::string("absent"));
  return invalidArgument(text + ", got " + list);
}

Status checkFloats(Operands operands) {
  for (const Tensor *operand : operands)
    if (operand && !isFloat(operand->dtype))
      return badOperands(operands, "expects float operands");
  return Status::ok();
}

Result<DType> resultType(const OpCall &call, DType otherwise) {
  const std::string usual(name(otherwise));
  QRT_ASSIGN_OR_RETURN(const std::string word, stringAttr(call, "to", usual));
  const std::optional<DType> dtype = dtypeFromName(word);
  if (!dtype || isFloat(*dtype) != isFloat(otherwise) || isInteger(*dtype) != isInteger(otherwise))
    return invalidArgument("expects 'to' to be a type like " + usual + ", got '" + word + "'");
  return *dtype;
}

static Status missing(const char *name) {
  return invalidArgument(std::string("expects the attribute '") + name + "'");
}

Result<int64_t> requiredInt(const OpCall &call, const char *name) {
  if (!call.attrs.contains(name))
    return missing(name);
  return intAttr(call, name, 0);
}

Result<double> requiredFloat(const OpCall &call, const char *name) {
  if (!call.attrs.contains(name))
    return missing(name);
  return floatAttr(call, name, 0);
}

Result<bool> flagAttr(const OpCall &call, const char *name) {
  QRT_ASSIGN_OR_RETURN(const int64_t flag, intAttr(call, name, 0));
  if (flag != 0 && flag != 1)
    return invalidArgument(std::string("expects ") + name + " to be 0 or 1, got " +
                           std::to_string(flag));
  return flag == 1;
}

Result<int64_t> countAttr(const OpCall &call, const char *name, int64_t otherwise) {
  QRT_ASSIGN_OR_RETURN(const int64_t value, intAttr(call, name, otherwise));
  if (value < 0)
    return invalidArgument(std::string("expects ") + name + " of at least 0, got " +
                           std::to_string(value));
  return value;
}

} // namespace qrt::tensor
