//===- ForwardOps.cpp - One op of a token-major graph on the f32 kernels ---------------------===//
#include "ForwardBinder.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Support/FloatElements.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace qrt::kernels;
using qrt::Status;

namespace qopt::calibration {

std::vector<float> constantFloats(Value value) {
  auto constant = value ? value.getDefiningOp<qir::ConstantOp>() : qir::ConstantOp();
  if (!constant)
    return {};
  FailureOr<std::vector<float>> floats = readFloats(constant.getValue());
  return succeeded(floats) ? std::move(*floats) : std::vector<float>();
}

BoundOp ForwardBinder::bind(Operation *op) {
  auto readable = [&](bool read, WeightMatrix &matrix, auto use) -> BoundOp {
    return read ? use(matrix) : refuse("with a weight that is no readable constant");
  };
  WeightMatrix matrix;
  return llvm::TypeSwitch<Operation *, BoundOp>(op)
      .Case<qir::EmbeddingOp, qir::QuantizedEmbeddingOp>(
          [&](auto op) { return bindEmbedding(op, op.getOffset(), op.getIds()); })
      .Case([&](qir::LinearOp op) {
        return readable(readWeight(op.getW(), matrix), matrix,
                        [&](const WeightMatrix &m) { return bindLinear(m, op.getBias()); });
      })
      .Case([&](qir::QuantizedLinearOp op) {
        if (slots.arithmetic != SweepArithmetic::F32 && !slots.products && !qir::outliersOf(op))
          if (std::shared_ptr<PackedCodes> codes = packCodes(op))
            return bindPacked(std::move(codes), op.getBias());
        bool read = readCodes(op.getCodes(), op.getScales(), op.getZeroPoints(), op.getBits(),
                              op.getGroupSize(), matrix) &&
                    addOutliers(op, matrix);
        return readable(read, matrix,
                        [&](const WeightMatrix &m) { return bindLinear(m, op.getBias()); });
      })
      .Case([&](qir::RmsNormOp op) {
        return bindNorm(op.getW(), {}, op.getEpsilon().convertToDouble(), true);
      })
      .Case([&](qir::LayerNormOp op) {
        return bindNorm(op.getW(), op.getB(), op.getEpsilon().convertToDouble(), false);
      })
      .Case([&](qir::AddOp op) { return bindBinary(op, BinaryKind::Add); })
      .Case([&](qir::SubOp op) { return bindBinary(op, BinaryKind::Sub); })
      .Case([&](qir::MulOp op) { return bindBinary(op, BinaryKind::Mul); })
      .Case([&](qir::DivOp op) { return bindBinary(op, BinaryKind::Div); })
      .Case([&](qir::SwigluOp) { return bindGated(UnaryKind::Silu); })
      .Case([&](qir::GegluOp op) {
        return bindGated(op.getApproximate() == "tanh" ? UnaryKind::GeluTanh : UnaryKind::Gelu);
      })
      .Case([&](qir::GeluOp op) {
        return bindUnary(op.getApproximate() == "tanh" ? UnaryKind::GeluTanh : UnaryKind::Gelu);
      })
      .Case([&](qir::QuickGeluOp op) {
        return op.getAlpha().convertToDouble() == 1.702 ? bindUnary(UnaryKind::QuickGelu)
                                                        : refuse("with another alpha than 1.702");
      })
      .Case([&](qir::SiluOp) { return bindUnary(UnaryKind::Silu); })
      .Case([&](qir::ReluOp) { return bindUnary(UnaryKind::Relu); })
      .Case([&](qir::TanhOp) { return bindUnary(UnaryKind::Tanh); })
      .Case([&](qir::SigmoidOp) { return bindUnary(UnaryKind::Sigmoid); })
      .Case([&](qir::SoftcapOp op) {
        return bindUnary(UnaryKind::Softcap, op.getCap().convertToDouble());
      })
      .Case([&](qir::HadamardOp op) { return bindHadamard(op); })
      .Case([&](qir::RopeOp op) { return bindRope(op); })
      .Case([&](qir::AttentionOp op) { return bindAttention(op); })
      .Case([&](qir::SplitOp op) { return bindSplit(op); })
      .Case([&](qir::ConcatOp op) { return bindConcat(op); })
      .Case([&](qir::SliceOp op) { return bindSlice(op); })
      .Default([&](Operation *) { return refuse("is not token-major"); });
}

BoundOp bindLinear(const WeightMatrix &weight, Value bias, const OpSlots &slots, std::string &why) {
  return ForwardBinder(slots, why).bindLinear(weight, bias);
}

bool isAlias(Operation *op) { return isa<qir::CastOp, qir::IdentityOp>(op); }

BoundOp bindOp(Operation *op, const OpSlots &slots, std::string &why) {
  return ForwardBinder(slots, why).bind(op);
}

Status missingKernels(const std::map<std::string, int> &problems) {
  if (problems.empty())
    return Status::ok();
  std::string text = "calibration has no kernel for:";
  for (const auto &[problem, count] : problems)
    text += " " + problem + " (" + std::to_string(count) + " times);";
  text.pop_back();
  return qrt::unsupported(text);
}

} // namespace qopt::calibration
