//===- HessianRows.h - A group's input rows into its Hessian ---------------------------------===//
#ifndef QOPT_LIB_CALIBRATION_HESSIANROWS_H
#define QOPT_LIB_CALIBRATION_HESSIANROWS_H

#include "Lend.h"

#include "qopt/Calibration/DeviceProducts.h"
#include "qopt/Calibration/Sweep.h"
#include "qopt/Quantization/Hessian.h"

#include <span>

namespace qopt::calibration {

/// Of the group's input, on the CPU or where the sweep computes products.
inline std::unique_ptr<quantization::HessianAccumulator>
makeHessian(const LinearGroup &group, qrt::kernels::ThreadPool &pool,
            quantization::MomentPrecision precision = quantization::MomentPrecision::Float32,
            bool channels = true) {
  return std::make_unique<quantization::HessianAccumulator>(
      group.features, lend(pool), precision,
      group.products ? group.products->makeSum(group.features, /*lowerOnly=*/true) : nullptr,
      channels);
}

/// Rows without weights count 1 each.
inline void addRows(quantization::HessianAccumulator &hessian, const Rows &rows) {
  std::span<const float> weights;
  if (rows.weights)
    weights = {rows.weights, static_cast<size_t>(rows.tokens)};
  hessian.add(rows.data, rows.tokens, rows.width, weights);
}

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_HESSIANROWS_H
