//===- ExportModelOps.cpp - Norms, rotation, attention and packed weights as ONNX nodes -------===//
// Attention gets its causal mask in full: the operator's own flag means another alignment. Packed
// weights become blocked DequantizeLinear on bytes, which every reader of opset 21 has.
#include "GraphExporter.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"

#include <cmath>

using namespace mlir;

namespace qopt {

/// First R features rotated in halves, the rest passes; interleaved pairs use the operator.
void GraphExporter::exportRotary(Operation *op) {
  auto rotary = cast<qir::RotaryEmbeddingOp>(op);
  int64_t half = dimOf(rotary.getCos(), 2), size = dimOf(rotary.getX(), 3);
  if (rotary.getInterleaved() || half == dynamicDim || size == dynamicDim)
    return unsupported(op, "interleaved pairs or unknown sizes");
  std::string x = name(rotary.getX()), axis = int64s({3}), one = int64s({1});
  auto piece = [&](int64_t from, int64_t to) {
    return emit("Slice", {x, int64s({from}), int64s({to}), axis});
  };
  std::string low = piece(0, half), high = piece(half, 2 * half);
  std::string cos = emit("Unsqueeze", {name(rotary.getCos()), one});
  std::string sin = emit("Unsqueeze", {name(rotary.getSin()), one});
  Names parts{emit("Sub", {emit("Mul", {low, cos}), emit("Mul", {high, sin})}),
              emit("Add", {emit("Mul", {high, cos}), emit("Mul", {low, sin})})};
  if (2 * half < size)
    parts.push_back(piece(2 * half, size));
  setInt(node("Concat", parts, {name(rotary.getResult())}), "axis", 3);
}

void GraphExporter::exportSdpa(Operation *op) {
  auto sdpa = cast<qir::SdpaOp>(op);
  std::string mask = name(sdpa.getMask());
  if (sdpa.getCausal()) {
    auto length = [&](Value x) {
      std::string shape = fresh();
      onnx_ir::NodeProto *out = node("Shape", {name(x)}, {shape});
      setInt(out, "start", 2);
      setInt(out, "end", 3);
      return emit("Squeeze", {shape});
    };
    std::string zero = emit("Squeeze", {int64s({0})}), one = emit("Squeeze", {int64s({1})});
    std::string queries = length(sdpa.getQ()), keys = length(sdpa.getK());
    std::string first = emit("Sub", {keys, queries});
    std::string rows = emit("Unsqueeze", {emit("Range", {first, keys, one}), int64s({1})});
    std::string columns = emit("Unsqueeze", {emit("Range", {zero, keys, one}), int64s({0})});
    std::string visible = emit("LessOrEqual", {columns, rows});
    if (mask.empty())
      mask = visible;
    else if (elementOf(sdpa.getMask()).isInteger(1))
      mask = emit("And", {mask, visible});
    else { // additive: minus infinity where the causal mask forbids
      Type element = elementOf(sdpa.getMask());
      onnx_ir::TensorProto *infinity = model.mutable_graph()->add_initializer();
      float value = -INFINITY;
      infinity->set_name(fresh());
      infinity->set_data_type(OnnxFloat);
      infinity->set_raw_data(&value, sizeof value);
      std::string never = infinity->name();
      mask = emit("Where", {visible, mask, element.isF32() ? never : castTo(never, element)});
    }
  }
  if (!mask.empty() && !sdpa.getCausal() && dimOf(sdpa.getMask(), -2) == 1) {
    // ONNX Runtime does not broadcast the mask over the queries.
    std::string queries = fresh(), keys = fresh(), shape = fresh();
    for (auto [x, length] : {std::pair(sdpa.getQ(), queries), std::pair(sdpa.getK(), keys)}) {
      onnx_ir::NodeProto *dim = node("Shape", {name(x)}, {length});
      setInt(dim, "start", 2);
      setInt(dim, "end", 3);
    }
    setInt(node("Concat", {queries, keys}, {shape}), "axis", 0);
    mask = emit("Expand", {mask, shape});
  }
  Names inputs{name(sdpa.getQ()), name(sdpa.getK()), name(sdpa.getV())};
  if (!mask.empty())
    inputs.push_back(mask);
  onnx_ir::NodeProto *out = node("Attention", inputs, {name(sdpa.getResult())});
  setFloat(out, "scale", sdpa.getScale().convertToDouble());
  setFloat(out, "softcap", sdpa.getSoftcap().convertToDouble());
}

std::string GraphExporter::dequantized(Operation *op, Value codes, Value scales, Value zeros,
                                       Type element) {
  int64_t group = op->getAttrOfType<IntegerAttr>("group_size").getInt();
  int64_t bits = op->getAttrOfType<IntegerAttr>("bits").getInt();
  std::string scale = name(scales), zero = name(zeros);
  Type f32 = Float32Type::get(op->getContext());
  if (!elementOf(scales).isF32())
    scale = castTo(scale, f32);
  if (!zeros) { // implied by qir, 0 in ONNX
    onnx_ir::TensorProto *tensor = model.mutable_graph()->add_initializer();
    tensor->set_name(zero = fresh());
    tensor->set_data_type(OnnxUint8);
    tensor->add_dims(dimOf(scales, 0));
    tensor->add_dims(dimOf(scales, 1));
    tensor->set_raw_data(
        std::string(size_t(dimOf(scales, 0) * dimOf(scales, 1)), char(1 << (bits - 1))));
  }
  if (group == 0) { // one scale per row: per-axis form
    scale = emit("Squeeze", {scale, int64s({1})});
    zero = emit("Squeeze", {zero, int64s({1})});
  }
  std::string weight = fresh();
  onnx_ir::NodeProto *out = node("DequantizeLinear", {name(codes), scale, zero}, {weight});
  setInt(out, "axis", group == 0 ? 0 : 1);
  if (group)
    setInt(out, "block_size", group);
  return element == f32 ? weight : castTo(weight, element);
}

bool GraphExporter::exportModelOp(Operation *op) {
  auto product = [&](Value x, const std::string &weight, Value bias) {
    std::string turned = emit("Transpose", {weight}), out = name(op->getResult(0));
    if (bias)
      node("Add", {emit("MatMul", {name(x), turned}), name(bias)}, {out});
    else
      node("MatMul", {name(x), turned}, {out});
  };
  Type element = op->getNumResults() ? elementOf(op->getResult(0)) : Type();
  if (auto norm = dyn_cast<qir::RmsNormOp>(op)) {
    int64_t chunk = dimOf(norm.getW(), 0), width = dimOf(norm.getX(), -1);
    if (elementOf(norm.getW()) != element || (width != dynamicDim && width != chunk))
      unsupported(op, "chunks, or a weight of another type");
    else // a width that is not known here is that of the weight, as in all that is imported
      setFloat(node("RMSNormalization", {name(norm.getX()), name(norm.getW())},
                    {name(norm.getResult())}),
               "epsilon", norm.getEpsilon().convertToDouble());
  } else if (isa<qir::RotaryEmbeddingOp>(op)) {
    exportRotary(op);
  } else if (isa<qir::SdpaOp>(op)) {
    exportSdpa(op);
  } else if (auto linear = dyn_cast<qir::LinearOp>(op)) {
    std::string weight = name(linear.getW());
    product(linear.getX(), elementOf(linear.getW()) == element ? weight : castTo(weight, element),
            linear.getBias());
  } else if (auto packed = dyn_cast<qir::QuantizedLinearOp>(op)) {
    if (packed.getAlternate()) {
      unsupported(op, "alternate weight");
      return true;
    }
    if (qir::outliersOf(op) || qir::activationScalesOf(op)) {
      unsupported(op, "outliers or static activation scales");
      return true;
    }
    product(packed.getX(),
            dequantized(op, packed.getCodes(), packed.getScales(), packed.getZeroPoints(), element),
            packed.getBias());
  } else if (auto table = dyn_cast<qir::QuantizedEmbeddingOp>(op)) {
    if (table.getOffset()) {
      unsupported(op, "offset");
      return true;
    }
    node("Gather",
         {dequantized(op, table.getCodes(), table.getScales(), table.getZeroPoints(), element),
          name(table.getIds())},
         {name(op->getResult(0))});
  } else if (auto weight = dyn_cast<qir::DequantizeOp>(op)) {
    node("Identity",
         {dequantized(op, weight.getCodes(), weight.getScales(), weight.getZeroPoints(), element)},
         {name(op->getResult(0))});
  } else {
    return false;
  }
  return true;
}

} // namespace qopt
