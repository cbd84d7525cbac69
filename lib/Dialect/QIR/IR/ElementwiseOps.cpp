//===- ElementwiseOps.cpp - Verifiers of elementwise ops -------------------------------------===//
#include "Checks.h"

using namespace mlir;
using namespace qopt::qir;

/// C1 of every unary op.
static LogicalResult verifyUnary(Operation *op, Value x, Value y) {
  if (failed(checkSameDims(op, "a result", y, x))) // C1
    return failure();
  bool predicate = elementOf(y).isInteger(1) && !elementOf(x).isInteger(1);
  if (predicate || isa<CastOp>(op))
    return success();
  return checkSameElement(op, "a result", y, x); // C1
}

/// C1 to C3 of every binary op.
static LogicalResult verifyBinary(Operation *op, Value a, Value b, Value y) {
  if (failed(checkBroadcast(op, {a, b}, y))) // C1
    return failure();
  if (!isa<PowOp>(op) && failed(checkSameElement(op, "a second operand", b, a))) // C2
    return failure();
  bool comparison = elementOf(y).isInteger(1) && !elementOf(a).isInteger(1);
  return comparison ? success() : checkSameElement(op, "a result", y, a); // C3, C2 of pow
}

#define VERIFY_UNARY(Op)                                                                           \
  LogicalResult Op::verify() { return verifyUnary(*this, getX(), getY()); }
#define VERIFY_BINARY(Op)                                                                          \
  LogicalResult Op::verify() { return verifyBinary(*this, getA(), getB(), getY()); }

VERIFY_UNARY(NegOp)
VERIFY_UNARY(AbsOp)
VERIFY_UNARY(SignOp)
VERIFY_UNARY(ReluOp)
VERIFY_UNARY(SqrtOp)
VERIFY_UNARY(ReciprocalOp)
VERIFY_UNARY(ExpOp)
VERIFY_UNARY(LogOp)
VERIFY_UNARY(ErfOp)
VERIFY_UNARY(TanhOp)
VERIFY_UNARY(SigmoidOp)
VERIFY_UNARY(CosOp)
VERIFY_UNARY(SinOp)
VERIFY_UNARY(FloorOp)
VERIFY_UNARY(CeilOp)
VERIFY_UNARY(RoundOp)
VERIFY_UNARY(SoftplusOp)
VERIFY_UNARY(SiluOp)
VERIFY_UNARY(NotOp)
VERIFY_UNARY(IsNanOp)
VERIFY_UNARY(IsInfOp)
VERIFY_UNARY(IdentityOp)
VERIFY_UNARY(QuickGeluOp)
VERIFY_UNARY(CastOp)

VERIFY_BINARY(AddOp)
VERIFY_BINARY(SubOp)
VERIFY_BINARY(MulOp)
VERIFY_BINARY(DivOp)
VERIFY_BINARY(MinOp)
VERIFY_BINARY(MaxOp)
VERIFY_BINARY(PowOp)
VERIFY_BINARY(EqualOp)
VERIFY_BINARY(LessOp)
VERIFY_BINARY(LessEqualOp)
VERIFY_BINARY(GreaterOp)
VERIFY_BINARY(GreaterEqualOp)
VERIFY_BINARY(AndOp)
VERIFY_BINARY(OrOp)
VERIFY_BINARY(XorOp)

LogicalResult GeluOp::verify() {
  if (failed(verifyUnary(*this, getX(), getY())))
    return failure();
  return checkWord(*this, "approximate", getApproximate(), {"none", "tanh"}); // C2
}

LogicalResult SoftcapOp::verify() {
  if (!(getCap().convertToDouble() > 0)) // C2
    return emitOpError() << "expects a positive cap, got " << getCap().convertToDouble();
  return verifyUnary(*this, getX(), getY());
}

LogicalResult ModOp::verify() {
  if (failed(checkFlag(*this, "fmod", getFmod()))) // C4
    return failure();
  return verifyBinary(*this, getA(), getB(), getY());
}

LogicalResult WhereOp::verify() {
  if (failed(checkBroadcast(*this, {getCondition(), getA(), getB()}, getY())) || // C1
      failed(checkSameElement(*this, "a second choice", getB(), getA())))        // C2
    return failure();
  return checkSameElement(*this, "a result", getY(), getA()); // C2
}

LogicalResult ClipOp::verify() {
  if (failed(checkSameDims(*this, "a result", getY(), getX())) || // C1
      failed(checkSameElement(*this, "a result", getY(), getX())))
    return failure();
  for (Value bound : {getMin(), getMax()})
    if (bound && (failed(checkOneElement(*this, "a bound", bound)) || // C2
                  failed(checkSameElement(*this, "a bound", bound, getX()))))
      return failure();
  return success();
}
