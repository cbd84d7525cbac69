//===- ImportModel.cpp - Entry points and the function frame ----------------------------------===//
// Parses the protobuf, makes @main from the graph's inputs and outputs, and turns what was recorded
// on the way into one error.
#include "GraphImporter.h"

#include "Support/MappedFile.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <filesystem>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

using namespace mlir;
using qrt::Result;
using qrt::Status;

namespace qopt {

GraphImporter::GraphImporter(MLIRContext &context, std::shared_ptr<const onnx_ir::ModelProto> model,
                             const std::string &directory, const ImportOptions &options)
    : context(context), model(std::move(model)), external(directory), options(options),
      builder(&context) {}

Status GraphImporter::firstError() const {
  if (!broken.isOk() || missing.empty())
    return broken;
  std::string text = "the model uses what is not supported:";
  for (const auto &[what, entry] : missing)
    text += "\n  " + std::to_string(entry.count) + " x " + what + ", first at " + entry.first;
  return qrt::unsupported(text);
}

static ArrayAttr symbolicDims(Builder &builder, const onnx_ir::ValueInfoProto &info) {
  SmallVector<Attribute> dims;
  for (const auto &dim : info.type().tensor_type().shape().dim())
    dims.push_back(builder.getStringAttr(dim.has_dim_value()       ? std::to_string(dim.dim_value())
                                         : dim.dim_param().empty() ? std::string("?")
                                                                   : dim.dim_param()));
  return builder.getArrayAttr(dims);
}

bool GraphImporter::buildFunction() {
  const onnx_ir::GraphProto &graph = model->graph();
  Scope scope;
  scope.opsets = &modelOpsets;
  if (!openGraph(graph, scope))
    return false;
  SmallVector<Type> argumentTypes;
  SmallVector<Attribute> argumentAttributes;
  SmallVector<std::string> names;
  auto describe = [&](const onnx_ir::ValueInfoProto &info) {
    return builder.getDictionaryAttr(
        {builder.getNamedAttr("qir.name", builder.getStringAttr(info.name())),
         builder.getNamedAttr("qir.dims", symbolicDims(builder, info))});
  };
  for (const auto &input : graph.input()) {
    if (scope.initializers.contains(input.name()))
      continue; // IR 3 lists initializers as inputs too
    TensorType type = valueType(input);
    if (!type) {
      recordUnsupported("input of type " + onnxTypeName(input.type().tensor_type().elem_type()),
                        "input '" + input.name() + "'");
      continue;
    }
    argumentTypes.push_back(type);
    argumentAttributes.push_back(describe(input));
    names.push_back(input.name());
  }
  Location loc = NameLoc::get(builder.getStringAttr(graph.name().empty() ? "main" : graph.name()));
  builder.setInsertionPointToEnd(module->getBody());
  function = func::FuncOp::create(builder, loc, "main", builder.getFunctionType(argumentTypes, {}));
  function.setAllArgAttrs(argumentAttributes);
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  for (auto [name, argument] : llvm::zip_equal(names, entry->getArguments())) {
    argument.setLoc(NameLoc::get(builder.getStringAttr(name)));
    if (!scope.values.try_emplace(name, argument).second) {
      recordInvalid("input '" + name + "' is defined twice");
      return false;
    }
  }
  if (!importNodes(graph.node(), scope))
    return false;
  SmallVector<Value> outputs;
  SmallVector<Attribute> outputAttributes;
  for (const auto &output : graph.output()) {
    Value value;
    if (!lookup(output.name(), scope, value, "output '" + output.name() + "'"))
      return false;
    if (!value && missing.empty())
      recordUnsupported("an optional output that is not computed",
                        "output '" + output.name() + "'");
    outputs.push_back(value);
    outputAttributes.push_back(describe(output));
  }
  if (outputs.empty())
    recordInvalid("the graph has no outputs");
  if (!broken.isOk() || !missing.empty())
    return false;
  func::ReturnOp::create(builder, loc, outputs);
  function.setType(builder.getFunctionType(argumentTypes, ValueRange(outputs).getTypes()));
  function.setAllResultAttrs(outputAttributes);
  return true;
}

/// Constants that were looked up but not needed (axes, packed weights), and what fed only them.
static void eraseDeadOps(func::FuncOp function) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
}

Result<OwningOpRef<ModuleOp>> GraphImporter::run() {
  if (!model->has_graph() || model->graph().node_size() + model->graph().output_size() == 0)
    return qrt::invalidModel("this is not an ONNX model: it has no graph");
  for (const auto &entry : model->opset_import())
    modelOpsets[entry.domain() == "ai.onnx" ? "" : entry.domain()] = entry.version();
  if (auto it = modelOpsets.find(""); it != modelOpsets.end() && it->second < 11)
    return qrt::unsupported("opset " + std::to_string(it->second) +
                            " of ai.onnx: 11 is the oldest");
  context.loadDialect<qir::QIRDialect, func::FuncDialect>();
  module = ModuleOp::create(UnknownLoc::get(&context));
  std::string diagnostics;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostics.empty()) {
      llvm::raw_string_ostream stream(diagnostics);
      stream << diagnostic.getLocation() << ": " << diagnostic;
    }
    return success();
  });
  bool built = buildFunction();
  if (Status error = firstError(); !error.isOk())
    return error;
  if (!built)
    return qrt::internalError("the import stopped without a reason");
  eraseDeadOps(function);
  if (failed(mlir::verify(*module)))
    return qrt::invalidModel("the graph is not well-formed: " + diagnostics);
  return std::move(module);
}

static Result<std::shared_ptr<const onnx_ir::ModelProto>> parseModel(std::string_view bytes,
                                                                     const ImportOptions &options) {
  if (bytes.size() > options.maxModelBytes || bytes.size() > size_t(INT32_MAX))
    return qrt::invalidModel("the .onnx file has " + std::to_string(bytes.size()) +
                             " bytes: larger models keep their weights in external data");
  auto model = std::make_shared<onnx_ir::ModelProto>();
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const uint8_t *>(bytes.data()),
                                               int(bytes.size()));
  if (!model->ParseFromCodedStream(&input) || !input.ConsumedEntireMessage())
    return qrt::invalidModel("this is not an ONNX model: it does not parse as protobuf");
  return std::shared_ptr<const onnx_ir::ModelProto>(std::move(model));
}

Result<OwningOpRef<ModuleOp>> importONNXFromBytes(MLIRContext &context, std::string_view bytes,
                                                  const std::string &directory,
                                                  const ImportOptions &options) {
  QRT_ASSIGN_OR_RETURN(auto model, parseModel(bytes, options));
  return GraphImporter(context, model, directory, options).run();
}

Result<OwningOpRef<ModuleOp>> importONNX(MLIRContext &context, const std::string &path,
                                         const ImportOptions &options) {
  QRT_ASSIGN_OR_RETURN(qrt::MappedFile file, qrt::MappedFile::open(path));
  std::string directory = std::filesystem::path(path).parent_path().string();
  auto module =
      importONNXFromBytes(context, file.text(), directory.empty() ? "." : directory, options);
  if (!module)
    return module.status().withContext("'" + path + "'");
  return module;
}

} // namespace qopt
