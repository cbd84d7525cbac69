//===- SequenceFilters.cpp - Filters over lists and dicts -------------------------------------===//
#include "Template/Interpreter.h"
#include "Template/Unicode.h"

#include <algorithm>
#include <unordered_set>

namespace qrt::jinja {

static Value length(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("length", arguments, {});
  int64_t result = lengthOf(input);
  if (result < 0)
    fail(std::string("object of type '") + typeName(input) + "' has no len()");
  return Value::integer(result);
}

static Value first(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("first", arguments, {});
  if (input.is(Kind::Iterator)) {
    IteratorObject &it = input.iterator();
    if (it.position < it.items.size())
      return it.items[it.position++];
    return Value::undefined("No first item, sequence was empty.");
  }
  if (input.isString() && !input.text().empty())
    return in.item(input, Value::integer(0));
  Values items = iterate(input, in.budget);
  return items.empty() ? Value::undefined("No first item, sequence was empty.") : items.front();
}

static void needReversible(const Value &input) {
  if (input.is(Kind::Iterator))
    fail("'generator' object is not reversible");
}
static Value last(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("last", arguments, {});
  needReversible(input);
  Values items = iterate(input, in.budget);
  return items.empty() ? Value::undefined("No last item, sequence was empty.") : items.back();
}
static Value reverse(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("reverse", arguments, {});
  Values items = iterate(input, in.budget);
  std::reverse(items.begin(), items.end());
  if (input.isString()) {
    std::string text;
    for (const Value &item : items)
      text += item.text();
    return makeString(std::move(text), in.budget, input.isMarkup());
  }
  return input.is(Kind::Iterator) ? makeList(std::move(items), in.budget)
                                  : makeIterator(std::move(items), in.budget);
}
static Value list(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("list", arguments, {});
  return makeList(iterate(input, in.budget), in.budget);
}
static Value items(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("items", arguments, {});
  Values result;
  if (!input.isUndefined()) {
    if (!input.is(Kind::Dict))
      fail("Can only get item pairs from a mapping.");
    for (const auto &[key, value] : input.dict().entries)
      result.push_back(makeTuple({key, value}, in.budget));
  }
  return makeIterator(std::move(result), in.budget);
}
static Value defaultValue(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("default", arguments, {"default_value", "boolean"});
  if (input.isUndefined() || (p.truth(1, false) && !isTrue(input)))
    return p.has(0) ? p[0] : in.text("");
  return input;
}
static Value attr(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("attr", arguments, {"name"}, 1);
  if (input.isUndefined())
    fail(input.undefinedMessage());
  // Attributes only: items do not count.
  if (input.is(Kind::Dict) && !findMethod(input, p.text(0)) &&
      !isForbiddenAttribute(input, p.text(0)))
    return Value::undefined("'dict object' has no attribute " + reprOfString(p.text(0)));
  return in.attribute(input, p.text(0));
}

static Value foldCase(Interpreter &in, const Value &value, bool caseSensitive) {
  return caseSensitive || !value.isString() ? value : in.text(lowerCase(value.text()));
}

namespace {
struct Keyed {
  Value key, item;
};
} // namespace

static void sortKeyed(Interpreter &in, std::vector<Keyed> &keyed, bool reverse) {
  // Python keeps equal items in order, also when it sorts downwards.
  std::stable_sort(keyed.begin(), keyed.end(), [&](const Keyed &a, const Keyed &b) {
    return reverse ? lessThan(b.key, a.key, in.budget) : lessThan(a.key, b.key, in.budget);
  });
}

static Values takeItems(std::vector<Keyed> keyed) {
  Values result;
  for (Keyed &entry : keyed)
    result.push_back(std::move(entry.item));
  return result;
}

static Value sort(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("sort", arguments, {"reverse", "case_sensitive", "attribute"});
  bool caseSensitive = p.truth(1, false);
  std::vector<AttributePath> paths;
  if (p[2].isString()) {
    std::string_view rest = p[2].text();
    for (size_t comma = 0; comma != rest.npos;
         rest = rest.substr(comma == rest.npos ? 0 : comma + 1)) {
      comma = rest.find(',');
      paths.emplace_back(Value::string(std::string(rest.substr(0, comma))));
      if (comma == rest.npos)
        break;
    }
  } else {
    paths.emplace_back(p[2]);
  }
  std::vector<Keyed> keyed;
  for (Value &item : iterate(input, in.budget)) {
    Values key;
    for (const AttributePath &path : paths)
      key.push_back(foldCase(in, path.of(in, item), caseSensitive));
    keyed.push_back({makeList(std::move(key), in.budget), std::move(item)});
  }
  sortKeyed(in, keyed, p.truth(0, false));
  return makeList(takeItems(std::move(keyed)), in.budget);
}

static Value dictSort(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("dictsort", arguments, {"case_sensitive", "by", "reverse"});
  std::string by = p.has(1) ? p.text(1) : "key";
  if (by != "key" && by != "value")
    fail("You can only sort by either \"key\" or \"value\"");
  if (input.isUndefined())
    fail(input.undefinedMessage());
  if (!input.is(Kind::Dict))
    fail(std::string("'") + typeName(input) + "' object has no attribute 'items'");
  std::vector<Keyed> keyed;
  for (const auto &[key, value] : input.dict().entries)
    keyed.push_back({foldCase(in, by == "key" ? key : value, p.truth(0, false)),
                     makeTuple({key, value}, in.budget)});
  sortKeyed(in, keyed, p.truth(2, false));
  return makeList(takeItems(std::move(keyed)), in.budget);
}

static Value unique(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("unique", arguments, {"case_sensitive", "attribute"});
  AttributePath path(p[1]);
  std::unordered_set<std::string> seen;
  Values result;
  for (Value &item : iterate(input, in.budget)) {
    std::string key = hashKey(foldCase(in, path.of(in, item), p.truth(0, false)), in.budget);
    in.budget.bytes(key.size());
    if (seen.insert(std::move(key)).second)
      result.push_back(std::move(item));
  }
  return makeIterator(std::move(result), in.budget);
}

static Value groupBy(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("groupby", arguments, {"attribute", "default", "case_sensitive"}, 1);
  AttributePath path(p[0]);
  const Value *otherwise = p[1].isNone() ? nullptr : &p[1];
  std::vector<Keyed> keyed;
  for (Value &item : iterate(input, in.budget))
    keyed.push_back({foldCase(in, path.of(in, item, otherwise), p.truth(2, false)), item});
  sortKeyed(in, keyed, false);
  Values groups;
  for (size_t i = 0; i < keyed.size();) {
    Values members;
    size_t start = i;
    for (; i < keyed.size() && equal(keyed[i].key, keyed[start].key, in.budget); ++i)
      members.push_back(keyed[i].item);
    if (i == start) // a key that is not equal to itself: a group of one
      members.push_back(keyed[i++].item);
    Value grouper = path.of(in, members.front(), otherwise);
    groups.push_back(
        Value::groupTuple(std::move(grouper), makeList(std::move(members), in.budget)));
  }
  return makeList(std::move(groups), in.budget);
}

static Value batch(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("batch", arguments, {"linecount", "fill_with"}, 1);
  int64_t size = p.integer(0, 0);
  Values result, row;
  auto flush = [&] { result.push_back(makeList(std::exchange(row, {}), in.budget)); };
  for (Value &item : iterate(input, in.budget)) {
    if (int64_t(row.size()) == size)
      flush();
    row.push_back(std::move(item));
  }
  if (!row.empty()) {
    if (!p[1].isNone() && int64_t(row.size()) < size) {
      in.budget.bytes(uint64_t(std::min<int64_t>(size, int64_t(maxBytes))) * sizeof(Value));
      row.resize(size_t(size), p[1]);
    }
    flush();
  }
  return makeIterator(std::move(result), in.budget);
}

static Value slice(Interpreter &in, const Value &input, Arguments &arguments) {
  Parameters p("slice", arguments, {"slices", "fill_with"}, 1);
  int64_t slices = p.integer(0, 0);
  Values all = iterate(input, in.budget), result;
  if (slices == 0)
    fail("integer division or modulo by zero");
  int64_t size = int64_t(all.size()) / slices, extra = int64_t(all.size()) % slices, at = 0;
  for (int64_t i = 0; i < slices; ++i) {
    in.budget.bytes(sizeof(Value) * 2);
    int64_t count = size + (i < extra);
    Values row(all.begin() + at, all.begin() + at + count);
    at += count;
    if (!p[1].isNone() && i >= extra)
      row.push_back(p[1]);
    result.push_back(makeList(std::move(row), in.budget));
  }
  return makeIterator(std::move(result), in.budget);
}

Function findSequenceFilter(std::string_view name) {
  static constexpr std::pair<std::string_view, Function> table[] = {
      {"attr", attr},       {"batch", batch},          {"count", length},
      {"d", defaultValue},  {"default", defaultValue}, {"dictsort", dictSort},
      {"first", first},     {"groupby", groupBy},      {"items", items},
      {"last", last},       {"length", length},        {"list", list},
      {"reverse", reverse}, {"slice", slice},          {"sort", sort},
      {"unique", unique},
  };
  for (const auto &[entry, function] : table)
    if (entry == name)
      return function;
  return nullptr;
}

} // namespace qrt::jinja
