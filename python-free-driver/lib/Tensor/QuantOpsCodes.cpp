//===- QuantOpsCodes.cpp - Weights as codes in groups of K ------------------------------------===//
// Of the ways a kernel may treat the input of quantized_linear, only "a8" is coarse enough to be
// part of the result: tokens are then rounded to 8 bits per group (128 elements where a row is one
// group), as kernels/cpu/linear/linear.h defines it. "a16" and "f32" are the same here.
#include "Tensor/MatrixOps.h"
#include "Tensor/ModelOps.h"
#include "Tensor/Products.h"
#include "Tensor/QuantOps.h"
#include "Tensor/WideElements.h"
#include "qrt/Half.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qrt::tensor {

Result<GroupedCodes> GroupedCodes::make(const OpCall &call, Operands operands, const Tensor &matrix,
                                        const Tensor &scales, const Tensor *zeroPoints) {
  GroupedCodes codes;
  QRT_ASSIGN_OR_RETURN(codes.bits, requiredInt(call, "bits"));
  QRT_ASSIGN_OR_RETURN(codes.group, intAttr(call, "group_size", 0));
  if (codes.bits != 2 && codes.bits != 3 && codes.bits != 4 && codes.bits != 8)
    return invalidArgument("expects 2, 3, 4 or 8 bits, got " + std::to_string(codes.bits));
  if (codes.group != 0 && codes.group != 32 && codes.group != 64 && codes.group != 128)
    return invalidArgument("expects a group_size of 0, 32, 64 or 128, got " +
                           std::to_string(codes.group));
  if (matrix.shape.size() != 2 || !isFloat(scales.dtype) ||
      (zeroPoints && zeroPoints->dtype != DType::U8))
    return badOperands(operands, "expects a matrix [N, K], float scales and u8 zero points");
  const int64_t width = matrix.shape[1];
  if (codes.group == 0)
    codes.group = std::max<int64_t>(width, 1);
  const int64_t groups = codes.group >= width ? 1 : (width + codes.group - 1) / codes.group;
  const Shape expected{matrix.shape[0], groups};
  if (scales.shape != expected || (zeroPoints && zeroPoints->shape != expected))
    return badOperands(operands, "expects scales and zero points of shape " + shapeText(expected));
  codes.matrix = &matrix;
  codes.scales = &scales;
  codes.zeroPoints = zeroPoints;
  codes.values.resize(static_cast<size_t>(width));
  codes.rowScales.resize(static_cast<size_t>(groups));
  codes.rowZeros.assign(static_cast<size_t>(groups), int64_t(1) << (codes.bits - 1));
  return codes;
}

void GroupedCodes::loadRow(int64_t n) {
  const auto groups = static_cast<int64_t>(rowScales.size());
  widen(*matrix, n * width(), width(), values.data());
  widen(*scales, n * groups, groups, rowScales.data());
  if (zeroPoints)
    widen(*zeroPoints, n * groups, groups, rowZeros.data());
}

void GroupedCodes::dequantizeRow(int64_t n, float *out) {
  loadRow(n);
  for (int64_t first = 0, g = 0; first < width(); first += group, ++g) {
    const auto scale = static_cast<float>(rowScales[g]), zero = static_cast<float>(rowZeros[g]);
    for (int64_t k = first; k < std::min(first + group, width()); ++k)
      out[k] = (static_cast<float>(values[k]) - zero) * scale;
  }
}

void GroupedCodes::quantizeRow(int64_t n, uint8_t *out) {
  loadRow(n);
  for (int64_t k = 0; k < width(); ++k) {
    const auto g = static_cast<size_t>(k / group);
    const float quotient = static_cast<float>(values[k]) / static_cast<float>(rowScales[g]);
    out[k] = static_cast<uint8_t>(quantizeValue(quotient, rowZeros[g], 0, largestCode()));
  }
}

namespace {

Status checkCodes(Operands operands, const Tensor &codes) {
  return codes.dtype == DType::U8 ? Status::ok() : badOperands(operands, "expects codes in u8");
}

Result<std::vector<Tensor>> evaluateDequantize(const OpCall &call, Operands operands) {
  QRT_RETURN_IF_ERROR(checkCodes(operands, *operands[0]));
  QRT_ASSIGN_OR_RETURN(
      GroupedCodes codes,
      GroupedCodes::make(call, operands, *operands[0], *operands[1], operandAt(operands, 2)));
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, DType::F32));
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, operands[0]->shape));
  if (!result.data)
    return std::vector<Tensor>{result.tensor};
  std::vector<float> row(static_cast<size_t>(codes.width()));
  std::vector<double> wide(row.size());
  for (int64_t n = 0; n < codes.rows(); ++n) {
    codes.dequantizeRow(n, row.data());
    std::copy(row.begin(), row.end(), wide.begin());
    narrow(dtype, result.data, n * codes.width(), codes.width(), wide.data());
  }
  return std::vector<Tensor>{result.tensor};
}

