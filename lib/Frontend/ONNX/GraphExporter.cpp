//===- GraphExporter.cpp - The frame of the exporter ------------------------------------------===//
// Names, constants, inputs, outputs and branches. Ops are in ExportOps.cpp and ExportModelOps.cpp.
#include "GraphExporter.h"

#include "qopt/Support/WeightStore.h"

#include "Support/AtomicFile.h"

using namespace mlir;
using qrt::Status;

namespace qopt {

int onnxTypeOf(Type element) {
  for (int type : {OnnxFloat, OnnxFloat16, OnnxBFloat16, OnnxDouble, OnnxInt64, OnnxInt32,
                   OnnxInt16, OnnxInt8, OnnxUint8, OnnxUint16, OnnxUint32, OnnxUint64, OnnxBool})
    if (elementType(element.getContext(), type) == element)
      return type;
  return 0;
}

onnx_ir::NodeProto *GraphExporter::node(const std::string &type, const Names &inputs,
                                        const Names &outputs) {
  onnx_ir::NodeProto *out = graph->add_node();
  out->set_op_type(type);
  out->set_name(location + "/" + std::to_string(counter++));
  for (const std::string &input : inputs)
    out->add_input(input);
  for (const std::string &output : outputs)
    out->add_output(output);
  return out;
}

std::string GraphExporter::emit(const std::string &type, const Names &inputs) {
  std::string output = fresh();
  node(type, inputs, {output});
  return output;
}

std::string GraphExporter::name(Value value) {
  if (!value)
    return "";
  std::string &known = names[value];
  if (known.empty())
    known = fresh();
  return known;
}

std::string GraphExporter::int64s(ArrayRef<int64_t> values) {
  onnx_ir::TensorProto *tensor = model.mutable_graph()->add_initializer();
  tensor->set_name(fresh());
  tensor->set_data_type(OnnxInt64);
  tensor->add_dims(int64_t(values.size()));
  tensor->set_raw_data(values.data(), values.size() * sizeof(int64_t));
  return tensor->name();
}

std::string GraphExporter::castTo(const std::string &x, Type element) {
  std::string output = fresh();
  setInt(node("Cast", {x}, {output}), "to", onnxTypeOf(element));
  return output;
}

static onnx_ir::AttributeProto *add(onnx_ir::NodeProto *node, const char *name, int type) {
  onnx_ir::AttributeProto *attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return attribute;
}
void GraphExporter::setInt(onnx_ir::NodeProto *node, const char *name, int64_t value) {
  add(node, name, 2)->set_i(value);
}
void GraphExporter::setFloat(onnx_ir::NodeProto *node, const char *name, double value) {
  add(node, name, 1)->set_f(float(value));
}
void GraphExporter::setText(onnx_ir::NodeProto *node, const char *name, StringRef value) {
  add(node, name, 3)->set_s(value.str());
}

void GraphExporter::unsupported(Operation *op, const std::string &why) {
  std::string what = op->getName().getStringRef().str() + (why.empty() ? "" : " with " + why);
  auto &entry = refused[what];
  if (entry.first++ == 0)
    entry.second = location;
}

void GraphExporter::exportConstant(Operation *op) {
  auto constant = cast<qir::ConstantOp>(op);
  auto type = cast<ShapedType>(constant.getValue().getType());
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes = ArrayRef<char>();
  if (type.getNumElements() > 0)
    bytes = WeightStore::bytes(constant, scratch);
  if (failed(bytes)) {
    broken = qrt::internalError("the constant '" + location + "' has no bytes");
    return;
  }
  weightBytes += bytes->size();
  if (weightBytes > (uint64_t(2) << 30) - (64 << 20)) {
    broken = qrt::resourceExhausted("the weights do not fit into one .onnx file of 2 GiB");
    return;
  }
  onnx_ir::TensorProto *tensor = model.mutable_graph()->add_initializer();
  tensor->set_name(name(op->getResult(0)));
  tensor->set_data_type(onnxTypeOf(type.getElementType()));
  for (int64_t dim : type.getShape())
    tensor->add_dims(dim);
  tensor->set_raw_data(bytes->data(), bytes->size());
}

void GraphExporter::exportIf(Operation *op) {
  Names outputs;
  for (Value result : op->getResults())
    outputs.push_back(name(result));
  onnx_ir::NodeProto *branch = node("If", {name(op->getOperand(0))}, outputs);
  onnx_ir::GraphProto *outer = graph;
  for (int side = 0; side < 2; ++side) {
    // Children of `branch` stay where they are while attributes are added: protobuf owns pointers.
    graph = add(branch, side == 0 ? "then_branch" : "else_branch", 5)->mutable_g();
    graph->set_name(side == 0 ? "then" : "else");
    Block &block = op->getRegion(side).front();
    exportBlock(block);
    for (Value value : block.getTerminator()->getOperands()) {
      onnx_ir::ValueInfoProto *info = graph->add_output();
      info->set_name(emit("Identity", {name(value)}));
      describe(info, value.getType(), {});
    }
  }
  graph = outer;
}

void GraphExporter::exportBlock(Block &block) {
  for (Operation &op : block) {
    if (!broken.isOk())
      return;
    if (auto loc = dyn_cast<NameLoc>(op.getLoc()))
      location = loc.getName().str();
    if (!isa<func::ReturnOp, qir::YieldOp>(op))
      exportOp(&op);
  }
}

void GraphExporter::describe(onnx_ir::ValueInfoProto *info, Type type, DictionaryAttr attributes) {
  auto tensor = cast<TensorType>(type);
  auto *proto = info->mutable_type()->mutable_tensor_type();
  proto->set_elem_type(onnxTypeOf(tensor.getElementType()));
  if (!tensor.hasRank())
    return;
  auto dims = attributes ? attributes.getAs<ArrayAttr>("qir.dims") : ArrayAttr();
  auto *shape = proto->mutable_shape();
  for (int64_t i = 0; i < tensor.getRank(); ++i) {
    auto *dim = shape->add_dim();
    if (tensor.getDimSize(i) != dynamicDim)
      dim->set_dim_value(tensor.getDimSize(i));
    else if (dims && size_t(i) < dims.size() && isa<StringAttr>(dims[i]) &&
             cast<StringAttr>(dims[i]).getValue() != "?")
      dim->set_dim_param(cast<StringAttr>(dims[i]).getValue().str());
  }
}

Status GraphExporter::run(func::FuncOp function) {
  graph->set_name("main");
  auto labelled = [](DictionaryAttr attributes, const std::string &otherwise) {
    auto label = attributes ? attributes.getAs<StringAttr>("qir.name") : StringAttr();
    return label ? label.str() : otherwise;
  };
  for (BlockArgument argument : function.getArguments()) {
    unsigned i = argument.getArgNumber();
    DictionaryAttr attributes = function.getArgAttrDict(i);
    onnx_ir::ValueInfoProto *info = graph->add_input();
    info->set_name(names[argument] = labelled(attributes, "input_" + std::to_string(i)));
    describe(info, argument.getType(), attributes);
  }
  Block &entry = function.getBody().front();
  exportBlock(entry);
  for (auto [i, value] : llvm::enumerate(entry.getTerminator()->getOperands())) {
    DictionaryAttr attributes = function.getResultAttrDict(i);
    onnx_ir::ValueInfoProto *info = graph->add_output();
    info->set_name(labelled(attributes, "output_" + std::to_string(i)));
    node("Identity", {name(value)}, {info->name()});
    describe(info, value.getType(), attributes);
  }
  if (!broken.isOk() || refused.empty())
    return broken;
  std::string text = "the module has ops that ONNX export does not write:";
  for (const auto &[what, entry] : refused)
    text +=
        "\n  " + std::to_string(entry.first) + " x " + what + ", first at '" + entry.second + "'";
  return qrt::unsupported(text);
}

qrt::Result<std::string> exportONNXToBytes(ModuleOp module) {
  auto function = module.lookupSymbol<func::FuncOp>("main");
  if (!function || function.isDeclaration() || !llvm::hasSingleElement(function.getBody()))
    return qrt::invalidArgument("the module has no function @main of one block");
  onnx_ir::ModelProto model;
  model.set_ir_version(11);
  model.set_producer_name("qopt");
  onnx_ir::OperatorSetIdProto *opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(23);
  QRT_RETURN_IF_ERROR(GraphExporter(model).run(function));
  std::string bytes;
  if (model.ByteSizeLong() > size_t(INT32_MAX) || !model.SerializeToString(&bytes))
    return qrt::resourceExhausted("the model does not fit into one .onnx file of 2 GiB");
  return bytes;
}

Status exportONNX(ModuleOp module, const std::string &path) {
  QRT_ASSIGN_OR_RETURN(std::string bytes, exportONNXToBytes(module));
  QRT_ASSIGN_OR_RETURN(qrt::AtomicFile file, qrt::AtomicFile::create(path));
  QRT_RETURN_IF_ERROR(file.write(bytes.data(), bytes.size()));
  return file.commit();
}

} // namespace qopt
