//===- QuantOps.cpp - The quantization ops of ONNX --------------------------------------------===//
#include "Tensor/QuantOps.h"
#include "Tensor/MatrixOps.h"
#include "Tensor/WideElements.h"

#include <algorithm>
#include <cmath>

namespace qrt::tensor {
namespace {

struct Range {
  int64_t low, high;
};
Range rangeOf(DType dtype) {
  const int bits = bitWidth(dtype);
  if (isSigned(dtype))
    return {-(int64_t(1) << (bits - 1)), (int64_t(1) << (bits - 1)) - 1};
  return {0, (int64_t(1) << bits) - 1};
}
bool isStoredType(DType dtype) { return isInteger(dtype) && bitWidth(dtype) <= 32; }

/// Which scale belongs to which element of x: one for all, one per entry along the axis, or one per
/// block along it.
class ScaleWalk {
public:
  static Result<ScaleWalk> make(const OpCall &call, Operands operands) {
    const Tensor &x = *operands[0], &scale = *operands[1], *zero = operandAt(operands, 2);
    QRT_ASSIGN_OR_RETURN(const int64_t axisNumber, intAttr(call, "axis", 1));
    QRT_ASSIGN_OR_RETURN(const int64_t block, countAttr(call, "block_size", 0));
    if (zero && zero->shape != scale.shape)
      return badOperands(operands, "expects a zero point of the shape of the scale");
    ScaleWalk walk;
    if (countOf(scale) == 1)
      return walk;
    QRT_ASSIGN_OR_RETURN(const size_t axis, axisOf(axisNumber, x.shape.size()));
    walk.size = x.shape[axis];
    walk.inner = countOf(x.shape, axis + 1, x.shape.size());
    Shape expected{walk.size};
    walk.block = 1;
    if (block > 0) {
      walk.block = block;
      walk.scalesPerOuter = (walk.size + block - 1) / block * walk.inner;
      walk.scalesPerBlock = walk.inner;
      expected = x.shape;
      expected[axis] = (walk.size + block - 1) / block;
    }
    if (scale.shape != expected)
      return badOperands(operands,
                         "expects a scale of one element or of shape " + shapeText(expected));
    return walk;
  }

  /// Index of the scale of element `index` of x.
  int64_t operator()(int64_t index) const {
    if (block == 0)
      return 0;
    const int64_t position = index / inner;
    if (scalesPerBlock == 0)
      return position % size;
    return position / size * scalesPerOuter + position % size / block * scalesPerBlock +
           index % inner;
  }

private:
  int64_t size = 1, inner = 1, block = 0;
  int64_t scalesPerOuter = 0, scalesPerBlock = 0; ///< 0: per axis
};

struct Scales {
  std::vector<double> scales;
  std::vector<int64_t> zeros;
};
Scales readScales(Operands operands) {
  const Tensor &scale = *operands[1], *zero = operandAt(operands, 2);
  const auto count = static_cast<size_t>(countOf(scale));
  Scales result{std::vector<double>(count), std::vector<int64_t>(count, 0)};
  widen(scale, 0, countOf(scale), result.scales.data());
  if (zero)
    widen(*zero, 0, countOf(scale), result.zeros.data());
  return result;
}

constexpr int64_t run = 512;

Result<std::vector<Tensor>> evaluateDequantizeLinear(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0], &scale = *operands[1], *zero = operandAt(operands, 2);
  if (!isStoredType(x.dtype) || !isFloat(scale.dtype) || (zero && zero->dtype != x.dtype))
    return badOperands(operands, "expects integers, a float scale and a zero point of x's type");
  QRT_ASSIGN_OR_RETURN(const ScaleWalk walk, ScaleWalk::make(call, operands));
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, scale.dtype));
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, x.shape));
  if (!result.data)
    return std::vector<Tensor>{result.tensor};
  const Scales s = readScales(operands);
  int64_t codes[run];
  double values[run];
  for (int64_t first = 0, count = countOf(x); first < count; first += run) {
    const int64_t length = std::min(run, count - first);
    widen(x, first, length, codes);
    for (int64_t i = 0; i < length; ++i) {
      const auto at = static_cast<size_t>(walk(first + i));
      const int64_t code = codes[i] - s.zeros[at];
      values[i] = scale.dtype == DType::F64
                      ? static_cast<double>(code) * s.scales[at]
                      : static_cast<float>(code) * static_cast<float>(s.scales[at]);
    }
    narrow(dtype, result.data, first, length, values);
  }
  return std::vector<Tensor>{result.tensor};
}

