//===- ImportQuantization.cpp - Quantization operators of the default domain ------------------===//
// 2- and 4-bit tensors are unpacked to bytes, so the ops see i8 and ui8. Their zero point defaults
// to 0, unlike that of MatMulNBits.
#include "OpTable.h"

using namespace mlir;

namespace qopt {

static bool isStoredInt(Type type) { return isa<IntegerType>(type) && !type.isInteger(1); }

static int64_t axisOf(Node &node) {
  int64_t axis = node.integer("axis", 1), rank = rankOf(node.in(0));
  return axis < 0 && rank >= 0 ? axis + rank : axis;
}

static Outcome importDequantizeLinear(Node &node) {
  Emitter &e = node.emit;
  if (!isStoredInt(elementOf(node.in(0))))
    return node.unsupported("an input that is not an integer tensor");
  Type element = elementOf(node.in(1));
  if (int64_t wanted = node.integer("output_dtype", 0))
    element = elementType(e.context(), int(wanted));
  if (!element || !isa<FloatType>(element))
    return node.unsupported("output_dtype " + std::to_string(node.integer("output_dtype", 0)));
  SmallVector<Value> operands{node.in(0), node.in(1)};
  if (node.in(2))
    operands.push_back(node.in(2));
  return node.done(
      e.op("dequantize_linear", operands, tensorOf(shapeOf(node.in(0)), element),
           {e.i64("axis", axisOf(node)), e.i64("block_size", node.integer("block_size", 0))}));
}

static Outcome importQuantizeLinear(Node &node) {
  Emitter &e = node.emit;
  int64_t wanted = node.integer("output_dtype", 0);
  if (wanted && storedBits(int(wanted)) < 8)
    return node.unsupported("output_dtype " + onnxTypeName(int(wanted)));
  Type element = wanted       ? elementType(e.context(), int(wanted))
                 : node.in(2) ? elementOf(node.in(2))
                              : elementType(e.context(), OnnxUint8);
  if (!element || !isStoredInt(element))
    return node.unsupported("output_dtype " + onnxTypeName(int(wanted)));
  SmallVector<Value> operands{node.in(0), node.in(1)};
  if (node.in(2))
    operands.push_back(node.in(2));
  return node.done(
      e.op("quantize_linear", operands, tensorOf(shapeOf(node.in(0)), element),
           {e.i64("axis", axisOf(node)), e.i64("block_size", node.integer("block_size", 0))}));
}

static Outcome importDynamicQuantizeLinear(Node &node) {
  Emitter &e = node.emit;
  Type code = elementType(e.context(), OnnxUint8);
  OperationState state(e.loc, "qir.dynamic_quantize_linear", {node.in(0)},
                       {tensorOf(shapeOf(node.in(0)), code),
                        RankedTensorType::get({}, e.builder.getF32Type()),
                        RankedTensorType::get({}, code)},
                       {});
  Operation *op = e.builder.create(state);
  for (size_t i = 0; i < 3; ++i)
    node.set(i, op->getResult(i));
  return Outcome::Ok;
}

static Outcome importMatMulInteger(Node &node) {
  Emitter &e = node.emit;
  Shape a = shapeOf(node.in(0)), b = shapeOf(node.in(1)), shape;
  if (a && b && a->size() >= 2 && b->size() >= 2) {
    int64_t rows = (*a)[a->size() - 2], columns = b->back();
    a->resize(a->size() - 2);
    b->resize(b->size() - 2);
    shape = broadcastShapes(a, b);
    shape->append({rows, columns});
  }
  return node.done(qir::MatmulIntegerOp::create(e.builder, e.loc,
                                                tensorOf(shape, e.builder.getI32Type()), node.in(0),
                                                node.in(1), node.in(2), node.in(3)));
}

ArrayRef<OpRow> quantizationOps() {
  static const OpRow rows[] = {
      {"", "DequantizeLinear", 10, 2, 3, 1, importDequantizeLinear},
      {"", "QuantizeLinear", 10, 2, 3, 1, importQuantizeLinear},
      {"", "DynamicQuantizeLinear", 11, 1, 1, 3, importDynamicQuantizeLinear},
      {"", "MatMulInteger", 10, 2, 4, 1, importMatMulInteger},
  };
  return rows;
}

} // namespace qopt
