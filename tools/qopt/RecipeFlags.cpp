//===- RecipeFlags.cpp - Flags that a recipe can give ----------------------------------------===//
// Values are checked here, before LLVM's parsers see them: those print their complaints.
#include "RecipeFlags.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace qopt {

qrt::Status RecipeFlags::problem(const RecipeEntry &entry, const std::string &what) const {
  return qrt::invalidArgument("'" + path + "':" + std::to_string(entry.line) + ": key '" +
                              entry.key + "': " + what);
}

qrt::Status RecipeFlags::set(const Key &key, const RecipeEntry &entry) {
  if (key.kind != Kind::List && entry.isList)
    return problem(entry, "expects one value, got a list");
  for (const std::string &text : entry.values) {
    const StringRef value = text;
    int64_t integer;
    uint64_t natural;
    double number;
    const char *expected = nullptr;
    if (key.kind == Kind::Switch && value != "true" && value != "false")
      expected = "true or false";
    else if (key.kind == Kind::Integer && value.getAsInteger(10, integer))
      expected = "a whole number";
    else if (key.kind == Kind::Natural && value.getAsInteger(10, natural))
      expected = "a whole number of at least 0";
    else if (key.kind == Kind::Number && value.getAsDouble(number))
      expected = "a number";
    if (expected)
      return problem(entry, std::string("expects ") + expected + ", got '" + text + "'");
    if (key.flag->addOccurrence(0, key.flag->ArgStr, value))
      return problem(entry, "'" + text + "' is out of range");
  }
  return qrt::Status::ok();
}

qrt::Status RecipeFlags::apply(const std::string &file) {
  path = file;
  QRT_ASSIGN_OR_RETURN(std::vector<RecipeEntry> read, readRecipe(file));
  std::set<const cl::Option *> onCommandLine;
  for (const Key &key : keys)
    if (key.flag->getNumOccurrences())
      onCommandLine.insert(key.flag);
  for (const auto &[key, flag] : hidden)
    if (flag->getNumOccurrences())
      onCommandLine.insert(key);
  for (RecipeEntry &entry : read) {
    auto key = find_if(keys, [&](const Key &k) { return k.flag->ArgStr == entry.key; });
    if (key == keys.end())
      return problem(entry, "no such key; keys are the long flags that say what weights become, "
                            "without --");
    if (onCommandLine.count(key->flag))
      continue;
    QRT_RETURN_IF_ERROR(set(*key, entry));
    given.insert(key->flag);
    entries.push_back(std::move(entry));
  }
  return qrt::Status::ok();
}

bool RecipeFlags::has(const cl::Option &flag) const {
  return any_of(keys, [&](const Key &key) { return key.flag == &flag; });
}

qrt::Status RecipeFlags::locate(const qrt::Status &status) const {
  for (const RecipeEntry &entry : entries) {
    const std::string flag = "--" + entry.key;
    for (size_t at = status.message().find(flag); at != std::string::npos;
         at = status.message().find(flag, at + 1)) {
      const size_t end = at + flag.size();
      const bool whole = end == status.message().size() ||
                         (!isAlnum(status.message()[end]) && status.message()[end] != '-');
      if (whole)
        return status.withContext("'" + path + "':" + std::to_string(entry.line) + ": key '" +
                                  entry.key + "'");
    }
  }
  return status;
}

} // namespace qopt