Result<std::vector<Tensor>> evaluateQuantizeLinear(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0], &scale = *operands[1], *zero = operandAt(operands, 2);
  if (!isFloat(x.dtype) || !isFloat(scale.dtype) || (zero && !isStoredType(zero->dtype)))
    return badOperands(operands, "expects floats, a float scale and an integer zero point");
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, zero ? zero->dtype : DType::U8));
  if (!isStoredType(dtype) || (zero && zero->dtype != dtype))
    return badOperands(operands, "expects a zero point of the type " + std::string(name(dtype)));
  QRT_ASSIGN_OR_RETURN(const ScaleWalk walk, ScaleWalk::make(call, operands));
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, x.shape));
  if (!result.data)
    return std::vector<Tensor>{result.tensor};
  const Scales s = readScales(operands);
  const Range range = rangeOf(dtype);
  int64_t codes[run];
  double values[run];
  for (int64_t first = 0, count = countOf(x); first < count; first += run) {
    const int64_t length = std::min(run, count - first);
    widen(x, first, length, values);
    for (int64_t i = 0; i < length; ++i) {
      const auto at = static_cast<size_t>(walk(first + i));
      const double quotient =
          x.dtype == DType::F64 ? values[i] / s.scales[at]
                                : static_cast<float>(values[i]) / static_cast<float>(s.scales[at]);
      codes[i] = quantizeValue(quotient, s.zeros[at], range.low, range.high);
    }
    narrow(dtype, result.data, first, length, codes);
  }
  return std::vector<Tensor>{result.tensor};
}

Result<std::vector<Tensor>> evaluateDynamicQuantizeLinear(const OpCall &, Operands operands) {
  const Tensor &x = *operands[0];
  if (x.dtype != DType::F32)
    return badOperands(operands, "expects f32");
  QRT_ASSIGN_OR_RETURN(FreshTensor codes, makeResult(operands, DType::U8, x.shape));
  QRT_ASSIGN_OR_RETURN(FreshTensor scale, makeResult(operands, DType::F32, {}));
  QRT_ASSIGN_OR_RETURN(FreshTensor zero, makeResult(operands, DType::U8, {}));
  if (codes.data) {
    const auto *values = static_cast<const float *>(x.data.get());
    const int64_t count = countOf(x);
    float low = 0, high = 0;
    for (int64_t i = 0; i < count; ++i) {
      low = std::min(low, values[i]);
      high = std::max(high, values[i]);
    }
    const float step = high == low ? 1.0f : (high - low) / 255.0f;
    const int64_t shift = quantizeValue(-low / step, 0, 0, 255);
    for (int64_t i = 0; i < count; ++i)
      codes.as<uint8_t>()[i] = static_cast<uint8_t>(quantizeValue(values[i] / step, shift, 0, 255));
    *scale.as<float>() = step;
    *zero.as<uint8_t>() = static_cast<uint8_t>(shift);
  }
  return std::vector<Tensor>{codes.tensor, scale.tensor, zero.tensor};
}

/// A zero point for each of `count` rows or columns.
Result<std::vector<int64_t>> zerosOf(Operands operands, const Tensor *zero, int64_t count) {
  std::vector<int64_t> result;
  if (!zero || isAbstract(*zero))
    return result;
  const int64_t given = countOf(*zero);
  if (given != 1 && given != count)
    return badOperands(operands,
                       "expects zero points of one element or one per row of a and column "
                       "of b");
  result.resize(static_cast<size_t>(count));
  widen(*zero, 0, given, result.data());
  if (given == 1)
    std::fill(result.begin(), result.end(), result.empty() ? 0 : result[0]);
  return result;
}

Result<std::vector<Tensor>> evaluateMatmulInteger(const OpCall &, Operands operands) {
  const Tensor &a = *operands[0], &b = *operands[1];
  for (const Tensor *operand : operands)
    if (operand && !isStoredType(operand->dtype))
      return badOperands(operands, "expects integer operands");
  if (a.shape.empty() || b.shape.empty())
    return badOperands(operands, "expects operands of rank 1 or more");
  StackZeros zeros;
  const int64_t rows = a.shape.size() == 1 ? 1 : a.shape[a.shape.size() - 2];
  const int64_t columns = b.shape.size() == 1 ? 1 : b.shape.back();
  QRT_ASSIGN_OR_RETURN(zeros.rows, zerosOf(operands, operandAt(operands, 2), rows));
  QRT_ASSIGN_OR_RETURN(zeros.columns, zerosOf(operands, operandAt(operands, 3), columns));
  return multiplyStacks(operands, DType::I32, zeros);
}

} // namespace

int64_t quantizeValue(double x, int64_t zero, int64_t low, int64_t high) {
  if (std::isnan(x))
    return std::clamp(zero, low, high);
  const double shifted = std::nearbyint(x) + static_cast<double>(zero);
  return static_cast<int64_t>(
      std::clamp(shifted, static_cast<double>(low), static_cast<double>(high)));
}

void addQuantOps(OpTable &table) {
  table["dequantize_linear"] = {2, 3, evaluateDequantizeLinear};
  table["quantize_linear"] = {2, 3, evaluateQuantizeLinear};
  table["dynamic_quantize_linear"] = {1, 1, evaluateDynamicQuantizeLinear};
  table["matmul_integer"] = {2, 4, evaluateMatmulInteger};
  addCodeOps(table);
}

} // namespace qrt::tensor
