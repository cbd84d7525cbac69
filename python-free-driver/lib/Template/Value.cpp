//===- Value.cpp - Construction and access of template values ---------------------------------===//
#include "Template/Value.h"

#include <algorithm>

namespace qrt::jinja {

int checkedDepth(int depth) {
  if (depth > maxValueDepth)
    failLimit("values nest deeper than " + std::to_string(maxValueDepth));
  return depth;
}

static std::shared_ptr<SequenceObject> makeSequence(Values items) {
  auto object = std::make_shared<SequenceObject>();
  int depth = 0;
  for (const Value &item : items)
    depth = std::max(depth, item.depth());
  object->depth = checkedDepth(depth + 1);
  object->items = std::move(items);
  return object;
}

Value Value::undefined(std::string message) {
  auto object = std::make_shared<UndefinedObject>();
  object->message = std::move(message);
  return Value(Kind::Undefined, std::move(object));
}
Value Value::boolean(bool value) {
  Value result;
  result.tag = Kind::Bool;
  result.integerValue = value;
  return result;
}
Value Value::integer(int64_t value) {
  Value result;
  result.tag = Kind::Int;
  result.integerValue = value;
  return result;
}
Value Value::real(double value) {
  Value result;
  result.tag = Kind::Float;
  result.realValue = value;
  return result;
}
Value Value::string(std::string text, bool markup) {
  auto object = std::make_shared<StringObject>();
  object->text = std::move(text);
  object->markup = markup;
  return Value(Kind::String, std::move(object));
}
Value Value::list(Values items) { return Value(Kind::List, makeSequence(std::move(items))); }
Value Value::tuple(Values items) { return Value(Kind::Tuple, makeSequence(std::move(items))); }
Value Value::groupTuple(Value grouper, Value list) {
  auto object = makeSequence({std::move(grouper), std::move(list)});
  object->group = true;
  return Value(Kind::Tuple, std::move(object));
}
Value Value::dict(std::shared_ptr<DictObject> object) {
  int depth = 0;
  for (const auto &[key, value] : object->entries)
    depth = std::max({depth, key.depth(), value.depth()});
  object->depth = checkedDepth(depth + 1);
  return Value(Kind::Dict, std::move(object));
}
Value Value::view(const char *type, Values items) {
  auto object = makeSequence(std::move(items));
  object->type = type;
  return Value(Kind::View, std::move(object));
}
Value Value::range(int64_t start, int64_t stop, int64_t step, int64_t length) {
  auto object = std::make_shared<RangeObject>();
  object->start = start;
  object->stop = stop;
  object->step = step;
  object->length = length;
  return Value(Kind::Range, std::move(object));
}
Value Value::iterator(Values items) {
  auto object = std::make_shared<IteratorObject>();
  int depth = 0;
  for (const Value &item : items)
    depth = std::max(depth, item.depth());
  object->depth = checkedDepth(depth + 1);
  object->items = std::move(items);
  return Value(Kind::Iterator, std::move(object));
}
Value Value::makeNamespace(std::shared_ptr<NamespaceObject> object) {
  return Value(Kind::Namespace, std::move(object));
}
Value Value::callable(std::shared_ptr<CallableObject> object) {
  return Value(Kind::Callable, std::move(object));
}

const std::string &Value::text() const { return static_cast<StringObject &>(*pointer).text; }
bool Value::isMarkup() const {
  return tag == Kind::String && static_cast<StringObject &>(*pointer).markup;
}
bool Value::isGroup() const {
  return tag == Kind::Tuple && static_cast<SequenceObject &>(*pointer).group;
}
const Values &Value::items() const { return static_cast<SequenceObject &>(*pointer).items; }
const char *Value::viewType() const { return static_cast<SequenceObject &>(*pointer).type; }
const DictObject &Value::dict() const { return static_cast<DictObject &>(*pointer); }
NamespaceObject &Value::space() const { return static_cast<NamespaceObject &>(*pointer); }
IteratorObject &Value::iterator() const { return static_cast<IteratorObject &>(*pointer); }
const RangeObject &Value::range() const { return static_cast<RangeObject &>(*pointer); }
CallableObject &Value::callable() const { return static_cast<CallableObject &>(*pointer); }
const std::string &Value::undefinedMessage() const {
  return static_cast<UndefinedObject &>(*pointer).message;
}
int Value::depth() const {
  switch (tag) {
  case Kind::List:
  case Kind::Tuple:
  case Kind::View:
    return static_cast<SequenceObject &>(*pointer).depth;
  case Kind::Dict:
    return static_cast<DictObject &>(*pointer).depth;
  case Kind::Iterator:
    return static_cast<IteratorObject &>(*pointer).depth;
  case Kind::Callable:
    return static_cast<CallableObject &>(*pointer).depth;
  default:
    return 0;
  }
}

static constexpr size_t smallDict = 8;

const size_t *DictObject::position(const std::string &hash) const {
  auto it = index.find(hash);
  return it == index.end() ? nullptr : &it->second;
}

void DictObject::set(Value key, Value value, Budget &budget) {
  std::string hash = hashKey(key, budget);
  if (index.empty() && entries.size() >= smallDict)
    for (size_t i = 0; i < entries.size(); ++i)
      index.emplace(hashKey(entries[i].first, budget), i);
  if (entries.size() >= smallDict) {
    if (const size_t *at = position(hash)) {
      entries[*at].second = std::move(value);
      return;
    }
    index.emplace(std::move(hash), entries.size());
  } else {
    for (auto &entry : entries)
      if (hashKey(entry.first, budget) == hash) {
        entry.second = std::move(value);
        return;
      }
  }
  budget.bytes(sizeof(entries[0]) * 2);
  entries.emplace_back(std::move(key), std::move(value));
}

const Value *DictObject::find(const Value &key, Budget &budget) const {
  if (key.isString())
    return find(key.text());
  std::string hash = hashKey(key, budget);
  if (!index.empty()) {
    const size_t *at = position(hash);
    return at ? &entries[*at].second : nullptr;
  }
  for (const auto &entry : entries)
    if (hashKey(entry.first, budget) == hash)
      return &entry.second;
  return nullptr;
}

const Value *DictObject::find(std::string_view key) const {
  if (!index.empty()) {
    const size_t *at = position("s" + std::string(key));
    return at ? &entries[*at].second : nullptr;
  }
  for (const auto &entry : entries)
    if (entry.first.isString() && entry.first.text() == key)
      return &entry.second;
  return nullptr;
}

const Value *NamespaceObject::find(std::string_view name) const {
  for (const auto &attribute : attributes)
    if (attribute.first == name)
      return &attribute.second;
  return nullptr;
}
void NamespaceObject::set(const std::string &name, Value value) {
  for (auto &attribute : attributes)
    if (attribute.first == name) {
      attribute.second = std::move(value);
      return;
    }
  attributes.emplace_back(name, std::move(value));
}

Value makeString(std::string text, Budget &budget, bool markup) {
  budget.string(text.size());
  return Value::string(std::move(text), markup);
}
Value makeList(Values items, Budget &budget) {
  budget.bytes(items.size() * sizeof(Value));
  return Value::list(std::move(items));
}
Value makeTuple(Values items, Budget &budget) {
  budget.bytes(items.size() * sizeof(Value));
  return Value::tuple(std::move(items));
}
Value makeIterator(Values items, Budget &budget) {
  budget.bytes(items.size() * sizeof(Value));
  return Value::iterator(std::move(items));
}

} // namespace qrt::jinja
