//===- Globals.cpp - Global functions ---------------------------------------------------------===//
#include "Template/Interpreter.h"

#include <ctime>

namespace qrt::jinja {

static Value range(Interpreter &in, const Value &, Arguments &arguments) {
  Parameters p("range", arguments, {"/a", "/b", "/c"}, 1);
  int64_t start = p.has(1) ? p.integer(0, 0) : 0;
  int64_t stop = p.has(1) ? p.integer(1, 0) : p.integer(0, 0);
  int64_t step = p.integer(2, 1);
  if (step == 0)
    fail("range() arg 3 must not be zero");
  __int128 distance = step > 0 ? __int128(stop) - start : __int128(start) - stop;
  __int128 stride = step > 0 ? __int128(step) : -__int128(step);
  __int128 length = distance > 0 ? (distance - 1) / stride + 1 : 0;
  if (length > maxRange)
    fail("Range too big. The sandbox blocks ranges larger than MAX_RANGE (" +
         std::to_string(maxRange) + ").");
  return Value::range(start, stop, step, int64_t(length));
}

/// The pairs of a dict, or of an iterable of pairs, and then the keywords.
static void collect(Interpreter &in, const char *name, Arguments &arguments, DictObject &dict) {
  if (arguments.positional.size() > 1)
    fail(std::string(name) + " expected at most 1 argument");
  if (!arguments.positional.empty()) {
    const Value &source = arguments.positional[0];
    if (source.is(Kind::Dict)) {
      for (const auto &[key, value] : source.dict().entries)
        dict.set(key, value, in.budget);
    } else {
      for (const Value &item : iterate(source, in.budget)) {
        Values pair = iterate(item, in.budget);
        if (pair.size() != 2)
          fail(std::string(name) + "(): an element is no pair");
        dict.set(pair[0], pair[1], in.budget);
      }
    }
  }
  for (auto &[key, value] : arguments.keyword)
    dict.set(in.text(key), value, in.budget);
}

static Value makeDict(Interpreter &in, const Value &, Arguments &arguments) {
  auto dict = std::make_shared<DictObject>();
  collect(in, "dict", arguments, *dict);
  return Value::dict(std::move(dict));
}

static Value makeNamespace(Interpreter &in, const Value &, Arguments &arguments) {
  DictObject dict;
  collect(in, "namespace", arguments, dict);
  auto object = std::make_shared<NamespaceObject>();
  for (auto &[key, value] : dict.entries) {
    if (!key.isString())
      fail("namespace(): a name must be a string");
    object->attributes.emplace_back(key.text(), value);
  }
  in.track(object);
  return Value::makeNamespace(std::move(object));
}

namespace {
struct Joiner : CallableObject {
  Value separator;
  bool used = false;
  Value call(Interpreter &in, Arguments &arguments) override {
    Parameters p("joiner", arguments, {});
    return std::exchange(used, true) ? separator : in.text("");
  }
};
} // namespace

static Value makeJoiner(Interpreter &in, const Value &, Arguments &arguments) {
  Parameters p("joiner", arguments, {"sep"});
  in.budget.bytes(128);
  auto joiner = std::make_shared<Joiner>();
  joiner->name = "joiner";
  joiner->separator = p.has(0) ? p[0] : in.text(", ");
  joiner->depth = checkedDepth(joiner->separator.depth() + 1);
  return Value::callable(std::move(joiner));
}

static Value raiseException(Interpreter &in, const Value &, Arguments &arguments) {
  Parameters p("raise_exception", arguments, {"message"}, 1);
  throw TemplateError{StatusCode::InvalidArgument, toText(p[0], in.budget), -1};
}

static Value strftimeNow(Interpreter &in, const Value &, Arguments &arguments) {
  Parameters p("strftime_now", arguments, {"format"}, 1);
  time_t seconds = in.now ? time_t(*in.now) : time(nullptr);
  tm local{};
  if (!localtime_r(&seconds, &local))
    fail("strftime_now(): the time is out of range");
  std::string format = p.text(0);
  // Microseconds are Python's own; the rest is the C library's in both.
  for (size_t at = 0; (at = format.find('%', at)) != std::string::npos; at += 2)
    if (format.compare(at, 2, "%f") == 0)
      format.replace(at, 2, "000000");
  if (format.empty())
    return in.text("");
  char buffer[4096];
  size_t length = std::strftime(buffer, sizeof buffer, format.c_str(), &local);
  return in.text(std::string(buffer, length));
}

Function findGlobal(std::string_view name) {
  static constexpr std::pair<std::string_view, Function> table[] = {
      {"range", range},
      {"dict", makeDict},
      {"namespace", makeNamespace},
      {"joiner", makeJoiner},
      {"raise_exception", raiseException},
      {"strftime_now", strftimeNow},
  };
  for (const auto &[entry, function] : table)
    if (entry == name)
      return function;
  return nullptr;
}

} // namespace qrt::jinja
