//===- GraphImporter.cpp - Scopes, nodes, functions and initializers --------------------------===//
// The function frame (arguments, results, entry points) is in ImportModel.cpp.
#include "GraphImporter.h"
#include "WeightNames.h"

#include "qopt/Support/WeightStore.h"

using namespace mlir;

namespace qopt {

void GraphImporter::recordUnsupported(const std::string &what, const std::string &where) {
  Missing &entry = missing[what];
  if (entry.count++ == 0)
    entry.first = where;
}

void GraphImporter::recordInvalid(const std::string &message) {
  if (broken.isOk())
    broken = qrt::invalidModel(message);
}

Value GraphImporter::entryConstant(StringRef name, ElementsAttr value) {
  OpBuilder::InsertionGuard guard(builder);
  Block &entry = function.getBody().front();
  if (lastEntryConstant)
    builder.setInsertionPointAfter(lastEntryConstant);
  else
    builder.setInsertionPointToStart(&entry);
  Location loc = NameLoc::get(builder.getStringAttr(name));
  OperationState state(loc, "qir.constant", {}, {value.getType()},
                       {builder.getNamedAttr("value", value)});
  lastEntryConstant = builder.create(state);
  return lastEntryConstant->getResult(0);
}

Outcome GraphImporter::tensorConstant(Node &node, const onnx_ir::TensorProto &tensor,
                                      Value &result) {
  std::string name = node.proto.output(0);
  auto value = tensorValue(&context, tensor, name, external, model);
  if (!value) {
    if (value.status().code() == qrt::StatusCode::Unsupported)
      return node.unsupported(value.status().message());
    if (broken.isOk())
      broken = value.status().withContext(node.label());
    return Outcome::Invalid;
  }
  OperationState state(NameLoc::get(builder.getStringAttr(name)), "qir.constant", {},
                       {(*value).getType()}, {builder.getNamedAttr("value", *value)});
  result = builder.create(state)->getResult(0);
  return Outcome::Ok;
}

bool GraphImporter::lookup(StringRef name, Scope &scope, Value &value, const std::string &user) {
  for (Scope *at = &scope; at; at = at->parent) {
    if (auto it = at->values.find(name); it != at->values.end()) {
      value = it->second;
      return true;
    }
    auto tensor = at->initializers.find(name);
    if (tensor == at->initializers.end())
      continue;
    auto constant = tensorValue(&context, *tensor->second, name, external, model);
    if (constant) {
      auto shown = at->weightNames.find(name);
      value = entryConstant(shown == at->weightNames.end() ? name : StringRef(shown->second),
                            *constant);
    } else if (constant.status().code() == qrt::StatusCode::Unsupported) {
      recordUnsupported("initializer with " + constant.status().message(),
                        "initializer '" + name.str() + "'");
      value = nullptr;
    } else {
      if (broken.isOk())
        broken = constant.status();
      return false;
    }
    at->values[name] = value;
    return true;
  }
  recordInvalid(user + ": input '" + name.str() +
                "' is not defined before it is used (missing, or the nodes form a cycle)");
  return false;
}

TensorType GraphImporter::valueType(const onnx_ir::ValueInfoProto &info) const {
  if (!info.has_type() || !info.type().has_tensor_type())
    return {};
  const auto &tensor = info.type().tensor_type();
  Type element = elementType(&context, tensor.elem_type());
  if (!element)
    return {};
  if (!tensor.has_shape() || tensor.shape().dim_size() > 16)
    return UnrankedTensorType::get(element);
  Ints shape;
  for (const auto &dim : tensor.shape().dim())
    shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : dynamicDim);
  return RankedTensorType::get(shape, element);
}

bool GraphImporter::openGraph(const onnx_ir::GraphProto &graph, Scope &scope) {
  if (graph.sparse_initializer_size() > 0)
    recordUnsupported("sparse initializer", "graph '" + graph.name() + "'");
  for (const auto &tensor : graph.initializer())
    if (!scope.initializers.try_emplace(tensor.name(), &tensor).second) {
      recordInvalid("initializer '" + tensor.name() + "' is defined twice");
      return false;
    }
  scope.weightNames = moduleNamesOfWeights(graph);
  for (const auto &info : graph.value_info())
    if (TensorType type = valueType(info))
      scope.valueInfo[info.name()] = type;
  return true;
}

