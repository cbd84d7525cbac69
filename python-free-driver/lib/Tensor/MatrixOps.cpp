//===- MatrixOps.cpp - matmul and linear ------------------------------------------------------===//
#include "Tensor/MatrixOps.h"
#include "Tensor/Products.h"

namespace qrt::tensor {

/// One matrix of a stack: the offset of stack entry `index` of `batch` in a tensor whose stack
/// dimensions are `dims` (broadcast, aligned at the end) and whose matrices have `size` elements.
static int64_t matrixOffset(int64_t index, const Shape &batch, const Shape &dims, int64_t size) {
  int64_t offset = 0, stride = size;
  for (size_t i = 0; i < batch.size(); ++i) {
    const size_t from = batch.size() - 1 - i;
    const int64_t position = index % batch[from];
    index /= batch[from];
    if (i >= dims.size())
      continue;
    const int64_t dim = dims[dims.size() - 1 - i];
    offset += dim == 1 ? 0 : position * stride;
    stride *= dim;
  }
  return offset;
}

Result<std::vector<Tensor>> multiplyStacks(Operands operands, DType dtype,
                                           const StackZeros &zeros) {
  const Tensor &a = *operands[0], &b = *operands[1];
  if (a.shape.empty() || b.shape.empty())
    return badOperands(operands, "expects operands of rank 1 or more");
  const bool isRow = a.shape.size() == 1, isColumn = b.shape.size() == 1;
  const int64_t rows = isRow ? 1 : a.shape[a.shape.size() - 2];
  const int64_t columns = isColumn ? 1 : b.shape.back();
  const int64_t depth = a.shape.back();
  if (b.shape[b.shape.size() - (isColumn ? 1 : 2)] != depth)
    return badOperands(operands, "expects operands that agree in K");
  const Shape stackA(a.shape.begin(), a.shape.end() - (isRow ? 1 : 2));
  const Shape stackB(b.shape.begin(), b.shape.end() - (isColumn ? 1 : 2));
  QRT_ASSIGN_OR_RETURN(const Shape batch, broadcastShapes(stackA, stackB));
  Shape shape = batch;
  if (!isRow)
    shape.push_back(rows);
  if (!isColumn)
    shape.push_back(columns);
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, std::move(shape)));
  if (!result.data || countOf(result.tensor) == 0)
    return std::vector<Tensor>{result.tensor};

  Product product;
  product.dtype = dtype;
  product.data = result.data;
  product.a = {&a, 0, offsets(rows, depth), offsets(depth, 1), zeros.rows};
  product.b = {&b, 0, offsets(columns, 1), offsets(depth, columns), zeros.columns};
  product.rows = offsets(rows, columns);
  product.columns = offsets(columns, 1);
  const int64_t stacks = countOf(batch);
  for (int64_t i = 0; i < stacks; ++i) {
    product.a.base = matrixOffset(i, batch, stackA, rows * depth);
    product.b.base = matrixOffset(i, batch, stackB, depth * columns);
    product.base = i * rows * columns;
    multiply(product);
  }
  return std::vector<Tensor>{result.tensor};
}

static Result<std::vector<Tensor>> evaluateMatmul(const OpCall &call, Operands operands) {
  const DType dtype = operands[0]->dtype;
  if (dtype != operands[1]->dtype || dtype == DType::Bool)
    return badOperands(operands, "expects numbers of one type");
  return multiplyStacks(operands, dtype, {});
}

static Result<std::vector<Tensor>> evaluateLinear(const OpCall &call, Operands operands) {
  return multiplyRows(call, operands, *operands[0], *operands[1], operandAt(operands, 2));
}

Result<std::vector<Tensor>> multiplyRows(const OpCall &call, Operands operands, const Tensor &x,
                                         const Tensor &w, const Tensor *bias) {
  const Tensor *floats[] = {&x, &w, bias};
  QRT_RETURN_IF_ERROR(checkFloats(floats));
  if (w.shape.size() != 2 || x.shape.empty() || x.shape.back() != w.shape[1])
    return badOperands(operands, "expects x [..., K] and a weight [N, K]");
  const int64_t width = w.shape[0], depth = w.shape[1];
  if (bias && countOf(*bias) != width)
    return badOperands(operands, "expects a bias of " + std::to_string(width) + " elements");
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, x.dtype));
  Shape shape = x.shape;
  shape.back() = width;
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, std::move(shape)));
  if (!result.data || countOf(result.tensor) == 0)
    return std::vector<Tensor>{result.tensor};
  const int64_t rows = countOf(x.shape, 0, x.shape.size() - 1);
  Product product;
  product.dtype = dtype;
  product.data = result.data;
  product.a = {&x, 0, offsets(rows, depth), offsets(depth, 1), {}};
  product.b = {&w, 0, offsets(width, depth), offsets(depth, 1), {}};
  product.rows = offsets(rows, width);
  product.columns = offsets(width, 1);
  product.bias = bias;
  multiply(product);
  return std::vector<Tensor>{result.tensor};
}

void addMatrixOps(OpTable &table) {
  table["matmul"] = {2, 2, evaluateMatmul};
  table["linear"] = {2, 3, evaluateLinear};
  table["einsum"] = {1, SIZE_MAX, evaluateEinsum};
}

} // namespace qrt::tensor
