//===- RotateValues.cpp - A random Hadamard matrix into values and attention outputs ---------===//
// Attention mixes values over tokens, never over channels: what turns every value head by R turns
// every output head by R.
#include "ContextThreads.h"

#include "qopt/Dialect/QIR/Transforms/FloatConstants.h"
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Quantization/Hadamard.h"

#include "mlir/IR/Remarks.h"

namespace qopt::qir {
#define GEN_PASS_DEF_ROTATEVALUES
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt;
using namespace qopt::qir;
using quantization::Rotation;

namespace {

struct RotateValuesPass : qopt::qir::impl::RotateValuesBase<RotateValuesPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<AttentionOp> attentions;
    getOperation()->walk([&](AttentionOp op) { attentions.push_back(op); });
    int rotated = 0;
    for (AttentionOp attention : attentions)
      rotated += rotate(attention);
    if (required && rotated == 0) {
      getOperation().emitError() << "the values of no attention can be rotated: "
                                 << (why.empty() ? "there is no attention" : why);
      signalPassFailure();
    }
  }

  bool refuse(AttentionOp attention, StringRef reason) {
    why = reason.str();
    remark::missed(attention.getLoc(), remark::RemarkOpts::name("values").category("rotate"))
        << "the values cannot be rotated: " << why;
    return false;
  }

  bool rotate(AttentionOp attention) {
    std::optional<LinearRows> producer = producingRows(attention.getV());
    if (!producer)
      return refuse(attention, "no linear of float weights makes them alone");
    SmallVector<LinearOp> readers;
    for (OpOperand &use : attention.getY().getUses()) {
      auto linear = dyn_cast<LinearOp>(use.getOwner());
      if (!linear || use.getOperandNumber() != 0 || !isFloatConstant(linear.getW()))
        return refuse(attention, ("'" + use.getOwner()->getName().getStringRef() +
                                  "' reads the output, which is no linear of float weights")
                                     .str());
      readers.push_back(linear);
    }
    const auto dim = static_cast<int64_t>(attention.getValueDim());
    Rotation rotation(dim, seed);
    turnRows(*producer, rotation);
    for (LinearOp reader : readers) {
      std::vector<float> w = floatsOf(reader.getW());
      const int64_t k = widthOf(reader.getX());
      quantization::rotateColumns(w, static_cast<int64_t>(w.size()) / k, k, rotation,
                                  contextThreads(&getContext()));
      replaceFloats(reader, 1, w);
    }
    remark::passed(attention.getLoc(), remark::RemarkOpts::name("values").category("rotate"))
        << remark::metric("width", dim) << remark::metric("order", rotation.order());
    return true;
  }

  /// The rows that make the values, and their biases; other rows of the linear stay.
  void turnRows(const LinearRows &producer, const Rotation &rotation) {
    LinearOp linear = producer.linear;
    std::vector<float> w = floatsOf(linear.getW());
    const int64_t k = widthOf(linear.getX());
    quantization::rotateRows(std::span(w).subspan(producer.first * k, producer.count * k),
                             producer.count, k, rotation, contextThreads(&getContext()));
    replaceFloats(linear, 1, w);
    if (!linear.getBias())
      return;
    std::vector<float> bias = floatsOf(linear.getBias());
    quantization::rotateColumns(std::span(bias).subspan(producer.first, producer.count), 1,
                                producer.count, rotation, contextThreads(&getContext()));
    replaceFloats(linear, 2, bias);
  }

  std::string why; ///< of the last attention that stays
};

} // namespace
