//===- TargetCorrection.cpp - Weights that make up for quantized inputs -----------------------===//
#include "qopt/Quantization/TargetCorrection.h"

#include "MatrixProducts.h"
#include "Panel.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace qopt::quantization {

/// rows = rows (R R^T)^-1, block by block: Z R^T = rows from the last one, then X R = Z.
static void solve(const PreparedHessian &hessian, std::span<const Block> blocks, float *rows,
                  int64_t count) {
  const int64_t k = hessian.k;
  const float *factor = hessian.r.data();
  std::vector<float> rest(count * positionsPerBlock);
  auto finish = [&](const Block &block, Strided<float> inverse) {
    const int64_t n = block.last - block.first;
    for (int64_t r = 0; r < count; ++r) {
      std::copy_n(rows + r * k + block.first, n, rest.data() + r * n);
      std::fill_n(rows + r * k + block.first, n, 0.0f);
    }
    multiplyAdd(count, n, n, 1.0f, rowMajor(static_cast<const float *>(rest.data()), n), inverse,
                rows + block.first, k);
  };
  auto inverse = [&](const Block &block) {
    return hessian.u.data() + block.first * positionsPerBlock;
  };
  for (size_t b = blocks.size(); b-- > 0;) {
    const int64_t first = blocks[b].first, last = blocks[b].last;
    multiplyAdd(count, last - first, k - last, -1.0f,
                rowMajor(static_cast<const float *>(rows) + last, k),
                transposed(factor + first * k + last, k), rows + first, k);
    finish(blocks[b], transposed(inverse(blocks[b]), positionsPerBlock));
  }
  for (const Block &block : blocks) {
    multiplyAdd(count, block.last - block.first, block.first, -1.0f,
                rowMajor(static_cast<const float *>(rows), k), rowMajor(factor + block.first, k),
                rows + block.first, k);
    finish(block, rowMajor(inverse(block), positionsPerBlock));
  }
}

qrt::Result<std::vector<float>> correctTarget(std::span<const float> w, int64_t n,
                                              std::span<const float> d,
                                              const PreparedHessian &hessian, float strength,
                                              const ParallelFor &parallel) {
  const int64_t k = hessian.k;
  if (n <= 0 || int64_t(w.size()) != n * k || int64_t(d.size()) != k * k)
    return qrt::invalidArgument("target correction: sizes differ from the Hessian's");
  if (!(strength >= 0 && strength <= 1))
    return qrt::invalidArgument("target correction: strength must be in [0, 1]");
  // Y = W D P, then X = Y (R R^T)^-1 P^T, P the order of the factor.
  std::vector<float> permuted(n * k), product(n * k, 0.0f);
  multiplyAdd(n, k, k, strength, rowMajor(w.data(), k), rowMajor(d.data(), k), product.data(), k,
              parallel);
  parallel(n, [&](int64_t r) {
    for (int64_t p = 0; p < k; ++p)
      permuted[r * k + p] = product[r * k + hessian.order[p]];
  });
  const std::vector<Block> blocks =
      planBlocks(hessian.order, k, hessian.groupSize ? hessian.groupSize : k);
  parallel((n + panelRows - 1) / panelRows, [&](int64_t index) {
    const int64_t first = index * panelRows;
    solve(hessian, blocks, permuted.data() + first * k, std::min(panelRows, n - first));
  });
  std::vector<float> target(w.begin(), w.end());
  parallel(n, [&](int64_t r) {
    for (int64_t p = 0; p < k; ++p)
      target[r * k + hessian.order[p]] += permuted[r * k + p];
  });
  for (float value : target)
    if (!std::isfinite(value))
      return qrt::Status::error(qrt::StatusCode::BadCalibration,
                                "target correction: the corrected weights are not finite");
  return target;
}

} // namespace qopt::quantization
