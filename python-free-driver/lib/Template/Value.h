//===- Value.h - Values of the template language ----------------------------------------------===//
// Python's values as far as templates see them. Everything but a Namespace and an Iterator's
// position is immutable once made (the sandbox forbids changing lists and dicts), so values are
// shared freely. Containers know their nesting depth, so that neither printing nor destroying one
// recurses without limit. Thread safety: immutable values may be shared; the two mutable kinds
// belong to one render().
#ifndef QRT_TEMPLATE_VALUE_H
#define QRT_TEMPLATE_VALUE_H

#include "Support/Json.h"
#include "Template/Limits.h"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace qrt::jinja {

enum class Kind : uint8_t {
  Undefined,
  None,
  Bool,
  Int,
  Float,
  String,
  List,
  Tuple,
  Dict,
  View,     ///< dict_keys, dict_values, dict_items
  Range,    ///< the range object
  Iterator, ///< a generator: can be read once
  Namespace,
  Callable, ///< functions, methods, macros, and objects with attributes of their own (loop)
};

struct Object {
  virtual ~Object() = default;
};

class Value;
using Values = std::vector<Value>;
struct DictObject;
struct NamespaceObject;
struct CallableObject;
struct IteratorObject;
struct RangeObject;

class Value {
public:
  Value() = default;
  /// `message`: what an operation on it says; `unsafe`: the sandbox refused the attribute.
  static Value undefined(std::string message);
  static Value boolean(bool value);
  static Value integer(int64_t value);
  static Value real(double value);
  static Value string(std::string text, bool markup = false);
  static Value list(Values items);
  static Value tuple(Values items);
  /// A tuple of groupby: (grouper, list), with those names as attributes.
  static Value groupTuple(Value grouper, Value list);
  static Value dict(std::shared_ptr<DictObject> object);
  /// `type`: "dict_keys" ...
  static Value view(const char *type, Values items);
  static Value range(int64_t start, int64_t stop, int64_t step, int64_t length);
  static Value iterator(Values items);
  static Value makeNamespace(std::shared_ptr<NamespaceObject> object);
  static Value callable(std::shared_ptr<CallableObject> object);

  Kind kind() const { return tag; }
  bool is(Kind k) const { return tag == k; }
  bool isString() const { return tag == Kind::String; }
  bool isUndefined() const { return tag == Kind::Undefined; }
  bool isNone() const { return tag == Kind::None; }
  bool isNumber() const { return tag == Kind::Int || tag == Kind::Float || tag == Kind::Bool; }
  /// An int in Python's sense: booleans are.
  bool isIntegral() const { return tag == Kind::Int || tag == Kind::Bool; }
  bool isSequence() const { return tag == Kind::List || tag == Kind::Tuple; }

  bool asBool() const { return integerValue != 0; }
  int64_t asInt() const { return integerValue; } ///< Int and Bool
  double asDouble() const { return tag == Kind::Float ? realValue : double(integerValue); }
  const std::string &text() const;  ///< String
  bool isMarkup() const;            ///< String made by `safe` or `escape`
  bool isGroup() const;             ///< Tuple made by groupby
  const Values &items() const;      ///< List, Tuple, View
  const char *viewType() const;     ///< View
  const DictObject &dict() const;   ///< Dict
  NamespaceObject &space() const;   ///< Namespace
  IteratorObject &iterator() const; ///< Iterator
  const RangeObject &range() const; ///< Range
  const std::shared_ptr<Object> &object() const { return pointer; }
  CallableObject &callable() const; ///< Callable
  const std::string &undefinedMessage() const;
  int depth() const; ///< 0 for what contains nothing

private:
  Value(Kind kind, std::shared_ptr<Object> object) : pointer(std::move(object)), tag(kind) {}

  std::shared_ptr<Object> pointer;
  union {
    int64_t integerValue = 0;
    double realValue;
  };
  Kind tag = Kind::None;
};

struct StringObject : Object {
  std::string text;
  bool markup = false;
};
struct UndefinedObject : Object {
  std::string message;
};
struct SequenceObject : Object {
  Values items;
  int depth = 1;
  bool group = false;
  const char *type = "";
};
struct RangeObject : Object {
  int64_t start = 0, stop = 0, step = 1, length = 0;
  Value at(int64_t index) const { return Value::integer(start + index * step); }
};
struct IteratorObject : Object {
  Values items;
  size_t position = 0;
  int depth = 1;
};

/// Insertion order, any hashable key.
struct DictObject : Object {
  std::vector<std::pair<Value, Value>> entries;
  int depth = 1;

  /// While the dict is made; a key that is there keeps its place.
  void set(Value key, Value value, Budget &budget);
  const Value *find(const Value &key, Budget &budget) const;
  const Value *find(std::string_view key) const;

private:
  std::unordered_map<std::string, size_t> index; // filled when the dict is no longer small
  const size_t *position(const std::string &hash) const;
};

struct NamespaceObject : Object {
  std::vector<std::pair<std::string, Value>> attributes;
  const Value *find(std::string_view name) const;
  void set(const std::string &name, Value value);
};

class Interpreter;
struct Arguments {
  Values positional;
  std::vector<std::pair<std::string, Value>> keyword;
};

struct CallableObject : Object {
  std::string name;
  int depth = 0; ///< of the values that it keeps
  virtual Value call(Interpreter &interpreter, Arguments &arguments) = 0;
  /// An attribute that it has, or nothing.
  virtual const Value *attribute(Interpreter &, const std::string &) { return nullptr; }
};

/// "'dict object'"-like name of the type in messages; and Python's class name.
std::string describeType(const Value &value);
const char *typeName(const Value &value);

bool isTrue(const Value &value);
/// Python's ==.
bool equal(const Value &left, const Value &right, Budget &budget);
/// Python's <, for sort; TypeError for values without an order.
bool lessThan(const Value &left, const Value &right, Budget &budget);
/// A text that is equal for equal values; TypeError for lists and dicts.
std::string hashKey(const Value &value, Budget &budget);
/// Python's len(), or -1 if the type has none.
int64_t lengthOf(const Value &value);
/// All items in order; an Iterator is read to its end. TypeError if not iterable.
Values iterate(const Value &value, Budget &budget);
bool isIterable(const Value &value);

/// Python's str() and repr(), and json.dumps().
std::string toText(const Value &value, Budget &budget);
std::string toRepr(const Value &value, Budget &budget);
std::string reprOfString(std::string_view text);
std::string reprOfDouble(double value);
struct JsonStyle {
  bool ensureAscii = false;
  bool sortKeys = false;
  bool pretty = false; ///< line breaks with `indent`
  std::string indent;
  std::string itemSeparator = ", ";
  std::string keySeparator = ": ";
};
std::string toJson(const Value &value, const JsonStyle &style, Budget &budget);
Value fromJson(const OrderedJson &json, Budget &budget, int depth = 0);

/// Fails if a value would nest too deep; returns `depth`.
int checkedDepth(int depth);

/// Strings, lists and dicts that are charged to the budget.
Value makeString(std::string text, Budget &budget, bool markup = false);
Value makeList(Values items, Budget &budget);
Value makeTuple(Values items, Budget &budget);
Value makeIterator(Values items, Budget &budget);

} // namespace qrt::jinja

#endif // QRT_TEMPLATE_VALUE_H
