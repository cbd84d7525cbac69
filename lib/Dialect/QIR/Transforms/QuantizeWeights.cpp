//===- QuantizeWeights.cpp - Float weights to codes, scales and zero points ------------------===//
// The arithmetic is qopt::quantization::quantizeRow; here rows are split over threads (they are
// independent, and errors are summed in row order, so the result does not depend on the number of
// threads), ops replaced and blobs freed, one weight at a time.
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Quantization/RoundToNearest.h"
#include "qopt/Support/FloatElements.h"
#include "qopt/Support/WeightStore.h"

#include "mlir/IR/Remarks.h"
#include "mlir/IR/Threading.h"

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

/// The constants that stand for one quantized weight.
struct CodedWeight {
  Value codes, scales, zeroPoints;
  double rmsError = 0;
};

/// A constant in the making: filled through `data`, then finished.
template <typename T>
struct NewConstant {
  RankedTensorType type;
  std::string name;
  ElementsAttr value;
  MutableArrayRef<char> bytes;
  T *data = nullptr;

  NewConstant(RankedTensorType type, std::string name) : type(type), name(std::move(name)) {
    value = WeightStore::allocate(type, this->name, bytes);
    data = reinterpret_cast<T *>(bytes.data());
  }
  /// Small constants become dense, as everywhere.
  ElementsAttr finish() {
    if (type.getNumElements() > 64)
      return value;
    ElementsAttr copy = WeightStore::insertCopy(type, name, bytes);
    WeightStore::release(value);
    return copy;
  }
};

struct QuantizeWeightsPass : qopt::qir::impl::QuantizeWeightsBase<QuantizeWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (schemeOf(op).isInt())
        ops.push_back(op);
    });
    for (Operation *op : ops)
      if (failed(replace(op)))
        return signalPassFailure();
    coded.clear();
  }

  static SchemeAttr schemeOf(Operation *op) {
    SchemeAttr scheme;
    if (auto linear = dyn_cast<LinearOp>(op))
      scheme = linear.getSchemeAttr();
    else if (auto embedding = dyn_cast<EmbeddingOp>(op))
      scheme = embedding.getSchemeAttr();
    return scheme ? scheme : SchemeAttr::getDense(op->getContext(), WeightFormat::F32);
  }

  LogicalResult replace(Operation *op) {
    SchemeAttr scheme = schemeOf(op);
    Value weight = isa<LinearOp>(op) ? op->getOperand(1) : op->getOperand(0);
    auto constant = weight.getDefiningOp<ConstantOp>();
    if (!constant)
      return op->emitOpError() << "expects a constant weight for " << scheme;
    FailureOr<CodedWeight> known = quantize(constant, scheme);
    if (failed(known))
      return failure();
    OpBuilder builder(op);
    Operation *quantized = build(builder, op, scheme, *known);
    quantized->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    quantized->setAttr("qir.rms_error", builder.getF64FloatAttr(known->rmsError));
    quantized->setAttr("qir.scheme_text", builder.getStringAttr(scheme.toText()));
    op->replaceAllUsesWith(quantized->getResults());
    op->erase();
    if (constant->use_empty() && !stillNeeded(constant)) {
      WeightStore::release(constant.getValue());
      constant->erase();
    }
    return success();
  }

  /// Does another constant read the same blob?
  bool stillNeeded(ConstantOp constant) {
    bool found = false;
    getOperation()->walk([&](ConstantOp other) {
      found |= other != constant && other.getValue() == constant.getValue();
    });
    return found;
  }

  static Operation *build(OpBuilder &builder, Operation *op, SchemeAttr scheme,
                          const CodedWeight &weight) {
    IntegerAttr bits = builder.getI64IntegerAttr(scheme.getWeightBits());
    IntegerAttr group = builder.getI64IntegerAttr(scheme.getGroupSize());
    Type type = op->getResult(0).getType();
    if (auto linear = dyn_cast<LinearOp>(op))
      return QuantizedLinearOp::create(builder, op->getLoc(), type, linear.getX(), weight.codes,
                                       weight.scales, weight.zeroPoints, linear.getBias(), bits,
                                       group, builder.getStringAttr(scheme.activationName()));
    auto embedding = cast<EmbeddingOp>(op);
    return QuantizedEmbeddingOp::create(builder, op->getLoc(), type, weight.codes, weight.scales,
                                        weight.zeroPoints, embedding.getIds(), bits, group,
                                        embedding.getOffsetAttr());
  }

  FailureOr<CodedWeight> quantize(ConstantOp constant, SchemeAttr scheme) {
    auto key = std::pair<Operation *, Attribute>(constant, scheme);
    if (auto it = coded.find(key); it != coded.end())
      return it->second;
    auto type = cast<RankedTensorType>(constant.getType());
    const int64_t n = type.getDimSize(0), k = type.getDimSize(1);
    quantization::GroupFormat format{static_cast<int>(scheme.getWeightBits()),
                                     scheme.getGroupSize(), scheme.getSymmetric(), searchScale};
    const int64_t groups = quantization::groupsPerRow(format, k);
    auto nameLoc = constant->getLoc()->findInstanceOf<NameLoc>();
    std::string name = nameLoc ? nameLoc.getName().str() : "weight";

    Builder types(&getContext());
    Type ui8 = types.getIntegerType(8, /*isSigned=*/false);
    NewConstant<uint8_t> codes(RankedTensorType::get({n, k}, ui8), name + ".codes");
    NewConstant<uint16_t> scales(RankedTensorType::get({n, groups}, types.getF16Type()),
                                 name + ".scales");
    std::optional<NewConstant<uint8_t>> zeros;
    if (!scheme.getSymmetric())
      zeros.emplace(RankedTensorType::get({n, groups}, ui8), name + ".zero_points");

    FailureOr<double> error = quantizeRows(constant, format, n, k, groups, codes.data, scales.data,
                                           zeros ? zeros->data : nullptr);
    if (failed(error))
      return failure();
    OpBuilder builder(constant);
    CodedWeight weight;
    auto add = [&](ElementsAttr value) {
      return ConstantOp::create(builder, constant->getLoc(), value.getType(), value);
    };
    ConstantOp codesOp = add(codes.finish());
    codesOp->setDiscardableAttrs(constant->getDiscardableAttrDictionary());
    weight.codes = codesOp;
    weight.scales = add(scales.finish());
    if (zeros)
      weight.zeroPoints = add(zeros->finish());
    weight.rmsError = *error;
    remark::passed(constant->getLoc(), remark::RemarkOpts::name("weight").category("quantize"))
        << remark::metric("scheme", scheme.toText()) << remark::metric("rms_error", *error);
    coded[key] = weight;
    return weight;
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
