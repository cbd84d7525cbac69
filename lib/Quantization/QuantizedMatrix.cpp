//===- QuantizedMatrix.cpp - What every weight quantizer returns ------------------------------===//
#include "qopt/Quantization/QuantizedMatrix.h"

#include "RowLoss.h"

#include "qrt/Half.h"

#include <algorithm>
#include <cstring>

namespace qopt::quantization {

namespace {

/// Sums `loss` over rows in order; rows are filled per panel by body(first row, rows, e, loss).
template <typename Fill>
double sumOfRows(int64_t n, int64_t k, std::span<const float> h, const ParallelFor &parallel,
                 Fill fill) {
  std::vector<double> losses(n, 0.0);
  parallel((n + panelRows - 1) / panelRows, [&](int64_t panel) {
    const int64_t first = panel * panelRows, rows = std::min(panelRows, n - first);
    std::vector<float> e(rows * k);
    for (int64_t r = 0; r < rows; ++r)
      fill(first + r, e.data() + r * k);
    rowLosses(e.data(), rows, k, h.data(), losses.data() + first);
  });
  double sum = 0;
  for (double loss : losses)
    sum += loss;
  return sum;
}

} // namespace

QuantizedMatrix makeQuantizedMatrix(const GroupFormat &format, int64_t n, int64_t k) {
  QuantizedMatrix matrix;
  matrix.format = format;
  matrix.n = n;
  matrix.k = k;
  matrix.codes.resize(n * k);
  matrix.scales.resize(n * matrix.groups());
  if (!format.symmetric)
    matrix.zeroPoints.resize(matrix.scales.size());
  return matrix;
}

void dequantizeRow(const QuantizedMatrix &matrix, int64_t row, float *out) {
  const int64_t k = matrix.k, groups = matrix.groups();
  const int64_t size = matrix.format.groupSize ? matrix.format.groupSize : k;
  for (int64_t g = 0; g < groups; ++g) {
    const float scale = qrt::f16ToF32(matrix.scales[row * groups + g]);
    const int zero = matrix.zeroPoint(row, g);
    for (int64_t j = g * size; j < std::min(k, (g + 1) * size); ++j)
      out[j] = static_cast<float>(int(matrix.codes[row * k + j]) - zero) * scale;
  }
}

void dequantize(const QuantizedMatrix &matrix, std::span<float> out, const ParallelFor &parallel) {
  parallel(matrix.n, [&](int64_t row) { dequantizeRow(matrix, row, out.data() + row * matrix.k); });
}

double hessianLoss(std::span<const float> w, const QuantizedMatrix &matrix,
                   std::span<const float> h, const ParallelFor &parallel) {
  const int64_t k = matrix.k;
  return sumOfRows(matrix.n, k, h, parallel, [&](int64_t row, float *e) {
    dequantizeRow(matrix, row, e);
    for (int64_t j = 0; j < k; ++j)
      e[j] = w[row * k + j] - e[j];
  });
}

double hessianEnergy(std::span<const float> w, int64_t n, int64_t k, std::span<const float> h,
                     const ParallelFor &parallel) {
  return sumOfRows(n, k, h, parallel, [&](int64_t row, float *e) {
    std::memcpy(e, w.data() + row * k, k * sizeof(float));
  });
}

} // namespace qopt::quantization
