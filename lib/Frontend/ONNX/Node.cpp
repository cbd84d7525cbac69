//===- Node.cpp - One ONNX node while it is imported ------------------------------------------===//
#include "Node.h"

#include "GraphImporter.h"

namespace qopt {

const onnx_ir::AttributeProto *Node::attribute(llvm::StringRef name) const {
  for (const auto &attribute : proto.attribute())
    if (name == attribute.name())
      return &attribute;
  return nullptr;
}

int64_t Node::integer(llvm::StringRef name, int64_t otherwise) const {
  const onnx_ir::AttributeProto *a = attribute(name);
  return a ? a->i() : otherwise;
}

double Node::real(llvm::StringRef name, double otherwise) const {
  const onnx_ir::AttributeProto *a = attribute(name);
  return a ? double(a->f()) : otherwise;
}

std::string Node::text(llvm::StringRef name, llvm::StringRef otherwise) const {
  const onnx_ir::AttributeProto *a = attribute(name);
  return a ? a->s() : otherwise.str();
}

std::optional<Ints> Node::integers(llvm::StringRef name) const {
  const onnx_ir::AttributeProto *a = attribute(name);
  if (!a)
    return std::nullopt;
  return Ints(a->ints().begin(), a->ints().end());
}

std::optional<Ints> Node::integersOrInput(llvm::StringRef name, size_t input, bool &bad) const {
  if (std::optional<Ints> given = integers(name))
    return given;
  if (!in(input))
    return std::nullopt;
  std::optional<Ints> known = constantInts(in(input));
  bad |= !known;
  return known;
}

std::string Node::label() const {
  std::string op = (proto.domain().empty() ? "" : proto.domain() + "::") + proto.op_type();
  std::string name = !proto.name().empty()     ? proto.name()
                     : proto.output_size() > 0 ? proto.output(0)
                                               : std::string();
  return "node '" + name + "' (" + op + ")";
}

Outcome Node::unsupported(const std::string &what) {
  std::string op = (proto.domain().empty() ? "" : proto.domain() + "::") + proto.op_type();
  importer.recordUnsupported(op + " with " + what, label());
  return Outcome::Unsupported;
}

Outcome Node::invalid(const std::string &what) {
  importer.recordInvalid(label() + ": " + what);
  return Outcome::Invalid;
}

} // namespace qopt