Result<std::vector<Tensor>> evaluateQuantize(const OpCall &call, Operands operands) {
  QRT_RETURN_IF_ERROR(checkFloats(operands.first(2)));
  QRT_ASSIGN_OR_RETURN(
      GroupedCodes codes,
      GroupedCodes::make(call, operands, *operands[0], *operands[1], operandAt(operands, 2)));
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, DType::U8, operands[0]->shape));
  for (int64_t n = 0; result.data && n < codes.rows(); ++n)
    codes.quantizeRow(n, result.as<uint8_t>() + n * codes.width());
  return std::vector<Tensor>{result.tensor};
}

Result<std::vector<Tensor>> evaluateQuantizedEmbedding(const OpCall &call, Operands operands) {
  QRT_RETURN_IF_ERROR(checkCodes(operands, *operands[0]));
  if (operands.size() != 4 || !operands[3] || !isInteger(operands[3]->dtype))
    return badOperands(operands, "expects integer ids in fourth place");
  const Tensor &ids = *operands[3];
  QRT_ASSIGN_OR_RETURN(GroupedCodes codes,
                       GroupedCodes::make(call, operands, *operands[0], *operands[1], operands[2]));
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, DType::F32));
  Shape shape = ids.shape;
  shape.push_back(codes.width());
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, std::move(shape)));
  if (!result.data)
    return std::vector<Tensor>{result.tensor};
  QRT_ASSIGN_OR_RETURN(const std::vector<int64_t> rows, rowsOfIds(call, ids, codes.rows()));
  std::vector<float> row(static_cast<size_t>(codes.width()));
  std::vector<double> wide(row.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    codes.dequantizeRow(rows[i], row.data());
    std::copy(row.begin(), row.end(), wide.begin());
    narrow(dtype, result.data, static_cast<int64_t>(i) * codes.width(), codes.width(), wide.data());
  }
  return std::vector<Tensor>{result.tensor};
}

/// x as 8-bit codes per token and block of K, and back, in f64. With static scales, one per block,
/// what they do not reach is clamped.
Result<Tensor> roundedTo8Bits(const Tensor &x, int64_t block, const std::vector<double> *scales) {
  if (scales && static_cast<int64_t>(scales->size()) != (x.shape.back() + block - 1) / block)
    return invalidArgument("expects one of activation_scales per block of K");
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeTensor(DType::F64, x.shape));
  const int64_t width = x.shape.back(), count = countOf(x);
  double *values = result.as<double>();
  widen(x, 0, count, values);
  for (int64_t row = 0; row < count; row += width)
    for (int64_t first = 0; first < width; first += block) {
      double *part = values + row + first;
      const int64_t size = std::min(block, width - first);
      float largest = 0;
      bool finite = true;
      for (int64_t i = 0; i < size; ++i) {
        finite &= std::isfinite(static_cast<float>(part[i]));
        largest = std::max(largest, std::abs(static_cast<float>(part[i])));
      }
      if (scales) {
        const auto scale = static_cast<float>((*scales)[static_cast<size_t>(first / block)]);
        const float inverse = 1.0f / scale;
        for (int64_t i = 0; i < size; ++i) {
          const double code = std::nearbyint(static_cast<float>(part[i]) * inverse);
          part[i] = finite ? std::clamp(code, -127.0, 127.0) * static_cast<double>(scale) : NAN;
        }
        continue;
      }
      const float scale = largest / 127.0f;
      const bool zero = scale < std::numeric_limits<float>::min();
      const float inverse = zero ? 0.0f : 127.0f / largest;
      for (int64_t i = 0; i < size; ++i) {
        const double code = std::nearbyint(static_cast<float>(part[i]) * inverse);
        part[i] = finite ? code * (zero ? 0.0 : static_cast<double>(scale)) : NAN;
      }
    }
  return std::move(result.tensor);
}

/// Operands 5 to 7 of quantized_linear: rows [N + 1], columns and values [E].
struct SparseRows {
  const int32_t *rows = nullptr;
  const uint16_t *columns = nullptr, *values = nullptr;

  void addTo(int64_t row, float *weights) const {
    for (int32_t e = rows ? rows[row] : 0, end = rows ? rows[row + 1] : 0; e < end; ++e)
      weights[columns[e]] += f16ToF32(values[e]);
  }
};

