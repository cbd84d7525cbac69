//===- ExportOps.cpp - Low-half ops as ONNX nodes ---------------------------------------------===//
#include "GraphExporter.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace qopt {

static int64_t intOf(Operation *op, StringRef name, int64_t otherwise = 0) {
  auto attribute = op->getAttrOfType<IntegerAttr>(name);
  return attribute ? attribute.getInt() : otherwise;
}

static ArrayRef<int64_t> intsOf(Operation *op, StringRef name) {
  auto attribute = op->getAttrOfType<DenseI64ArrayAttr>(name);
  return attribute ? attribute.asArrayRef() : ArrayRef<int64_t>();
}

/// Ops that are one ONNX operator with the attributes of the same name.
static const llvm::StringMap<const char *> &plainOps() {
  static const llvm::StringMap<const char *> table = {
      {"neg", "Neg"},
      {"abs", "Abs"},
      {"sqrt", "Sqrt"},
      {"reciprocal", "Reciprocal"},
      {"exp", "Exp"},
      {"log", "Log"},
      {"erf", "Erf"},
      {"tanh", "Tanh"},
      {"sigmoid", "Sigmoid"},
      {"cos", "Cos"},
      {"sin", "Sin"},
      {"floor", "Floor"},
      {"ceil", "Ceil"},
      {"round", "Round"},
      {"sign", "Sign"},
      {"softplus", "Softplus"},
      {"relu", "Relu"},
      {"not", "Not"},
      {"is_nan", "IsNaN"},
      {"is_inf", "IsInf"},
      {"identity", "Identity"},
      {"gelu", "Gelu"},
      {"add", "Add"},
      {"sub", "Sub"},
      {"mul", "Mul"},
      {"div", "Div"},
      {"pow", "Pow"},
      {"min", "Min"},
      {"max", "Max"},
      {"mod", "Mod"},
      {"equal", "Equal"},
      {"less", "Less"},
      {"less_equal", "LessOrEqual"},
      {"greater", "Greater"},
      {"greater_equal", "GreaterOrEqual"},
      {"and", "And"},
      {"or", "Or"},
      {"xor", "Xor"},
      {"where", "Where"},
      {"matmul", "MatMul"},
      {"einsum", "Einsum"},
      {"softmax", "Softmax"},
      {"log_softmax", "LogSoftmax"},
      {"shape_of", "Shape"},
      {"size_of", "Size"},
      {"range", "Range"},
      {"reshape", "Reshape"},
      {"flatten", "Flatten"},
      {"expand", "Expand"},
      {"tile", "Tile"},
      {"concat", "Concat"},
      {"gather", "Gather"},
      {"gather_elements", "GatherElements"},
      {"gather_nd", "GatherND"},
      {"scatter_nd", "ScatterND"},
      {"trilu", "Trilu"},
      {"non_zero", "NonZero"},
      {"transpose", "Transpose"},
      {"arg_max", "ArgMax"},
      {"top_k", "TopK"},
      {"dequantize_linear", "DequantizeLinear"},
      {"quantize_linear", "QuantizeLinear"},
      {"dynamic_quantize_linear", "DynamicQuantizeLinear"},
      {"layer_norm", "LayerNormalization"},
  };
  return table;
}

bool GraphExporter::exportPlain(Operation *op) {
  StringRef mnemonic = op->getName().stripDialect();
  auto row = plainOps().find(mnemonic);
  if (row == plainOps().end())
    return false;
  Names inputs, outputs;
  for (Value operand : op->getOperands())
    inputs.push_back(name(operand));
  for (Value result : op->getResults())
    outputs.push_back(name(result));
  onnx_ir::NodeProto *out = node(row->second, inputs, outputs);
  // QuantizeLinear without a zero point says its type by attribute.
  if (mnemonic == "quantize_linear" && op->getNumOperands() == 2)
    setInt(out, "output_dtype", onnxTypeOf(elementOf(op->getResult(0))));
  for (NamedAttribute attribute : op->getAttrs()) {
    std::string key = attribute.getName().str();
    if (mnemonic == "arg_max" && key == "select_last")
      key = "select_last_index";
    if (auto integer = dyn_cast<IntegerAttr>(attribute.getValue()))
      setInt(out, key.c_str(), integer.getInt());
    else if (auto real = dyn_cast<FloatAttr>(attribute.getValue()))
      setFloat(out, key.c_str(), real.getValueAsDouble());
    else if (auto text = dyn_cast<StringAttr>(attribute.getValue()))
      setText(out, key.c_str(), text.getValue());
    else if (auto list = dyn_cast<DenseI64ArrayAttr>(attribute.getValue())) {
      onnx_ir::AttributeProto *ints = out->add_attribute();
      ints->set_name(key);
      ints->set_type(7);
      for (int64_t value : list.asArrayRef())
        ints->add_ints(value);
    }
  }
  return true;
}

