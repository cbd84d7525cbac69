//===- Attributes.cpp - Typed access to the attributes of a call ------------------------------===//
#include "Tensor/OpTable.h"

namespace qrt::tensor {

static Status wrongType(const char *name, const char *wanted) {
  return invalidArgument(std::string("attribute '") + name + "' is not " + wanted);
}

Result<int64_t> intAttr(const OpCall &call, const char *name, int64_t otherwise) {
  auto found = call.attrs.find(name);
  if (found == call.attrs.end())
    return otherwise;
  if (const auto *value = std::get_if<int64_t>(&found->second))
    return *value;
  return wrongType(name, "an integer");
}

Result<double> floatAttr(const OpCall &call, const char *name, double otherwise) {
  auto found = call.attrs.find(name);
  if (found == call.attrs.end())
    return otherwise;
  if (const auto *value = std::get_if<double>(&found->second))
    return *value;
  if (const auto *value = std::get_if<int64_t>(&found->second))
    return static_cast<double>(*value);
  return wrongType(name, "a number");
}

Result<std::string> stringAttr(const OpCall &call, const char *name, std::string otherwise) {
  auto found = call.attrs.find(name);
  if (found == call.attrs.end())
    return otherwise;
  if (const auto *value = std::get_if<std::string>(&found->second))
    return *value;
  return wrongType(name, "a string");
}

Result<std::vector<int64_t>> intsAttr(const OpCall &call, const char *name,
                                      std::vector<int64_t> otherwise) {
  auto found = call.attrs.find(name);
  if (found == call.attrs.end())
    return otherwise;
  if (const auto *value = std::get_if<std::vector<int64_t>>(&found->second))
    return *value;
  // An empty list has lost its element type in some encodings.
  if (const auto *value = std::get_if<std::vector<double>>(&found->second); value && value->empty())
    return std::vector<int64_t>();
  return wrongType(name, "a list of integers");
}

} // namespace qrt::tensor