Result<SparseRows> sparseRows(Operands operands, int64_t n, int64_t k) {
  SparseRows sparse;
  const Tensor *rows = operandAt(operands, 5), *columns = operandAt(operands, 6),
               *values = operandAt(operands, 7);
  if (!rows && !columns && !values)
    return sparse;
  if (!rows || !columns || !values || rows->dtype != DType::I32 || columns->dtype != DType::U16 ||
      values->dtype != DType::F16 || countOf(*rows) != n + 1 ||
      countOf(*columns) != countOf(*values))
    return badOperands(operands, "expects outliers of i32 [N + 1], u16 [E] and f16 [E]");
  if (!rows->data || !columns->data || !values->data)
    return sparse; // shapes only
  sparse = {static_cast<const int32_t *>(rows->data.get()),
            static_cast<const uint16_t *>(columns->data.get()),
            static_cast<const uint16_t *>(values->data.get())};
  if (sparse.rows[0] != 0 || sparse.rows[n] != countOf(*values))
    return badOperands(operands, "expects rows of outliers from 0 to E");
  for (int64_t row = 0; row < n; ++row) {
    if (sparse.rows[row + 1] < sparse.rows[row] || sparse.rows[row + 1] > sparse.rows[n])
      return badOperands(operands, "expects rows of outliers that do not fall");
    for (int32_t e = sparse.rows[row]; e < sparse.rows[row + 1]; ++e)
      if (sparse.columns[e] >= k)
        return badOperands(operands, "expects columns of outliers below K");
  }
  return sparse;
}

Result<std::vector<Tensor>> evaluateQuantizedLinear(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0], *bias = operandAt(operands, 4);
  const Tensor *floats[] = {&x, operands[2], bias};
  QRT_RETURN_IF_ERROR(checkFloats(floats));
  QRT_RETURN_IF_ERROR(checkCodes(operands, *operands[1]));
  QRT_ASSIGN_OR_RETURN(
      GroupedCodes codes,
      GroupedCodes::make(call, operands, *operands[1], *operands[2], operandAt(operands, 3)));
  const int64_t rows = codes.rows(), depth = codes.width();
  if (x.shape.empty() || x.shape.back() != depth || (bias && countOf(*bias) != rows))
    return badOperands(operands, "expects x [..., K] and a bias of N elements");
  QRT_ASSIGN_OR_RETURN(const std::string activation, stringAttr(call, "activation", "a16"));
  if (activation != "f32" && activation != "a16" && activation != "a8")
    return invalidArgument("expects activation to be 'f32', 'a16' or 'a8', got '" + activation +
                           "'");
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, x.dtype));
  Shape shape = x.shape;
  shape.back() = rows;
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, std::move(shape)));
  if (!result.data || countOf(result.tensor) == 0)
    return std::vector<Tensor>{result.tensor};

  Tensor input = x;
  if (activation == "a8") {
    auto given = call.attrs.find("activation_scales");
    const auto *scales =
        given == call.attrs.end() ? nullptr : std::get_if<std::vector<double>>(&given->second);
    QRT_ASSIGN_OR_RETURN(input,
                         roundedTo8Bits(x, std::min<int64_t>(codes.groupSize(), 128), scales));
  }
  QRT_ASSIGN_OR_RETURN(const SparseRows outliers, sparseRows(operands, rows, depth));
  constexpr int64_t rowsAtOnce = 256; // dequantized
  QRT_ASSIGN_OR_RETURN(FreshTensor part,
                       makeTensor(DType::F32, {std::min(rowsAtOnce, rows), depth}));
  Product product;
  product.dtype = dtype;
  product.data = result.data;
  const int64_t tokens = countOf(result.tensor) / rows;
  product.a = {&input, 0, offsets(tokens, depth), offsets(depth, 1), {}};
  product.rows = offsets(tokens, rows);
  product.bias = bias;
  for (int64_t first = 0; first < rows; first += rowsAtOnce) {
    const int64_t count = std::min(rowsAtOnce, rows - first);
    for (int64_t n = 0; n < count; ++n) {
      codes.dequantizeRow(first + n, part.as<float>() + n * depth);
      outliers.addTo(first + n, part.as<float>() + n * depth);
    }
    product.b = {&part.tensor, 0, offsets(count, depth), offsets(depth, 1), {}};
    product.columns = offsets(count, 1);
    product.base = product.biasBase = first;
    multiply(product);
  }
  return std::vector<Tensor>{result.tensor};
}

} // namespace

void addCodeOps(OpTable &table) {
  table["dequantize"] = {2, 3, evaluateDequantize};
  table["quantize"] = {2, 3, evaluateQuantize};
  table["quantized_linear"] = {3, 8, evaluateQuantizedLinear};
  table["quantized_embedding"] = {2, 4, evaluateQuantizedEmbedding};
}

} // namespace qrt::tensor
