//===- Parameters.cpp - Binding of arguments to parameters ------------------------------------===//
#include "Template/Functions.h"

#include <algorithm>

namespace qrt::jinja {

Parameters::Parameters(std::string_view function, Arguments &arguments,
                       std::initializer_list<std::string_view> parameterNames, size_t required)
    : function(function), names(parameterNames), values(names.size()), given(names.size()) {
  if (arguments.positional.size() > names.size())
    fail(this->function + "() takes at most " + std::to_string(names.size()) + " argument(s) (" +
         std::to_string(arguments.positional.size()) + " given)");
  for (size_t i = 0; i < arguments.positional.size(); ++i) {
    values[i] = arguments.positional[i];
    given[i] = true;
  }
  for (auto &[name, value] : arguments.keyword) {
    auto it = std::find(names.begin(), names.end(), std::string_view(name));
    if (it == names.end())
      fail(this->function + "() got an unexpected keyword argument '" + name + "'");
    size_t i = size_t(it - names.begin());
    if (given[i])
      fail(this->function + "() got multiple values for argument '" + name + "'");
    values[i] = value;
    given[i] = true;
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (i < required && !given[i])
      fail(this->function + "() missing required argument '" +
           std::string(names[i].substr(names[i].starts_with('/'))) + "'");
  }
}

int64_t Parameters::integer(size_t i, int64_t otherwise) const {
  if (!given[i])
    return otherwise;
  if (values[i].isUndefined())
    fail(values[i].undefinedMessage());
  if (!values[i].isIntegral())
    fail(function + "(): '" + typeName(values[i]) + "' object cannot be interpreted as an integer");
  return values[i].asInt();
}

bool Parameters::truth(size_t i, bool otherwise) const {
  return given[i] ? isTrue(values[i]) : otherwise;
}

const std::string &Parameters::text(size_t i) const {
  if (values[i].isUndefined())
    fail(values[i].undefinedMessage());
  if (!values[i].isString())
    fail(function + "() argument must be str, not " + typeName(values[i]));
  return values[i].text();
}

} // namespace qrt::jinja
