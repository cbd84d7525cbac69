//===- TargetCorrection.cpp - Weights that make up for quantized inputs -----------------------===//
#include "qopt/Quantization/TargetCorrection.h"

#include "MatrixProducts.h"

#include <algorithm>
#include <cmath>

namespace qopt::quantization {

qrt::Result<std::vector<float>> correctTarget(std::span<const float> w, int64_t n,
                                              std::span<const float> d,
                                              const PreparedHessian &hessian, float strength,
                                              const ParallelFor &parallel) {
  const int64_t k = hessian.k;
  if (n <= 0 || int64_t(w.size()) != n * k || int64_t(d.size()) != k * k)
    return qrt::invalidArgument("target correction: sizes differ from the Hessian's");
  if (!(strength >= 0 && strength <= 1))
    return qrt::invalidArgument("target correction: strength must be in [0, 1]");
  // W D P U^T U P^T, P the order of the factor.
  std::vector<float> permuted(n * k), product(n * k, 0.0f);
  multiplyAdd(n, k, k, strength, rowMajor(w.data(), k), rowMajor(d.data(), k), product.data(), k,
              parallel);
  parallel(n, [&](int64_t r) {
    for (int64_t p = 0; p < k; ++p)
      permuted[r * k + p] = product[r * k + hessian.order[p]];
  });
  const float *u = hessian.u.data();
  std::fill(product.begin(), product.end(), 0.0f);
  multiplyAdd(n, k, k, 1.0f, rowMajor(static_cast<const float *>(permuted.data()), k),
              transposed(u, k), product.data(), k, parallel);
  std::fill(permuted.begin(), permuted.end(), 0.0f);
  multiplyAdd(n, k, k, 1.0f, rowMajor(static_cast<const float *>(product.data()), k),
              rowMajor(u, k), permuted.data(), k, parallel);
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
