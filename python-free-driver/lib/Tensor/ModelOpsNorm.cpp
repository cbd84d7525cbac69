//===- ModelOpsNorm.cpp - rms_norm and layer_norm ---------------------------------------------===//
#include "Tensor/ModelOps.h"
#include "Tensor/WideElements.h"

#include <cmath>

namespace qrt::tensor {

/// Normalizes every chunk of as many features as the weight has.
static Result<std::vector<Tensor>> evaluateNorm(const OpCall &call, Operands operands,
                                                bool centred) {
  const Tensor &x = *operands[0], &w = *operands[1], *b = operandAt(operands, 2);
  QRT_RETURN_IF_ERROR(checkFloats(operands));
  const int64_t width = countOf(w);
  if (x.shape.empty() || width < 1 || x.shape.back() % width != 0)
    return badOperands(operands, "expects a weight whose length divides the last dimension of x");
  if (b && countOf(*b) != width)
    return badOperands(operands, "expects a bias as long as the weight");
  QRT_ASSIGN_OR_RETURN(const double epsilon, requiredFloat(call, "epsilon"));
  if (!(epsilon >= 0))
    return invalidArgument("expects an epsilon of at least 0, got " + std::to_string(epsilon));
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, x.dtype));
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, x.shape));
  if (!result.data)
    return std::vector<Tensor>{result.tensor};

  const auto size = static_cast<size_t>(width);
  std::vector<double> values(size), weight(size), bias(size, 0.0);
  widen(w, 0, width, weight.data());
  if (b)
    widen(*b, 0, width, bias.data());
  const int64_t count = countOf(x);
  for (int64_t first = 0; first < count; first += width) {
    widen(x, first, width, values.data());
    double mean = 0, squares = 0;
    if (centred)
      for (double value : values)
        mean += value / static_cast<double>(width);
    for (double value : values)
      squares += (value - mean) * (value - mean);
    const double factor = 1 / std::sqrt(squares / static_cast<double>(width) + epsilon);
    for (size_t i = 0; i < size; ++i)
      values[i] = (values[i] - mean) * factor * weight[i] + bias[i];
    narrow(dtype, result.data, first, width, values.data());
  }
  return std::vector<Tensor>{result.tensor};
}

Result<std::vector<Tensor>> evaluateRmsNorm(const OpCall &call, Operands operands) {
  return evaluateNorm(call, operands, /*centred=*/false);
}

Result<std::vector<Tensor>> evaluateLayerNorm(const OpCall &call, Operands operands) {
  return evaluateNorm(call, operands, /*centred=*/true);
}

} // namespace qrt::tensor
