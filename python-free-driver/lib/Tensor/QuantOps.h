//===- QuantOps.h - Codes, scales and zero points ---------------------------------------------===//
// docs/semantics.md defines the arithmetic: in f32, rounding to nearest even, saturating before the
// integer cast.
#ifndef QRT_TENSOR_QUANTOPS_H
#define QRT_TENSOR_QUANTOPS_H

#include "Tensor/OpSupport.h"

namespace qrt::tensor {

/// round(x) to nearest even, plus `zero`, clamped to [low, high]; a NaN counts as 0.
int64_t quantizeValue(double x, int64_t zero, int64_t low, int64_t high);

/// A matrix [N, K] in groups of K, as dequantize, quantize and the quantized ops take it.
class GroupedCodes {
public:
  /// Checks shapes, types, `bits` and `group_size`. `matrix` is what has the shape [N, K]: codes,
  /// or what is to be quantized. `zeroPoints` may be null.
  static Result<GroupedCodes> make(const OpCall &call, Operands operands, const Tensor &matrix,
                                   const Tensor &scales, const Tensor *zeroPoints);

  int64_t rows() const { return matrix->shape[0]; }
  int64_t width() const { return matrix->shape[1]; }
  /// Elements of K that share a scale.
  int64_t groupSize() const { return group; }
  int64_t largestCode() const { return (int64_t(1) << bits) - 1; }

  /// Row n of codes as the floats they stand for.
  void dequantizeRow(int64_t n, float *out);
  /// Row n of floats as codes.
  void quantizeRow(int64_t n, uint8_t *out);

private:
  void loadRow(int64_t n);

  const Tensor *matrix = nullptr, *scales = nullptr, *zeroPoints = nullptr;
  int64_t bits = 0, group = 0;
  std::vector<double> values, rowScales;
  std::vector<int64_t> rowZeros;
};

void addCodeOps(OpTable &table); // dequantize, quantize, quantized_linear, quantized_embedding

} // namespace qrt::tensor

#endif // QRT_TENSOR_QUANTOPS_H
