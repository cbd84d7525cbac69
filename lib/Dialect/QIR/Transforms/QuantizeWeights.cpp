//===- QuantizeWeights.cpp - Float weights to codes, scales and zero points ------------------===//
// The arithmetic is qopt::quantization::quantizeRow; here rows are split over threads (they are
// independent, and errors are summed in row order, so the result does not depend on the number of
// threads), ops replaced and blobs freed, one weight at a time.
#include "ContextThreads.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Quantization/HalfQuadratic.h"
#include "qopt/Quantization/RoundToNearest.h"
#include "qopt/Support/FloatElements.h"
#include "qopt/Support/WeightStore.h"

#include "mlir/IR/Remarks.h"

#include <atomic>
#include <cmath>

namespace qopt::qir {
#define GEN_PASS_DEF_QUANTIZEWEIGHTS
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt;
using namespace qopt::qir;

namespace {

struct QuantizeWeightsPass : qopt::qir::impl::QuantizeWeightsBase<QuantizeWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (schemeOf(op).isInt() && !(exceptCalibrated && isCalibrated(op)))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      if (failed(replace(op)))
        return signalPassFailure();
    coded.clear();
  }

  LogicalResult replace(Operation *op) {
    SchemeAttr scheme = schemeOf(op);
    if (outlierShare(op) > 0)
      return op->emitOpError() << "is to keep outliers, which only qir-quantize-calibrated chooses";
    Value weight = isa<LinearOp>(op) ? op->getOperand(1) : op->getOperand(0);
    auto constant = weight.getDefiningOp<ConstantOp>();
    if (!constant)
      return op->emitOpError() << "expects a constant weight for " << scheme;
    FailureOr<CodedWeight> known = quantize(constant, scheme);
    if (failed(known))
      return failure();
    replaceByQuantized(op, *known);
    releaseIfUnused(constant, getOperation());
    return success();
  }

  FailureOr<CodedWeight> quantize(ConstantOp constant, SchemeAttr scheme) {
    auto key = std::pair<Operation *, Attribute>(constant, scheme);
    if (auto it = coded.find(key); it != coded.end())
      return it->second;
    auto type = cast<RankedTensorType>(constant.getType());
    const int64_t n = type.getDimSize(0), k = type.getDimSize(1);
    quantization::GroupFormat format{static_cast<int>(scheme.getWeightBits()),
                                     scheme.getGroupSize(), scheme.getSymmetric(), searchScale};
    NewCodedWeight made(constant, scheme);
    FailureOr<double> error = quantizeRows(constant, format, n, k, made.groups(), made.codes(),
                                           made.scales(), made.zeroPoints());
    if (failed(error)) {
      made.discard();
      return failure();
    }
    if (halfQuadratic && format.bits < 8)
      error = quantizeHalfQuadratic(constant, format, n, k, made);
    if (failed(error)) {
      made.discard();
      return failure();
    }
    CodedWeight weight = made.finish(*error);
    remark::passed(constant->getLoc(), remark::RemarkOpts::name("weight").category("quantize"))
        << remark::metric("scheme", scheme.toText()) << remark::metric("rms_error", *error);
    coded[key] = weight;
    return weight;
  }

  /// Replaces the codes of a weight that was rounded (and so is known to be finite).
  FailureOr<double> quantizeHalfQuadratic(ConstantOp constant,
                                          const quantization::GroupFormat &format, int64_t n,
                                          int64_t k, NewCodedWeight &made) {
    FailureOr<std::vector<float>> weight = readFloats(constant.getValue());
    if (failed(weight))
      return failure();
    quantization::ParallelFor parallel = contextThreads(&getContext());
    quantization::QuantizedMatrix matrix =
        quantization::halfQuadratic(*weight, n, k, format, {}, parallel);
    std::copy(matrix.codes.begin(), matrix.codes.end(), made.codes());
    std::copy(matrix.scales.begin(), matrix.scales.end(), made.scales());
    std::copy(matrix.zeroPoints.begin(), matrix.zeroPoints.end(), made.zeroPoints());
    std::vector<float> values(weight->size());
    quantization::dequantize(matrix, values, parallel);
    double error = 0, norm = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      error += (double(values[i]) - (*weight)[i]) * (double(values[i]) - (*weight)[i]);
      norm += double((*weight)[i]) * (*weight)[i];
    }
    return norm > 0 ? std::sqrt(error / norm) : 0.0;
  }

  FailureOr<double> quantizeRows(ConstantOp constant, const quantization::GroupFormat &format,
                                 int64_t n, int64_t k, int64_t groups, uint8_t *codes,
                                 uint16_t *scales, uint8_t *zeroPoints) {
    SmallVector<char> scratch;
    FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(constant, scratch);
    Type element = constant.getValue().getElementType();
    if (failed(bytes) || !isa<FloatType>(element))
      return constant->emitError() << "expects a readable float weight, got " << constant.getType();
    const size_t rowBytes = k * (element.getIntOrFloatBitWidth() / 8);
    std::vector<quantization::ErrorSums> sums(n);
    std::atomic<int64_t> firstBad = n;
    parallelFor(&getContext(), 0, n, [&](size_t row) {
      std::vector<float> values(k);
      convertToFloat(element, bytes->data() + row * rowBytes, k, values.data());
      if (!quantization::quantizeRow(format, values.data(), k, codes + row * k,
                                     scales + row * groups,
                                     zeroPoints ? zeroPoints + row * groups : nullptr, sums[row])) {
        int64_t seen = firstBad;
        while (static_cast<int64_t>(row) < seen && !firstBad.compare_exchange_weak(seen, row))
          ;
      }
    });
    if (firstBad < n)
      return constant->emitError()
             << "expects finite weights, got NaN or infinity in row " << firstBad.load();
    quantization::ErrorSums total;
    for (const quantization::ErrorSums &row : sums) {
      total.error += row.error;
      total.norm += row.norm;
    }
    return total.norm > 0 ? std::sqrt(total.error / total.norm) : 0.0;
  }

  llvm::DenseMap<std::pair<Operation *, Attribute>, CodedWeight> coded;
};

} // namespace
