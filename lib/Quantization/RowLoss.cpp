//===- RowLoss.cpp - e H e^T of single rows ---------------------------------------------------===//
#include "RowLoss.h"

#include "MatrixProducts.h"

#include <algorithm>

namespace qopt::quantization {

void rowLosses(const float *e, int64_t rows, int64_t k, const float *h, double *loss) {
  constexpr int64_t width = 256;
  std::fill_n(loss, rows, 0.0);
  std::vector<float> product(rows * width);
  for (int64_t c = 0; c < k; c += width) {
    const int64_t n = std::min(width, k - c), below = k - c - n;
    std::fill(product.begin(), product.end(), 0.0f);
    multiplyAdd(rows, n, n, 1.0f, rowMajor(e + c, k), rowMajor(h + c * k + c, k), product.data(),
                width);
    if (below > 0)
      multiplyAdd(rows, n, below, 2.0f, rowMajor(e + c + n, k), rowMajor(h + (c + n) * k + c, k),
                  product.data(), width);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t j = 0; j < n; ++j)
        loss[r] += double(e[r * k + c + j]) * product[r * width + j];
  }
}

} // namespace qopt::quantization