bool GraphExporter::exportSimple(Operation *op) {
  StringRef mnemonic = op->getName().stripDialect();
  auto in = [&](unsigned i) { return name(op->getOperand(i)); };
  std::string out = op->getNumResults() ? name(op->getResult(0)) : std::string();
  Type element = op->getNumResults() ? elementOf(op->getResult(0)) : Type();
  auto constant = [&](double value) {
    std::string number = fresh();
    onnx_ir::AttributeProto *a = node("Constant", {}, {number})->add_attribute();
    a->set_name("value_float");
    a->set_type(1);
    a->set_f(float(value));
    return element.isF32() ? number : castTo(number, element);
  };
  if (mnemonic == "cast") {
    setInt(node("Cast", {in(0)}, {out}), "to", onnxTypeOf(element));
  } else if (mnemonic == "silu") {
    node("Mul", {in(0), emit("Sigmoid", {in(0)})}, {out});
  } else if (auto quick = dyn_cast<qir::QuickGeluOp>(op)) {
    std::string scaled = emit("Mul", {in(0), constant(quick.getAlpha().convertToDouble())});
    node("Mul", {in(0), emit("Sigmoid", {scaled})}, {out});
  } else if (auto softcap = dyn_cast<qir::SoftcapOp>(op)) {
    std::string cap = constant(softcap.getCap().convertToDouble());
    node("Mul", {emit("Tanh", {emit("Div", {in(0), cap})}), cap}, {out});
  } else if (auto clip = dyn_cast<qir::ClipOp>(op)) {
    node("Clip", {in(0), name(clip.getMin()), name(clip.getMax())}, {out});
  } else if (mnemonic == "full") {
    node("Expand", {in(1), in(0)}, {out});
  } else if (mnemonic.starts_with("reduce_")) {
    static const llvm::StringMap<const char *> kinds = {
        {"mean", "ReduceMean"}, {"sum", "ReduceSum"},   {"max", "ReduceMax"},
        {"min", "ReduceMin"},   {"prod", "ReduceProd"}, {"l2", "ReduceL2"}};
    Names inputs{in(0)};
    if (!intsOf(op, "axes").empty())
      inputs.push_back(int64s(intsOf(op, "axes")));
    setInt(node(kinds.lookup(mnemonic.drop_front(7)), inputs, {out}), "keepdims",
           intOf(op, "keepdims", 1));
  } else if (mnemonic == "squeeze" || mnemonic == "unsqueeze") {
    Names inputs{in(0)};
    if (!intsOf(op, "axes").empty())
      inputs.push_back(int64s(intsOf(op, "axes")));
    bool nothing = mnemonic == "unsqueeze" && inputs.size() == 1;
    node(nothing ? "Identity" : mnemonic == "squeeze" ? "Squeeze" : "Unsqueeze", inputs, {out});
  } else if (mnemonic == "slice") {
    node("Slice", {in(0), in(1), in(2), int64s(intsOf(op, "axes")), int64s(intsOf(op, "steps"))},
         {out});
  } else if (mnemonic == "split") {
    Names outputs;
    for (Value result : op->getResults())
      outputs.push_back(name(result));
    setInt(node("Split", {in(0), int64s(intsOf(op, "sizes"))}, outputs), "axis", intOf(op, "axis"));
  } else if (mnemonic == "cumsum") {
    onnx_ir::NodeProto *sum =
        node("CumSum", {in(0), emit("Squeeze", {int64s({intOf(op, "axis")})})}, {out});
    setInt(sum, "exclusive", intOf(op, "exclusive"));
    setInt(sum, "reverse", intOf(op, "reverse"));
  } else if (auto pad = dyn_cast<qir::PadOp>(op)) {
    Names inputs{in(0), in(1), name(pad.getValue())};
    if (!pad.getAxes().empty())
      inputs.push_back(int64s(pad.getAxes()));
    setText(node("Pad", inputs, {out}), "mode", pad.getMode());
  } else if (auto product = dyn_cast<qir::MatmulIntegerOp>(op)) {
    node("MatMulInteger",
         {in(0), in(1), name(product.getAZeroPoint()), name(product.getBZeroPoint())}, {out});
  } else {
    return false;
  }
  return true;
}

void GraphExporter::exportOp(Operation *op) {
  if (isa<qir::ConstantOp>(op))
    exportConstant(op);
  else if (isa<qir::IfOp>(op))
    exportIf(op);
  else if (!exportPlain(op) && !exportSimple(op) && !exportModelOp(op))
    unsupported(op, "");
}

} // namespace qopt
