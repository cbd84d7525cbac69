//===- SelectionFilters.cpp - map, select, reject and the filter table ------------------------===//
#include "Template/Interpreter.h"

namespace qrt::jinja {

static std::string takeName(Arguments &arguments, const char *what) {
  if (arguments.positional.empty())
    fail(std::string(what) + " is missing");
  Value name = arguments.positional.front();
  arguments.positional.erase(arguments.positional.begin());
  if (!name.isString())
    fail(std::string(what) + " must be a string");
  return name.text();
}

static Value map(Interpreter &in, const Value &input, Arguments &arguments) {
  Values result;
  if (!isTrue(input))
    return makeIterator({}, in.budget);
  bool byAttribute = false;
  for (const auto &[name, value] : arguments.keyword)
    byAttribute |= name == "attribute";
  if (arguments.positional.empty() && byAttribute) {
    Parameters p("map", arguments, {"attribute", "default"});
    AttributePath path(p[0]);
    const Value *otherwise = p[1].isNone() ? nullptr : &p[1];
    for (const Value &item : iterate(input, in.budget))
      result.push_back(path.of(in, item, otherwise));
    return makeIterator(std::move(result), in.budget);
  }
  std::string name = takeName(arguments, "the filter of map");
  for (const Value &item : iterate(input, in.budget)) {
    in.budget.step();
    Arguments copy = arguments;
    result.push_back(in.applyFilter(name, item, copy));
  }
  return makeIterator(std::move(result), in.budget);
}

template <bool wanted, bool byAttribute>
static Value select(Interpreter &in, const Value &input, Arguments &arguments) {
  Values result;
  if (!isTrue(input))
    return makeIterator({}, in.budget);
  AttributePath path{Value()};
  if (byAttribute) {
    if (arguments.positional.empty())
      fail("Missing parameter for attribute name");
    path = AttributePath(arguments.positional.front());
    arguments.positional.erase(arguments.positional.begin());
  }
  std::string test;
  if (!arguments.positional.empty())
    test = takeName(arguments, "the test of select");
  for (const Value &item : iterate(input, in.budget)) {
    in.budget.step();
    Value subject = path.of(in, item);
    Arguments copy = arguments;
    bool holds = test.empty() ? isTrue(subject) : in.applyTest(test, subject, copy);
    if (holds == wanted)
      result.push_back(item);
  }
  return makeIterator(std::move(result), in.budget);
}

Function findSelectionFilter(std::string_view name) {
  if (name == "map")
    return map;
  if (name == "select")
    return select<true, false>;
  if (name == "reject")
    return select<false, false>;
  if (name == "selectattr")
    return select<true, true>;
  if (name == "rejectattr")
    return select<false, true>;
  return nullptr;
}

Function findFilter(std::string_view name) {
  for (auto find : {findTextFilter, findSequenceFilter, findSelectionFilter, findNumberFilter})
    if (Function function = find(name))
      return function;
  return nullptr;
}

} // namespace qrt::jinja
