//===- Attributes.cpp - Attributes, items and slices ------------------------------------------===//
// As the immutable sandbox resolves them: object.name is a Python attribute first and an item
// second, object[key] the other way round; methods that would change a list or dict can be named
// but not called.
#include "Template/Interpreter.h"
#include "Template/Unicode.h"

#include <algorithm>
#include <charconv>

namespace qrt::jinja {

namespace {
/// A method with its object.
struct BoundMethod : CallableObject {
  Value self;
  Function function = nullptr;
  Value call(Interpreter &interpreter, Arguments &arguments) override {
    return function(interpreter, self, arguments);
  }
};
} // namespace

static std::optional<Value> pythonAttribute(Interpreter &in, const Value &object,
                                            const std::string &name) {
  switch (object.kind()) {
  case Kind::Namespace:
    // A namespace has no items; its attributes are all there is.
    if (const Value *value = object.space().find(name))
      return *value;
    return std::nullopt;
  case Kind::Callable:
    if (const Value *value = object.callable().attribute(in, name))
      return *value;
    break;
  case Kind::Tuple:
    if (object.isGroup() && (name == "grouper" || name == "list"))
      return object.items()[name == "list"];
    break;
  default:
    break;
  }
  bool dunder = name.size() > 4 && name.starts_with("__") && name.ends_with("__");
  if (dunder || isForbiddenAttribute(object, name))
    return Value::undefined("access to attribute '" + name + "' of '" + typeName(object) +
                            "' object is unsafe.");
  if (Function function = findMethod(object, name)) {
    in.budget.bytes(128);
    auto method = std::make_shared<BoundMethod>();
    method->name = name;
    method->self = object;
    method->function = function;
    method->depth = checkedDepth(object.depth() + 1);
    return Value::callable(std::move(method));
  }
  return std::nullopt;
}

static std::optional<Value> characterAt(Interpreter &in, const std::string &text, int64_t index) {
  in.budget.step(text.size() / 64);
  if (index < 0)
    index += int64_t(codePointCount(text));
  if (index < 0)
    return std::nullopt;
  size_t at = byteOffset(text, size_t(index));
  if (at >= text.size())
    return std::nullopt;
  size_t end = at;
  nextCodePoint(text, end);
  return in.text(text.substr(at, end - at));
}

/// object[key] in Python, or nothing where that is a TypeError or LookupError.
static std::optional<Value> pythonItem(Interpreter &in, const Value &object, const Value &key) {
  if (object.is(Kind::Dict)) {
    if (key.is(Kind::List) || key.is(Kind::Dict) || key.is(Kind::View))
      return std::nullopt;
    if (const Value *value = object.dict().find(key, in.budget))
      return *value;
    return std::nullopt;
  }
  if (!key.isIntegral())
    return std::nullopt;
  int64_t index = key.asInt();
  if (object.isString())
    return characterAt(in, object.text(), index);
  if (!object.isSequence() && !object.is(Kind::Range))
    return std::nullopt;
  int64_t length = lengthOf(object);
  if (index < 0)
    index += length;
  if (index < 0 || index >= length)
    return std::nullopt;
  return object.is(Kind::Range) ? object.range().at(index) : object.items()[size_t(index)];
}

static Value missing(Interpreter &in, const Value &object, const Value &key) {
  if (key.isString())
    return Value::undefined("'" + describeType(object) + "' has no attribute " +
                            reprOfString(key.text()));
  return Value::undefined(describeType(object) + " has no element " + toRepr(key, in.budget));
}

Value Interpreter::attribute(const Value &object, const std::string &name) {
  if (object.isUndefined())
    fail(object.undefinedMessage());
  if (auto value = pythonAttribute(*this, object, name))
    return std::move(*value);
  if (object.is(Kind::Dict))
    if (const Value *value = object.dict().find(name))
      return *value;
  return Value::undefined("'" + describeType(object) + "' has no attribute " + reprOfString(name));
}

Value Interpreter::item(const Value &object, const Value &key) {
  if (object.isUndefined())
    fail(object.undefinedMessage());
  if (auto value = pythonItem(*this, object, key))
    return std::move(*value);
  if (key.isString())
    if (auto value = pythonAttribute(*this, object, key.text()))
      return std::move(*value);
  return missing(*this, object, key);
}

Value Interpreter::slice(const Value &object, const Value &start, const Value &stop,
                         const Value &step) {
  if (object.isUndefined())
    fail(object.undefinedMessage());
  for (const Value *part : {&start, &stop, &step})
    if (!part->isNone() && !part->isIntegral())
      fail("slice indices must be integers or None");
  int64_t stride = step.isNone() ? 1 : step.asInt();
  if (stride == 0)
    fail("slice step cannot be zero");
  bool sliceable = object.isString() || object.isSequence() || object.is(Kind::Range);
  if (!sliceable)
    return Value::undefined(describeType(object) + " has no element slice(...)");
  if (object.isString())
    budget.step(object.text().size() / 64);
  int64_t length = lengthOf(object);
  auto clamp = [&](const Value &value, int64_t otherwise) {
    if (value.isNone())
      return otherwise;
    int64_t index = value.asInt();
    if (index < 0)
      index = std::max<int64_t>(index + length, stride < 0 ? -1 : 0);
    return std::min(index, stride < 0 ? length - 1 : length);
  };
  int64_t first = clamp(start, stride < 0 ? length - 1 : 0);
  int64_t last = clamp(stop, stride < 0 ? -1 : length);
  // How many indices there are; written so that a huge stride does not overflow.
  int64_t count = 0;
  if (stride > 0 && first < last)
    count = (last - first - 1) / stride + 1;
  else if (stride < 0 && last < first)
    count = (first - last - 1) / (stride == INT64_MIN ? INT64_MAX : -stride) + 1;

  if (object.isString()) {
    const std::string &all = object.text();
    if (stride == 1) {
      if (count == 0)
        return text({});
      size_t from = byteOffset(all, size_t(first));
      std::string_view rest = std::string_view(all).substr(from);
      return makeString(std::string(rest.substr(0, byteOffset(rest, size_t(count)))), budget,
                        object.isMarkup());
    }
    Values characters = iterate(object, budget);
    std::string result;
    for (int64_t i = 0; i < count; ++i)
      result += characters[size_t(first + i * stride)].text();
    return makeString(std::move(result), budget, object.isMarkup());
  }
  if (object.is(Kind::Range)) {
    const RangeObject &range = object.range();
    int64_t from = 0, by = 0, to = 0;
    if (__builtin_mul_overflow(range.step, stride, &by) ||
        __builtin_mul_overflow(range.step, first, &from) ||
        __builtin_add_overflow(range.start, from, &from) ||
        __builtin_mul_overflow(range.step, last, &to) ||
        __builtin_add_overflow(range.start, to, &to))
      failUnsupported("the slice of a range does not fit 64 bits");
    return Value::range(from, to, by, count);
  }
  Values items;
  for (int64_t i = 0; i < count; ++i) {
    budget.bytes(sizeof(Value));
    items.push_back(object.items()[size_t(first + i * stride)]);
  }
  return object.is(Kind::List) ? makeList(std::move(items), budget)
                               : makeTuple(std::move(items), budget);
}

AttributePath::AttributePath(const Value &path) {
  if (path.isNone())
    return;
  if (!path.isString()) {
    parts.push_back(path);
    return;
  }
  std::string_view rest = path.text();
  for (;;) {
    size_t dot = rest.find('.');
    std::string part(rest.substr(0, dot));
    bool number =
        !part.empty() && part.size() < 18 &&
        std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    parts.push_back(number ? Value::integer(std::stoll(part)) : Value::string(part));
    if (dot == std::string_view::npos)
      return;
    rest = rest.substr(dot + 1);
  }
}

Value AttributePath::of(Interpreter &in, const Value &item, const Value *otherwise) const {
  Value value = item;
  for (const Value &part : parts) {
    in.budget.step();
    value = in.item(value, part);
    if (otherwise && value.isUndefined())
      value = *otherwise;
  }
  return value;
}

} // namespace qrt::jinja
