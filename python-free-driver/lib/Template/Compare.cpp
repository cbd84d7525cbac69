//===- Compare.cpp - Truth, equality, order and iteration of template values ------------------===//
#include "Template/Unicode.h"
#include "Template/Value.h"

#include <algorithm>
#include <cmath>

namespace qrt::jinja {

const char *typeName(const Value &value) {
  switch (value.kind()) {
  case Kind::Undefined:
    return "Undefined";
  case Kind::None:
    return "NoneType";
  case Kind::Bool:
    return "bool";
  case Kind::Int:
    return "int";
  case Kind::Float:
    return "float";
  case Kind::String:
    return "str";
  case Kind::List:
    return "list";
  case Kind::Tuple:
    return "tuple";
  case Kind::Dict:
    return "dict";
  case Kind::View:
    return value.viewType();
  case Kind::Range:
    return "range";
  case Kind::Iterator:
    return "generator";
  case Kind::Namespace:
    return "Namespace";
  case Kind::Callable:
    return "function";
  }
  return "object";
}

std::string describeType(const Value &value) {
  return value.isNone() ? "None" : std::string(typeName(value)) + " object";
}

int64_t lengthOf(const Value &value) {
  switch (value.kind()) {
  case Kind::Undefined:
    return 0;
  case Kind::String:
    return int64_t(codePointCount(value.text()));
  case Kind::List:
  case Kind::Tuple:
  case Kind::View:
    return int64_t(value.items().size());
  case Kind::Dict:
    return int64_t(value.dict().entries.size());
  case Kind::Range:
    return value.range().length;
  default:
    return -1;
  }
}

bool isTrue(const Value &value) {
  switch (value.kind()) {
  case Kind::Undefined:
  case Kind::None:
    return false;
  case Kind::Bool:
  case Kind::Int:
    return value.asInt() != 0;
  case Kind::Float:
    return value.asDouble() != 0;
  case Kind::String:
    return !value.text().empty();
  case Kind::List:
  case Kind::Tuple:
  case Kind::View:
  case Kind::Dict:
  case Kind::Range:
    return lengthOf(value) != 0;
  default:
    return true;
  }
}

static bool equalItems(const Values &left, const Values &right, Budget &budget) {
  if (left.size() != right.size())
    return false;
  for (size_t i = 0; i < left.size(); ++i)
    if (!equal(left[i], right[i], budget))
      return false;
  return true;
}

bool equal(const Value &left, const Value &right, Budget &budget) {
  budget.step();
  if (left.isNumber() && right.isNumber()) {
    if (left.isIntegral() && right.isIntegral())
      return left.asInt() == right.asInt();
    return left.asDouble() == right.asDouble();
  }
  if (left.kind() != right.kind())
    return false;
  switch (left.kind()) {
  case Kind::Undefined:
  case Kind::None:
    return true;
  case Kind::String:
    budget.step(std::min(left.text().size(), right.text().size()) / 64);
    return left.text() == right.text();
  case Kind::List:
  case Kind::Tuple:
    return left.object() == right.object() || equalItems(left.items(), right.items(), budget);
  case Kind::Dict: {
    if (left.object() == right.object())
      return true;
    if (left.dict().entries.size() != right.dict().entries.size())
      return false;
    for (const auto &[key, value] : left.dict().entries) {
      const Value *other = right.dict().find(key, budget);
      if (!other || !equal(value, *other, budget))
        return false;
    }
    return true;
  }
  case Kind::Range: {
    const RangeObject &a = left.range(), &b = right.range();
    return a.length == b.length && (a.length == 0 || a.start == b.start) &&
           (a.length < 2 || a.step == b.step);
  }
  default:
    return left.object() == right.object();
  }
}

bool lessThan(const Value &left, const Value &right, Budget &budget) {
  budget.step();
  if (left.isUndefined() || right.isUndefined())
    fail((left.isUndefined() ? left : right).undefinedMessage());
  if (left.isNumber() && right.isNumber()) {
    if (left.isIntegral() && right.isIntegral())
      return left.asInt() < right.asInt();
    return left.asDouble() < right.asDouble();
  }
  if (left.isString() && right.isString()) {
    budget.step(std::min(left.text().size(), right.text().size()) / 64);
    return left.text() < right.text(); // UTF-8 orders as code points do
  }
  if (left.isSequence() && left.kind() == right.kind()) {
    const Values &a = left.items(), &b = right.items();
    for (size_t i = 0; i < a.size() && i < b.size(); ++i)
      if (!equal(a[i], b[i], budget))
        return lessThan(a[i], b[i], budget);
    return a.size() < b.size();
  }
  fail(std::string("'<' not supported between instances of '") + typeName(left) + "' and '" +
       typeName(right) + "'");
}

std::string hashKey(const Value &value, Budget &budget) {
  budget.step();
  switch (value.kind()) {
  case Kind::String:
    budget.step(value.text().size() / 64);
    return "s" + value.text();
  case Kind::Bool:
  case Kind::Int:
    return "i" + std::to_string(value.asInt());
  case Kind::Float: {
    double d = value.asDouble();
    if (d == std::floor(d) && std::fabs(d) < 9e18)
      return "i" + std::to_string(int64_t(d));
    return "f" + reprOfDouble(d);
  }
  case Kind::None:
    return "n";
  case Kind::Undefined:
    return "u";
  case Kind::Tuple: {
    std::string key = "t";
    for (const Value &item : value.items()) {
      std::string part = hashKey(item, budget);
      budget.bytes(part.size());
      key += std::to_string(part.size()) + ":" + part;
    }
    return key;
  }
  case Kind::List:
  case Kind::Dict:
  case Kind::View:
    fail(std::string("unhashable type: '") + typeName(value) + "'");
  default:
    return "o" + std::to_string(reinterpret_cast<uintptr_t>(value.object().get()));
  }
}

bool isIterable(const Value &value) { return value.is(Kind::Iterator) || lengthOf(value) >= 0; }

Values iterate(const Value &value, Budget &budget) {
  switch (value.kind()) {
  case Kind::Undefined:
    return {};
  case Kind::String: {
    const std::string &text = value.text();
    budget.bytes(text.size() * (sizeof(Value) + sizeof(StringObject)));
    Values result;
    for (size_t at = 0; at < text.size();) {
      size_t start = at;
      nextCodePoint(text, at);
      result.push_back(Value::string(text.substr(start, at - start)));
    }
    return result;
  }
  case Kind::List:
  case Kind::Tuple:
  case Kind::View:
    budget.bytes(value.items().size() * sizeof(Value));
    return value.items();
  case Kind::Dict: {
    budget.bytes(value.dict().entries.size() * sizeof(Value));
    Values result;
    for (const auto &entry : value.dict().entries)
      result.push_back(entry.first);
    return result;
  }
  case Kind::Range: {
    const RangeObject &range = value.range();
    budget.bytes(uint64_t(range.length) * sizeof(Value));
    Values result;
    for (int64_t i = 0; i < range.length; ++i)
      result.push_back(range.at(i));
    return result;
  }
  case Kind::Iterator: {
    IteratorObject &it = value.iterator();
    budget.bytes((it.items.size() - it.position) * sizeof(Value));
    Values result(it.items.begin() + std::ptrdiff_t(it.position), it.items.end());
    it.position = it.items.size();
    return result;
  }
  default:
    fail(std::string("'") + typeName(value) + "' object is not iterable");
  }
}

} // namespace qrt::jinja