/// The inferred type with unknown dimensions filled in from the file.
static TensorType refine(TensorType inferred, TensorType stated) {
  if (!stated || !stated.hasRank() || stated.getElementType() != inferred.getElementType())
    return inferred;
  if (!inferred.hasRank())
    return stated;
  if (inferred.getRank() != stated.getRank())
    return inferred;
  Ints shape(inferred.getShape());
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == dynamicDim)
      shape[i] = stated.getDimSize(i);
  return RankedTensorType::get(shape, inferred.getElementType());
}

bool GraphImporter::define(const onnx_ir::NodeProto &proto, ArrayRef<Value> results, Scope &scope) {
  for (int i = 0; i < proto.output_size(); ++i) {
    const std::string &name = proto.output(i);
    if (name.empty())
      continue;
    Value value = size_t(i) < results.size() ? results[i] : Value();
    bool taken = !scope.values.try_emplace(name, value).second || scope.initializers.contains(name);
    if (taken) {
      recordInvalid("node '" + proto.name() + "' (" + proto.op_type() + "): output '" + name +
                    "' is defined twice");
      return false;
    }
    auto stated = scope.valueInfo.find(name);
    if (!value || stated == scope.valueInfo.end() || !value.getDefiningOp() ||
        isa<qir::ConstantOp>(value.getDefiningOp()))
      continue;
    value.setType(refine(cast<TensorType>(value.getType()), stated->second));
  }
  return true;
}

const onnx_ir::FunctionProto *GraphImporter::findFunction(const onnx_ir::NodeProto &proto) const {
  for (const auto &candidate : model->functions())
    if (candidate.name() == proto.op_type() && candidate.domain() == proto.domain() &&
        candidate.overload() == proto.overload())
      return &candidate;
  return nullptr;
}

bool GraphImporter::importNodes(const google::protobuf::RepeatedPtrField<onnx_ir::NodeProto> &nodes,
                                Scope &scope) {
  Scope *outer = std::exchange(current, &scope);
  bool ok = true;
  for (const auto &node : nodes)
    if (!(ok = importNode(node, scope)))
      break;
  current = outer;
  return ok;
}

bool GraphImporter::importNode(const onnx_ir::NodeProto &proto, Scope &scope) {
  if (++nodeCount > options.maxNodes) {
    recordInvalid("more than " + std::to_string(options.maxNodes) + " nodes");
    return false;
  }
  StringRef domain = proto.domain() == "ai.onnx" ? StringRef() : StringRef(proto.domain());
  auto version = scope.opsets->find(domain);
  bool hasVersion = version != scope.opsets->end();
  // com.microsoft has one version, and old optimisers forget to list it.
  int64_t opset = hasVersion ? version->second : domain.empty() ? 0 : 1;
  std::string name = proto.name().empty() && proto.output_size() ? proto.output(0) : proto.name();
  Location loc = NameLoc::get(builder.getStringAttr(name));
  Node node(*this, proto, opset, Emitter(builder, loc));
  std::string label = node.label();
  if (domain.empty() && !hasVersion) {
    recordInvalid(label + ": the model does not say which opset of ai.onnx it uses");
    return false;
  }

  const OpRow *row = findOp(domain, proto.op_type(), opset);
  const onnx_ir::FunctionProto *body = row ? nullptr : findFunction(proto);
  bool poisoned = false;
  for (const std::string &input : proto.input()) {
    Value value;
    if (!input.empty()) {
      if (!lookup(input, scope, value, label))
        return false;
      poisoned |= !value;
    }
    node.operands.push_back(value);
  }
  if (!row && !body) {
    std::string op = (domain.empty() ? "" : domain.str() + "::") + proto.op_type();
    recordUnsupported(op + " (opset " + std::to_string(opset) + ")", label);
    return define(proto, {}, scope);
  }
  if (poisoned) { // depends on something unsupported, which has been recorded
    if (missing.empty())
      recordUnsupported("the use of an optional output that is not computed", label);
    return define(proto, {}, scope);
  }
  if (body)
    return importCall(*body, proto, node.operands, scope);

  for (int i = 0; i < row->minInputs; ++i)
    if (!node.in(i)) {
      recordInvalid(label + ": input " + std::to_string(i) + " is missing");
      return false;
    }
  if (row->maxInputs >= 0 && proto.input_size() > row->maxInputs) {
    recordInvalid(label + ": has " + std::to_string(proto.input_size()) +
                  " inputs, expected at most " + std::to_string(row->maxInputs));
    return false;
  }
  if (proto.output_size() == 0 || (row->maxOutputs >= 0 && proto.output_size() > row->maxOutputs)) {
    recordInvalid(label + ": has " + std::to_string(proto.output_size()) + " outputs");
    return false;
  }
  for (const auto &attribute : proto.attribute())
    if (!attribute.ref_attr_name().empty()) {
      recordInvalid(label + ": attribute '" + attribute.name() + "' refers to '" +
                    attribute.ref_attr_name() + "', which the call does not give");
      return false;
    }
  if (row->import(node) == Outcome::Invalid)
    return false;
  return define(proto, node.results, scope);
}

