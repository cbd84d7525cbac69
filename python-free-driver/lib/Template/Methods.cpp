//===- Methods.cpp - Methods of containers and numbers ----------------------------------------===//
#include "Template/Interpreter.h"

#include <algorithm>
#include <cmath>

namespace qrt::jinja {

static Value get(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("get", arguments, {"/key", "/default"}, 1);
  const Value *value = self.dict().find(p[0], in.budget);
  return value ? *value : p[1];
}

static Value dictItems(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("items", arguments, {});
  Values items;
  in.budget.bytes(self.dict().entries.size() * 3 * sizeof(Value));
  for (const auto &[key, value] : self.dict().entries)
    items.push_back(Value::tuple({key, value}));
  return Value::view("dict_items", std::move(items));
}
static Value dictKeys(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("keys", arguments, {});
  return Value::view("dict_keys", iterate(self, in.budget));
}
static Value dictValues(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("values", arguments, {});
  Values items;
  in.budget.bytes(self.dict().entries.size() * sizeof(Value));
  for (const auto &entry : self.dict().entries)
    items.push_back(entry.second);
  return Value::view("dict_values", std::move(items));
}

static Value copy(Interpreter &, const Value &self, Arguments &arguments) {
  Parameters p("copy", arguments, {});
  return self;
}

static Value countItem(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("count", arguments, {"/value"}, 1);
  int64_t count = 0;
  for (const Value &item : iterate(self, in.budget))
    count += equal(item, p[0], in.budget);
  return Value::integer(count);
}

static Value indexOf(Interpreter &in, const Value &self, Arguments &arguments) {
  Parameters p("index", arguments, {"/value", "/start", "/stop"}, 1);
  Values items = iterate(self, in.budget);
  int64_t length = int64_t(items.size());
  auto clamp = [&](int64_t index) {
    return index < 0 ? std::max<int64_t>(index + length, 0) : index;
  };
  int64_t stop = std::min(clamp(p.integer(2, length)), length);
  for (int64_t i = clamp(p.integer(1, 0)); i < stop; ++i)
    if (equal(items[size_t(i)], p[0], in.budget))
      return Value::integer(i);
  fail("the value is not in the " + std::string(typeName(self)));
}

static Value isInteger(Interpreter &, const Value &self, Arguments &arguments) {
  Parameters p("is_integer", arguments, {});
  double value = self.asDouble();
  return Value::boolean(std::isfinite(value) && value == std::floor(value));
}

static Value bitLength(Interpreter &, const Value &self, Arguments &arguments) {
  Parameters p("bit_length", arguments, {});
  uint64_t value = self.asInt() < 0 ? 0 - uint64_t(self.asInt()) : uint64_t(self.asInt());
  return Value::integer(value ? 64 - __builtin_clzll(value) : 0);
}

Function findMethod(const Value &object, std::string_view name) {
  switch (object.kind()) {
  case Kind::String:
    return findTextMethod(name);
  case Kind::Dict:
    if (name == "get")
      return get;
    if (name == "items")
      return dictItems;
    if (name == "keys")
      return dictKeys;
    if (name == "values")
      return dictValues;
    return name == "copy" ? copy : nullptr;
  case Kind::List:
    if (name == "copy")
      return copy;
    [[fallthrough]];
  case Kind::Tuple:
  case Kind::Range:
    return name == "count" ? countItem : name == "index" ? indexOf : nullptr;
  case Kind::Float:
    return name == "is_integer" ? isInteger : nullptr;
  case Kind::Int:
  case Kind::Bool:
    return name == "bit_length" ? bitLength : nullptr;
  default:
    return nullptr;
  }
}

bool isForbiddenAttribute(const Value &object, std::string_view name) {
  auto among = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (object.is(Kind::List))
    return among({"append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"});
  if (object.is(Kind::Dict))
    return among({"clear", "pop", "popitem", "setdefault", "update"});
  return false;
}

} // namespace qrt::jinja
