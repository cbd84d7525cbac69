//===- Evaluate.cpp - Finds the function of an op and checks what it is given -----------------===//
#include "Tensor/Evaluate.h"

#include "Tensor/Elements.h"
#include "Tensor/OpTable.h"

#include <cstring>
#include <new>
#include <stdexcept>

namespace qrt::tensor {

static const OpTable &opTable() {
  static const OpTable table = [] {
    OpTable rows;
    addElementwiseOps(rows);
    addIndexingOps(rows);
    addReductionOps(rows);
    addShapeOps(rows);
    addMatrixOps(rows);
    addModelOps(rows);
    addQuantOps(rows);
    return rows;
  }();
  return table;
}

bool isKnownOp(std::string_view name) { return opTable().contains(name); }

static Status checkOperands(const OpRow &row, Operands operands) {
  const auto count = std::to_string(operands.size());
  if (operands.size() < row.minOperands || operands.size() > row.maxOperands) {
    std::string wanted = std::to_string(row.minOperands);
    if (row.maxOperands == SIZE_MAX)
      wanted = "at least " + wanted;
    else if (row.maxOperands != row.minOperands)
      wanted += " to " + std::to_string(row.maxOperands);
    return invalidArgument("has " + count + " operands, expects " + wanted);
  }
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i]) {
      if (i < row.minOperands)
        return invalidArgument("operand " + std::to_string(i) + " is missing");
      continue;
    }
    if (Status status = checkShape(operands[i]->dtype, operands[i]->shape).status(); !status)
      return status.withContext("operand " + std::to_string(i));
  }
  return Status::ok();
}

/// Data borrowed from a file may lie anywhere; op functions read it as an array of its type.
static bool isMisaligned(const Tensor &x) {
  return reinterpret_cast<uintptr_t>(x.data.get()) % static_cast<uintptr_t>(byteWidth(x.dtype));
}
/// An empty array may have no address, but nothing about it is unknown.
static bool isEmptyWithoutData(const Tensor &x) { return isAbstract(x) && countOf(x) == 0; }

static Result<Tensor> copyOf(const Tensor &x) {
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(x.dtype, x.shape));
  if (const auto bytes = static_cast<size_t>(countOf(x)) * byteWidth(x.dtype))
    std::memcpy(fresh.data, x.data.get(), bytes);
  return std::move(fresh.tensor);
}

static Result<std::vector<Tensor>> call(const OpRow &row, const OpCall &call, Operands operands) {
  QRT_RETURN_IF_ERROR(checkOperands(row, operands));
  std::vector<Tensor> copies;
  std::vector<const Tensor *> replaced;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i] || (!isMisaligned(*operands[i]) && !isEmptyWithoutData(*operands[i])))
      continue;
    if (replaced.empty()) {
      copies.reserve(operands.size());
      replaced.assign(operands.begin(), operands.end());
    }
    QRT_ASSIGN_OR_RETURN(Tensor copy, copyOf(*operands[i]));
    replaced[i] = &copies.emplace_back(std::move(copy));
  }
  return row.function(call, replaced.empty() ? operands : Operands(replaced));
}

Result<std::vector<Tensor>> evaluate(const OpCall &op, Operands operands) {
  auto found = opTable().find(op.name);
  if (found == opTable().end())
    return unsupported("'" + op.name + "' is not an op of this library");
  try {
    Result<std::vector<Tensor>> results = call(found->second, op, operands);
    return results ? std::move(results) : results.status().withContext(op.name);
  } catch (const std::bad_alloc &) {
    return resourceExhausted(op.name + ": no memory for the result");
  } catch (const std::length_error &) {
    return resourceExhausted(op.name + ": no memory for the result");
  }
}

} // namespace qrt::tensor
