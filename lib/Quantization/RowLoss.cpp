//===- RowLoss.cpp - e H e^T of single rows ---------------------------------------------------===//
#include "RowLoss.h"

#include "MatrixProducts.h"

#include <algorithm>

namespace qopt::quantization {

int64_t panelRowsFor(int64_t rows, int workers) {
  constexpr int64_t most = 240;
  const int64_t jobs = std::max<int64_t>(1, workers);
  const int64_t panels = (rows + most * jobs - 1) / (most * jobs) * jobs;
  return ((rows + panels - 1) / panels + 7) / 8 * 8;
}

void rowLosses(const float *e, int64_t rows, int64_t k, const float *h, double *loss) {
  constexpr int64_t width = 256;
  std::fill_n(loss, rows, 0.0);
  PackedRows packed(rows, k);
  packed.pack(e, k, 0, k);
  std::vector<float> product(rows * width);
  for (int64_t c = 0; c < k; c += width) {
    const int64_t n = std::min(width, k - c);
    std::fill(product.begin(), product.end(), 0.0f);
    multiplyAdd(packed, c, c + n, n, 1.0f, rowMajor(h + c * k + c, k), product.data(), width);
    if (c + n < k)
      multiplyAdd(packed, c + n, k, n, 2.0f, rowMajor(h + (c + n) * k + c, k), product.data(),
                  width);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t j = 0; j < n; ++j)
        loss[r] += double(e[r * k + c + j]) * product[r * width + j];
  }
}

} // namespace qopt::quantization
