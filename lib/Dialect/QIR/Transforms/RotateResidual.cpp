//===- RotateResidual.cpp - A random Hadamard matrix into the residual stream ----------------===//
// Each weight is read, centred, rotated and replaced once; a linear that reads and writes the
// stream is turned on both sides.
#include "ContextThreads.h"
#include "ResidualStream.h"

#include "qopt/Dialect/QIR/Transforms/FloatConstants.h"
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Quantization/Hadamard.h"

#include "mlir/IR/Remarks.h"

namespace qopt::qir {
#define GEN_PASS_DEF_ROTATERESIDUAL
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt;
using namespace qopt::qir;
using quantization::Rotation;

namespace {

class StreamRotation {
public:
  StreamRotation(const ResidualStream &stream, const Rotation &rotation, MLIRContext *context)
      : stream(stream), rotation(rotation), parallel(contextThreads(context)) {}

  void run() {
    for (EmbeddingOp embedding : stream.embeddings)
      turnRows(embedding->getOpOperand(0));
    for (OpOperand *constant : stream.constants)
      turnRows(*constant);
    for (LinearOp linear : stream.readers)
      turnInput(linear);
    for (LinearOp linear : stream.writers)
      turnOutput(linear);
    for (Operation *norm : stream.norms)
      if (auto layerNorm = dyn_cast<LayerNormOp>(norm))
        replaceByRmsNorm(layerNorm);
  }

private:
  /// Rows that are themselves on the stream: tables, constants, biases.
  void turnRows(OpOperand &operand) {
    std::vector<float> rows = floatsOf(operand.get());
    const auto n = static_cast<int64_t>(rows.size()) / stream.width;
    if (stream.layerNorms)
      quantization::centerRows(rows, n, stream.width, parallel);
    quantization::rotateColumns(rows, n, stream.width, rotation, parallel);
    replaceFloats(operand.getOwner(), operand.getOperandNumber(), rows);
  }

  void turnInput(LinearOp linear) {
    std::vector<float> w = floatsOf(linear.getW());
    quantization::rotateColumns(w, static_cast<int64_t>(w.size()) / stream.width, stream.width,
                                rotation, parallel);
    replaceFloats(linear, 1, w);
  }

  void turnOutput(LinearOp linear) {
    std::vector<float> w = floatsOf(linear.getW());
    const auto k = static_cast<int64_t>(w.size()) / stream.width;
    if (stream.layerNorms)
      quantization::centerColumns(w, stream.width, k, parallel);
    quantization::rotateRows(w, stream.width, k, rotation, parallel);
    replaceFloats(linear, 1, w);
    if (linear.getBias())
      turnRows(linear->getOpOperand(2));
  }

  static void replaceByRmsNorm(LayerNormOp norm) {
    OpBuilder builder(norm);
    auto made = RmsNormOp::create(builder, norm.getLoc(), norm.getY().getType(), norm.getX(),
                                  norm.getW(), norm.getEpsilonAttr());
    made->setDiscardableAttrs(norm->getDiscardableAttrDictionary());
    norm->replaceAllUsesWith(made);
    norm->erase();
  }

  const ResidualStream &stream;
  const Rotation &rotation;
  quantization::ParallelFor parallel;
};

struct RotateResidualPass : qopt::qir::impl::RotateResidualBase<RotateResidualPass> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isDeclaration())
      return;
    auto options = remark::RemarkOpts::name("residual").category("rotate");
    ResidualStream stream;
    Operation *culprit = nullptr;
    std::string why;
    if (failed(findResidualStream(function, stream, culprit, why))) {
      why = "the residual stream cannot be rotated: '" + culprit->getName().getStringRef().str() +
            "' " + why;
      remark::missed(culprit->getLoc(), options) << why;
      if (required) {
        culprit->emitError() << why;
        signalPassFailure();
      }
      return;
    }
    Rotation rotation(stream.width, seed);
    StreamRotation(stream, rotation, &getContext()).run();
    remark::passed(function.getLoc(), options)
        << remark::metric("width", stream.width) << remark::metric("order", rotation.order())
        << remark::metric("writers",
                          static_cast<int>(stream.writers.size() + stream.embeddings.size()))
        << remark::metric("readers", static_cast<int>(stream.readers.size()));
  }
};

} // namespace