bool GraphImporter::importCall(const onnx_ir::FunctionProto &callee, const onnx_ir::NodeProto &call,
                               ArrayRef<Value> operands, Scope &scope) {
  Scope inner; // a function sees nothing of its caller
  inner.functionDepth = scope.functionDepth + 1;
  if (inner.functionDepth > 32) {
    recordInvalid("function '" + callee.name() +
                  "' is nested deeper than 32 calls, or calls itself");
    return false;
  }
  llvm::StringMap<int64_t> opsets;
  for (const auto &entry : callee.opset_import())
    opsets[entry.domain() == "ai.onnx" ? "" : entry.domain()] = entry.version();
  inner.opsets = &opsets;
  for (int i = 0; i < callee.input_size(); ++i)
    inner.values[callee.input(i)] = size_t(i) < operands.size() ? operands[i] : Value();
  google::protobuf::RepeatedPtrField<onnx_ir::NodeProto> nodes = callee.node();
  for (auto &node : nodes) {
    for (auto &input : *node.mutable_input())
      for (int i = 0; i < callee.input_size(); ++i) // an absent argument is an absent input
        if (callee.input(i) == input && (size_t(i) >= operands.size() || !operands[i])) {
          input.clear();
          break;
        }
    auto *attributes = node.mutable_attribute();
    for (int i = 0; i < attributes->size();) {
      const std::string wanted = attributes->Get(i).ref_attr_name();
      const onnx_ir::AttributeProto *given = nullptr;
      for (const auto &candidate : call.attribute())
        given = !wanted.empty() && candidate.name() == wanted ? &candidate : given;
      for (const auto &candidate : callee.attribute_proto())
        given = !given && !wanted.empty() && candidate.name() == wanted ? &candidate : given;
      if (wanted.empty()) {
        ++i;
      } else if (given) {
        std::string name = attributes->Get(i).name();
        *attributes->Mutable(i) = *given;
        attributes->Mutable(i++)->set_name(name);
      } else { // optional attribute that the call does not give: the operator's default
        attributes->DeleteSubrange(i, 1);
      }
    }
  }
  if (!importNodes(nodes, inner))
    return false;
  SmallVector<Value> results;
  for (const std::string &output : callee.output()) {
    Value value;
    if (!output.empty() && !lookup(output, inner, value, "function '" + callee.name() + "'"))
      return false;
    results.push_back(value);
  }
  return define(call, results, scope);
}

FailureOr<SmallVector<Value>> GraphImporter::importSubgraph(const onnx_ir::GraphProto &graph,
                                                            Block *block) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(block);
  Scope scope;
  scope.parent = current;
  scope.opsets = current->opsets;
  scope.functionDepth = current->functionDepth;
  if (!openGraph(graph, scope) || !importNodes(graph.node(), scope))
    return failure();
  SmallVector<Value> outputs;
  for (const auto &output : graph.output()) {
    Value value;
    if (!lookup(output.name(), scope, value, "subgraph '" + graph.name() + "'"))
      return failure();
    outputs.push_back(value);
  }
  return outputs;
}

} // namespace qopt
