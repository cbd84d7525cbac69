//===- ImportElementwise.cpp - Unary, binary and selecting operators --------------------------===//
#include "OpTable.h"

using namespace mlir;

namespace qopt {

/// ONNX name in lower case with underscores, as the mnemonics are: LessOrEqual is the exception.
static std::string mnemonicOf(StringRef op) {
  if (op == "LessOrEqual")
    return "less_equal";
  if (op == "GreaterOrEqual")
    return "greater_equal";
  if (op == "IsNaN")
    return "is_nan";
  return op.lower();
}

static Outcome importUnary(Node &node) {
  return node.done(node.emit.unary(mnemonicOf(node.proto.op_type()), node.in(0)));
}

static Outcome importPredicate(Node &node) {
  if (node.integer("detect_negative", 1) != 1 || node.integer("detect_positive", 1) != 1)
    return node.unsupported("one-sided detection");
  std::string mnemonic = node.proto.op_type() == "IsInf" ? "is_inf" : "is_nan";
  return node.done(node.emit.op(mnemonic, {node.in(0)},
                                tensorOf(shapeOf(node.in(0)), node.emit.builder.getI1Type())));
}

static Outcome sameElements(Node &node) {
  if (elementOf(node.in(0)) != elementOf(node.in(1)))
    return node.invalid("the inputs have different element types");
  return Outcome::Ok;
}

static Outcome importBinary(Node &node) {
  if (Outcome o = sameElements(node); o != Outcome::Ok)
    return o;
  return node.done(node.emit.binary(mnemonicOf(node.proto.op_type()), node.in(0), node.in(1)));
}

static Outcome importPow(Node &node) {
  return node.done(node.emit.binary("pow", node.in(0), node.in(1)));
}

static Outcome importMod(Node &node) {
  if (Outcome o = sameElements(node); o != Outcome::Ok)
    return o;
  return node.done(node.emit.binary("mod", node.in(0), node.in(1),
                                    {node.emit.i64("fmod", node.integer("fmod", 0))}));
}

static Outcome importCompare(Node &node) {
  if (Outcome o = sameElements(node); o != Outcome::Ok)
    return o;
  return node.done(node.emit.compare(mnemonicOf(node.proto.op_type()), node.in(0), node.in(1)));
}

/// Min, Max, Sum and Mean take any number of inputs.
static Outcome importVariadic(Node &node) {
  const std::string &op = node.proto.op_type();
  std::string mnemonic = op == "Sum" || op == "Mean" ? "add" : mnemonicOf(op);
  Value result = node.in(0);
  for (size_t i = 1; i < node.operands.size(); ++i) {
    if (!node.in(i) || elementOf(node.in(i)) != elementOf(result))
      return node.invalid("the inputs have different element types");
    result = node.emit.binary(mnemonic, result, node.in(i));
  }
  if (op == "Mean")
    result = node.emit.binary("div", result,
                              node.emit.scalar(double(node.operands.size()), elementOf(result)));
  if (node.operands.size() == 1)
    result = node.emit.unary("identity", result);
  return node.done(result);
}

static Outcome importWhere(Node &node) {
  if (elementOf(node.in(1)) != elementOf(node.in(2)))
    return node.invalid("the inputs have different element types");
  return node.done(node.emit.where(node.in(0), node.in(1), node.in(2)));
}

static Outcome importClip(Node &node) {
  Value x = node.in(0);
  return node.done(qir::ClipOp::create(node.emit.builder, node.emit.loc, x.getType(), x, node.in(1),
                                       node.in(2)));
}

static Outcome importCast(Node &node) {
  Type element = elementType(node.emit.context(), int(node.integer("to", 0)));
  if (!element || storedBits(int(node.integer("to", 0))) < 8)
    return node.unsupported("target type " + onnxTypeName(int(node.integer("to", 0))));
  return node.done(node.emit.op("cast", {node.in(0)}, tensorOf(shapeOf(node.in(0)), element)));
}

static Outcome importCastLike(Node &node) {
  return node.done(
      node.emit.op("cast", {node.in(0)}, tensorOf(shapeOf(node.in(0)), elementOf(node.in(1)))));
}

static Outcome importGelu(Node &node) {
  std::string approximate = node.text("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    return node.unsupported("approximate = " + approximate);
  return node.done(
      node.emit.unary("gelu", node.in(0), {node.emit.str("approximate", approximate)}));
}

/// com.microsoft BiasGelu (erf) and FastGelu (tanh): x + bias first.
static Outcome importBiasGelu(Node &node) {
  Value x = node.in(1) ? node.emit.add(node.in(0), node.in(1)) : node.in(0);
  StringRef kind = node.proto.op_type() == "FastGelu" ? "tanh" : "none";
  return node.done(node.emit.unary("gelu", x, {node.emit.str("approximate", kind)}));
}

static Outcome importSwish(Node &node, double alpha) {
  if (alpha == 1.0)
    return node.done(node.emit.unary("silu", node.in(0)));
  return node.done(node.emit.unary("quick_gelu", node.in(0), {node.emit.f64("alpha", alpha)}));
}
static Outcome importSwishOp(Node &node) { return importSwish(node, node.real("alpha", 1.0)); }
static Outcome importQuickGelu(Node &node) { return importSwish(node, node.real("alpha", 1.702f)); }

static Outcome importIdentity(Node &node) {
  return node.done(node.emit.unary("identity", node.in(0)));
}

/// Inference only: the mask output is not computed.
static Outcome importDropout(Node &node) {
  if (std::optional<Ints> training = constantInts(node.in(2));
      node.in(2) && (!training || training->front()))
    return node.unsupported("training mode");
  return importIdentity(node);
}

ArrayRef<OpRow> elementwiseOps() {
  static const OpRow rows[] = {
      {"", "Neg", 6, 1, 1, 1, importUnary},
      {"", "Abs", 6, 1, 1, 1, importUnary},
      {"", "Sqrt", 6, 1, 1, 1, importUnary},
      {"", "Reciprocal", 6, 1, 1, 1, importUnary},
      {"", "Exp", 6, 1, 1, 1, importUnary},
      {"", "Log", 6, 1, 1, 1, importUnary},
      {"", "Erf", 9, 1, 1, 1, importUnary},
      {"", "Tanh", 6, 1, 1, 1, importUnary},
      {"", "Sigmoid", 6, 1, 1, 1, importUnary},
      {"", "Cos", 7, 1, 1, 1, importUnary},
      {"", "Sin", 7, 1, 1, 1, importUnary},
      {"", "Floor", 6, 1, 1, 1, importUnary},
      {"", "Ceil", 6, 1, 1, 1, importUnary},
      {"", "Round", 11, 1, 1, 1, importUnary},
      {"", "Sign", 9, 1, 1, 1, importUnary},
      {"", "Softplus", 1, 1, 1, 1, importUnary},
      {"", "Relu", 6, 1, 1, 1, importUnary},
      {"", "Not", 1, 1, 1, 1, importUnary},
      {"", "IsNaN", 9, 1, 1, 1, importPredicate},
      {"", "IsInf", 10, 1, 1, 1, importPredicate},
      {"", "Add", 7, 2, 2, 1, importBinary},
      {"", "Sub", 7, 2, 2, 1, importBinary},
      {"", "Mul", 7, 2, 2, 1, importBinary},
      {"", "Div", 7, 2, 2, 1, importBinary},
      {"", "And", 7, 2, 2, 1, importBinary},
      {"", "Or", 7, 2, 2, 1, importBinary},
      {"", "Xor", 7, 2, 2, 1, importBinary},
      {"", "Pow", 7, 2, 2, 1, importPow},
      {"", "Mod", 10, 2, 2, 1, importMod},
      {"", "Equal", 7, 2, 2, 1, importCompare},
      {"", "Less", 9, 2, 2, 1, importCompare},
      {"", "Greater", 9, 2, 2, 1, importCompare},
      {"", "LessOrEqual", 12, 2, 2, 1, importCompare},
      {"", "GreaterOrEqual", 12, 2, 2, 1, importCompare},
      {"", "Min", 8, 1, -1, 1, importVariadic},
      {"", "Max", 8, 1, -1, 1, importVariadic},
      {"", "Sum", 8, 1, -1, 1, importVariadic},
      {"", "Mean", 8, 1, -1, 1, importVariadic},
      {"", "Where", 9, 3, 3, 1, importWhere},
      {"", "Clip", 11, 1, 3, 1, importClip},
      {"", "Cast", 9, 1, 1, 1, importCast},
      {"", "CastLike", 15, 2, 2, 1, importCastLike},
      {"", "Gelu", 20, 1, 1, 1, importGelu},
      {"", "Swish", 24, 1, 1, 1, importSwishOp},
      {"", "Identity", 1, 1, 1, 1, importIdentity},
      {"", "Dropout", 7, 1, 3, 2, importDropout},
      {"com.microsoft", "Gelu", 1, 1, 1, 1, importGelu},
      {"com.microsoft", "FastGelu", 1, 1, 2, 1, importBiasGelu},
      {"com.microsoft", "BiasGelu", 1, 2, 2, 1, importBiasGelu},
      {"com.microsoft", "QuickGelu", 1, 1, 1, 1, importQuickGelu},
  };
  return rows;
}

} // namespace qopt
