//===- Candidates.cpp - The precisions that a linear may get ---------------------------------===//
#include "Candidates.h"

#include "qopt/Quantization/SparseOutliers.h"

#include "kernels/cpu/linear/linear.h"

using namespace mlir;

namespace qopt::calibration {

qir::SchemeAttr candidateScheme(qir::SchemeAttr base, unsigned bits) {
  MLIRContext *context = base.getContext();
  if (bits >= 16)
    return qir::SchemeAttr::getDense(context, qir::WeightFormat::F16);
  if (base.isInt() && base.getWeightBits() == bits)
    return base;
  const unsigned activation = base.isInt() ? base.getActivationBits() : 16;
  const int64_t group = bits == 8 ? 0 : base.getGroupSize();
  return qir::SchemeAttr::getInt(context, bits, activation, group, bits >= 4);
}

int64_t storedBits(qir::LinearOp linear, qir::SchemeAttr scheme, double outliers) {
  using namespace qrt::kernels;
  auto type = cast<RankedTensorType>(linear.getW().getType());
  WeightDesc desc;
  desc.n = type.getDimSize(0);
  desc.k = type.getDimSize(1);
  if (scheme.isInt()) {
    const unsigned bits = scheme.getWeightBits();
    desc.format = bits == 8   ? WeightFormat::U8
                  : bits == 4 ? WeightFormat::U4
                  : bits == 3 ? WeightFormat::U3
                              : WeightFormat::U2;
    desc.groupSize = static_cast<int32_t>(scheme.getGroupSize());
    desc.symmetric = scheme.getSymmetric();
  } else {
    desc.format =
        scheme.getFormat() == qir::WeightFormat::F32 ? WeightFormat::F32 : WeightFormat::F16;
  }
  qrt::Result<PackedSizes> sizes = packedSizes(desc);
  int64_t bits =
      sizes ? static_cast<int64_t>(8 * (sizes->data + sizes->scales + sizes->zeroPoints)) : 0;
  if (outliers > 0)
    bits += quantization::outlierBits(quantization::outlierCount(outliers, desc.n, desc.k), desc.n);
  return bits;
}

std::vector<double> criticalOutlierShares(double part) {
  std::vector<double> shares;
  for (double times : {0.5, 1.0, 2.0, 4.0})
    if (times * part <= 0.5)
      shares.push_back(times * part);
  return shares;
}

std::vector<CandidateKind> candidateKinds(qir::SchemeAttr base, const SensitivityOptions &options) {
  std::vector<CandidateKind> kinds;
  for (unsigned bits : options.bits) {
    kinds.push_back({bits, 0});
    if (bits < 8 && (!options.outliersOfOwnBits || bits == base.getWeightBits()))
      for (double share : options.outlierShares)
        kinds.push_back({bits, share});
  }
  kinds.push_back({16, 0});
  return kinds;
}

} // namespace qopt::calibration
