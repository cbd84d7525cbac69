//===- AssignOutliersPass.cpp - A share of each quantized weight stays in f16 -----------------===//
#include "PassSupport.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qopt/Quantization/SparseOutliers.h"

#include "mlir/IR/Remarks.h"

namespace qopt::calibration {
#define GEN_PASS_DEF_ASSIGNOUTLIERS
#include "qopt/Calibration/Passes.h.inc"
} // namespace qopt::calibration

using namespace mlir;

namespace qopt::calibration {

namespace {

struct AssignOutliersPass : impl::AssignOutliersBase<AssignOutliersPass> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!(share > 0) || share > 0.5) {
      function.emitError() << "expects a share of outliers of more than 0 and at most 0.5, got "
                           << double(share);
      return signalPassFailure();
    }
    int64_t linears = 0, weights = 0, bits = 0, elements = 0;
    bool failure = false;
    function.walk([&](qir::LinearOp linear) {
      auto type = dyn_cast<RankedTensorType>(linear.getW().getType());
      if (!qir::isCalibrated(linear) || !type || !type.hasStaticShape())
        return;
      const int64_t n = type.getDimSize(0), k = type.getDimSize(1);
      if (k > quantization::maxOutlierColumns) {
        linear.emitOpError() << "has " << k << " columns, and outliers need at most "
                             << quantization::maxOutlierColumns;
        failure = true;
        return;
      }
      linear->setAttr(qir::outlierShareAttr, Builder(linear).getF64FloatAttr(share));
      const int64_t count = quantization::outlierCount(share, n, k);
      ++linears;
      weights += count;
      bits += quantization::outlierBits(count, n);
      elements += n * k;
    });
    if (!failure && linears == 0)
      function.emitError() << "outliers have no effect: no linear is quantized";
    if (failure || linears == 0)
      return signalPassFailure();
    remark::passed(function.getLoc(), remark::RemarkOpts::name("outliers").category("assign"))
        << remark::metric("linears", linears) << remark::metric("weights", weights)
        << remark::metric("bits_per_weight", double(bits) / double(elements));
  }
};

} // namespace

} // namespace qopt::calibration
