//===- WeightNames.cpp - Names of weights that the exporter left without one ------------------===//
#include "WeightNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;

namespace qopt {

static bool isAnonymous(StringRef name) {
  return name.starts_with("onnx::") ||
         (name.consume_front("val_") && !name.empty() && all_of(name, isDigit));
}

/// `/model/layers.0/mlp/up_proj/MatMul` without its last part, or nothing.
static std::string moduleOfNodeName(StringRef name) {
  if (!name.consume_front("/"))
    return {};
  SmallVector<StringRef> parts;
  name.rsplit('/').first.split(parts, '/');
  return name.contains('/') ? join(parts, ".") : std::string();
}

/// `['', 'm', 'm.model.layers.0.mlp.up_proj', 'linear']`: the last but one.
static std::string moduleOfScopes(const onnx_ir::NodeProto &node) {
  for (const auto &entry : node.metadata_props()) {
    if (entry.key() != "pkg.torch.onnx.name_scopes")
      continue;
    SmallVector<StringRef> scopes;
    StringRef(entry.value()).trim("[]").split(scopes, ',');
    return scopes.size() < 2 ? std::string() : scopes[scopes.size() - 2].trim(" '\"").str();
  }
  return {};
}

StringMap<std::string> moduleNamesOfWeights(const onnx_ir::GraphProto &graph) {
  StringSet<> taken;
  for (const auto &tensor : graph.initializer())
    taken.insert(tensor.name());
  StringMap<int> users;
  for (const auto &node : graph.node())
    for (const std::string &input : node.input())
      ++users[input];

  StringMap<std::string> names;
  StringMap<int> wanted;
  for (const auto &node : graph.node()) {
    if (node.op_type() != "MatMul" && node.op_type() != "Gemm")
      continue;
    std::string module = moduleOfNodeName(node.name());
    if (module.empty())
      module = moduleOfScopes(node);
    if (module.empty())
      continue;
    for (const std::string &input : node.input())
      if (isAnonymous(input) && taken.contains(input) && users[input] == 1) {
        names[input] = module + ".weight";
        ++wanted[names[input]];
      }
  }
  SmallVector<StringRef> ambiguous;
  for (const auto &entry : names)
    if (wanted[entry.second] > 1 || taken.contains(entry.second))
      ambiguous.push_back(entry.first());
  for (StringRef name : ambiguous)
    names.erase(name);
  return names;
}

} // namespace qopt
