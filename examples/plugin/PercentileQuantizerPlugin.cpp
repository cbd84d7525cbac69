//===- PercentileQuantizerPlugin.cpp - A quantizer in a shared object ------------------------===//
// Symmetric codes whose scale is not the largest weight of a group but a percentile of |w|: the few
// weights beyond it are clipped, so that the others have finer steps.
//   qopt MODEL --w4a16 --load-pass-plugin PercentileQuantizerPlugin.so
//        --quantize-passes 'percentile-quantize{percentile=99}' -o M.qmod
// An example, not an improvement: the reasoner's KL is 0.00012, that of round to nearest 0.00008.
// It takes linears with constant weights and symmetric integer schemes and leaves the rest to the
// compiler. Read it as a template: find the ops, make the codes, replace the ops, say what was
// done.
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qopt/Support/FloatElements.h"
#include "qrt/Half.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace qopt::qir;

namespace {
struct PercentileQuantizePass : PassWrapper<PercentileQuantizePass, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PercentileQuantizePass)

  PercentileQuantizePass() = default;
  PercentileQuantizePass(const PercentileQuantizePass &other) : PassWrapper(other) {}

  Option<double> percentile{*this, "percentile", llvm::cl::init(99.0),
                            llvm::cl::desc("Of |w| in a group: where codes end, 50 to 100")};

  StringRef getArgument() const final { return "percentile-quantize"; }
  StringRef getDescription() const final { return "Quantize weights, clipped at a percentile"; }

  void runOnOperation() override {
    if (!(percentile >= 50 && percentile <= 100)) {
      getOperation().emitError() << "percentile-quantize: expects a percentile from 50 to 100";
      return signalPassFailure();
    }
    SmallVector<LinearOp> linears;
    getOperation()->walk([&](LinearOp linear) {
      SchemeAttr scheme = schemeOf(linear);
      // A head that shares its table with the embedding has one set of codes: the compiler's.
      const bool shared = !linear.getW().hasOneUse();
      if (scheme.isInt() && scheme.getSymmetric() && !shared &&
          linear.getW().getDefiningOp<ConstantOp>())
        linears.push_back(linear);
    });
    for (LinearOp linear : linears)
      if (failed(quantize(linear)))
        return signalPassFailure();
  }

  LogicalResult quantize(LinearOp linear) {
    auto constant = linear.getW().getDefiningOp<ConstantOp>();
    SchemeAttr scheme = schemeOf(linear);
    FailureOr<std::vector<float>> weight = qopt::readFloats(constant.getValue());
    if (failed(weight))
      return linear.emitOpError() << "expects a readable float weight";
    if (!llvm::all_of(*weight, [](float w) { return std::isfinite(w); }))
      return linear.emitOpError() << "expects finite weights";
    auto type = cast<RankedTensorType>(constant.getType());
    const int64_t n = type.getDimSize(0), k = type.getDimSize(1);
    const int64_t size = scheme.getGroupSize() ? scheme.getGroupSize() : k;
    const int largest = (1 << (scheme.getWeightBits() - 1)) - 1, zero = largest + 1;

    NewCodedWeight made(constant, scheme);
    double error = 0, norm = 0;
    for (int64_t row = 0; row < n; ++row)
      for (int64_t group = 0; group < made.groups(); ++group) {
        const int64_t begin = row * k + group * size, end = std::min(begin + size, (row + 1) * k);
        const uint16_t half = scaleOf(ArrayRef(*weight).slice(begin, end - begin), largest);
        const float scale = qrt::f16ToF32(half);
        made.scales()[row * made.groups() + group] = half;
        for (int64_t i = begin; i < end; ++i) {
          const float w = (*weight)[i];
          const float q = std::clamp(std::nearbyint(w / scale), float(-zero), float(largest));
          made.codes()[i] = uint8_t(int(q) + zero);
          error += (q * scale - w) * (q * scale - w);
          norm += double(w) * w;
        }
      }
    const double relative = norm > 0 ? std::sqrt(error / norm) : 0;
    remark::passed(constant->getLoc(), remark::RemarkOpts::name("weight").category("quantize"))
        << remark::metric("scheme", scheme.toText()) << remark::metric("rms_error", relative);
    replaceByQuantized(linear, made.finish(relative));
    releaseIfUnused(constant, getOperation());
    return success();
  }

  /// Never below the smallest normal f16: docs/semantics.md.
  uint16_t scaleOf(ArrayRef<float> group, int largest) const {
    std::vector<float> sizes;
    for (float w : group)
      sizes.push_back(std::fabs(w));
    const size_t at = size_t(std::ceil(percentile / 100 * double(sizes.size()))) - 1;
    std::nth_element(sizes.begin(), sizes.begin() + at, sizes.end());
    return qrt::f32ToF16(std::clamp(sizes[at] / float(largest), 0x1p-14f, 65504.0f));
  }
};
} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "PercentileQuantizer", "v1",
          [] { PassRegistration<PercentileQuantizePass>(); }};
}
