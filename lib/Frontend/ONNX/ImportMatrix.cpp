//===- ImportMatrix.cpp - Matrix products -----------------------------------------------------===//
// Gemm and FusedMatMul become transpose, matmul, mul and add.
#include "OpTable.h"

using namespace mlir;

namespace qopt {

static Outcome importMatMul(Node &node) {
  if (elementOf(node.in(0)) != elementOf(node.in(1)))
    return node.invalid("the inputs have different element types");
  return node.done(node.emit.matmul(node.in(0), node.in(1)));
}

static Value swapLast(Emitter &e, Value x) {
  Ints perm;
  for (int64_t i = 0; i < rankOf(x); ++i)
    perm.push_back(i);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return e.transpose(x, perm);
}

static Value scaled(Emitter &e, Value x, double factor) {
  return factor == 1.0 ? x : e.mul(x, e.scalar(factor, elementOf(x)));
}

static Outcome importGemm(Node &node) {
  Emitter &e = node.emit;
  Value a = node.in(0), b = node.in(1);
  if (node.integer("transA", 0))
    a = e.transpose(a, {1, 0});
  if (node.integer("transB", 0))
    b = e.transpose(b, {1, 0});
  Value y = scaled(e, e.matmul(a, b), node.real("alpha", 1.0));
  if (node.in(2))
    y = e.add(y, scaled(e, node.in(2), node.real("beta", 1.0)));
  return node.done(y);
}

static Outcome importFusedMatMul(Node &node) {
  Emitter &e = node.emit;
  Value a = node.in(0), b = node.in(1);
  if (node.integer("transBatchA", 0) || node.integer("transBatchB", 0))
    return node.unsupported("transBatchA or transBatchB");
  if ((node.integer("transA", 0) && rankOf(a) < 2) || (node.integer("transB", 0) && rankOf(b) < 2))
    return node.unsupported("a transposed input of unknown rank");
  if (node.integer("transA", 0))
    a = swapLast(e, a);
  if (node.integer("transB", 0))
    b = swapLast(e, b);
  return node.done(scaled(e, e.matmul(a, b), node.real("alpha", 1.0)));
}

static Outcome importEinsum(Node &node) {
  std::string equation;
  for (char c : node.text("equation", ""))
    if (c != ' ')
      equation += c;
  size_t arrow = equation.find("->");
  Shape shape;
  if (arrow == std::string::npos)
    return node.unsupported("an equation without '->'");
  if (equation.find('.') == std::string::npos)
    shape = Ints(std::min<size_t>(equation.size() - arrow - 2, 64), dynamicDim);
  return node.done(node.emit.op("einsum", node.operands, tensorOf(shape, elementOf(node.in(0))),
                                {node.emit.str("equation", equation)}));
}

ArrayRef<OpRow> matrixOps() {
  static const OpRow rows[] = {
      {"", "MatMul", 1, 2, 2, 1, importMatMul},
      {"", "Gemm", 7, 2, 3, 1, importGemm},
      {"", "Einsum", 12, 1, -1, 1, importEinsum},
      {"com.microsoft", "FusedMatMul", 1, 2, 2, 1, importFusedMatMul},
  };
  return rows;
}

} // namespace qopt
