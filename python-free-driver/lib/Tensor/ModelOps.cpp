//===- ModelOps.cpp - embedding and gated activations -----------------------------------------===//
#include "Tensor/ModelOps.h"

#include "Tensor/WideElements.h"

#include <cmath>
#include <cstring>

namespace qrt::tensor {

Result<std::vector<int64_t>> rowsOfIds(const OpCall &call, const Tensor &ids, int64_t rows) {
  QRT_ASSIGN_OR_RETURN(const int64_t offset, countAttr(call, "offset", 0));
  std::vector<int64_t> result(static_cast<size_t>(countOf(ids)));
  widen(ids, 0, countOf(ids), result.data());
  for (int64_t &id : result) {
    int64_t row = 0;
    if (__builtin_add_overflow(id, offset, &row) || row < 0 || row >= rows)
      return invalidArgument("id " + std::to_string(id) + " with offset " + std::to_string(offset) +
                             " is outside a table of " + std::to_string(rows) + " rows");
    id = row;
  }
  return result;
}

static Result<std::vector<Tensor>> evaluateEmbedding(const OpCall &call, Operands operands) {
  const Tensor &table = *operands[0], &ids = *operands[1];
  if (table.shape.size() != 2 || !isFloat(table.dtype) || !isInteger(ids.dtype))
    return badOperands(operands, "expects a float table [V, H] and integer ids");
  const int64_t width = table.shape[1];
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, table.dtype));
  Shape shape = ids.shape;
  shape.push_back(width);
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, std::move(shape)));
  if (!result.data)
    return std::vector<Tensor>{result.tensor};
  QRT_ASSIGN_OR_RETURN(const std::vector<int64_t> rows, rowsOfIds(call, ids, table.shape[0]));
  std::vector<double> values(static_cast<size_t>(width));
  for (size_t i = 0; i < rows.size(); ++i) {
    widen(table, rows[i] * width, width, values.data());
    narrow(dtype, result.data, static_cast<int64_t>(i) * width, width, values.data());
  }
  return std::vector<Tensor>{result.tensor};
}

template <typename Activation>
static Result<std::vector<Tensor>> evaluateGate(const OpCall &call, Operands operands,
                                                Activation activation) {
  const Tensor &gate = *operands[0], &up = *operands[1];
  QRT_RETURN_IF_ERROR(checkFloats(operands));
  if (gate.shape != up.shape)
    return badOperands(operands, "expects gate and up of one shape");
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, gate.dtype));
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, gate.shape));
  if (!result.data)
    return std::vector<Tensor>{result.tensor};
  constexpr int64_t run = 512;
  double gates[run], ups[run];
  const int64_t count = countOf(gate);
  for (int64_t first = 0; first < count; first += run) {
    const int64_t size = std::min(run, count - first);
    widen(gate, first, size, gates);
    widen(up, first, size, ups);
    for (int64_t i = 0; i < size; ++i)
      gates[i] = activation(gates[i]) * ups[i];
    narrow(dtype, result.data, first, size, gates);
  }
  return std::vector<Tensor>{result.tensor};
}

static Result<std::vector<Tensor>> evaluateSwiglu(const OpCall &call, Operands operands) {
  return evaluateGate(call, operands, [](double x) { return x / (1 + std::exp(-x)); });
}

static Result<std::vector<Tensor>> evaluateGeglu(const OpCall &call, Operands operands) {
  QRT_ASSIGN_OR_RETURN(const std::string kind, stringAttr(call, "approximate", "none"));
  if (kind == "none")
    return evaluateGate(call, operands,
                        [](double x) { return 0.5 * x * (1 + std::erf(x * M_SQRT1_2)); });
  if (kind != "tanh")
    return invalidArgument("expects approximate to be 'none' or 'tanh', got '" + kind + "'");
  return evaluateGate(call, operands, [](double x) {
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  });
}

void addModelOps(OpTable &table) {
  table["embedding"] = {2, 2, evaluateEmbedding};
  table["rms_norm"] = {2, 2, evaluateRmsNorm};
  table["layer_norm"] = {2, 3, evaluateLayerNorm};
  table["hadamard"] = {1, 2, evaluateHadamard};
  table["rotary_embedding"] = {3, 3, evaluateRotaryEmbedding};
  table["rope"] = {3, 3, evaluateRope};
  table["sdpa"] = {3, 4, evaluateSdpa};
  table["attention"] = {3, 3, evaluateAttention};
  table["swiglu"] = {2, 2, evaluateSwiglu};
  table["geglu"] = {2, 2, evaluateGeglu};
}

} // namespace qrt::tensor
