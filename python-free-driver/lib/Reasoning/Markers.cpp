//===- Markers.cpp - Words to token ids -------------------------------------------------------===//
#include "Reasoning/Markers.h"

#include <algorithm>
#include <map>

namespace qrt {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; }

/// The token that `spelling` becomes behind `before`, if it is exactly one that decodes to it.
std::optional<int32_t> singleToken(const Tokenizer &tokenizer, const std::string &before,
                                   const std::string &spelling) {
  Tokenizer::EncodeOptions plain{.addSpecialTokens = false, .parseSpecial = false};
  std::vector<int32_t> head = tokenizer.encode(before, plain);
  std::vector<int32_t> all = tokenizer.encode(before + spelling, plain);
  if (all.size() != head.size() + 1 || !std::equal(head.begin(), head.end(), all.begin()) ||
      tokenizer.tokenBytes(all.back()) != spelling)
    return std::nullopt;
  return all.back();
}

/// As written, with the first letter small, and with it large; each once.
std::vector<std::string> caseVariants(const std::string &word) {
  std::vector<std::string> out = {word};
  for (auto change : {lower, upper}) {
    std::string variant = word;
    if (!variant.empty())
      variant[0] = change(variant[0]);
    if (std::find(out.begin(), out.end(), variant) == out.end())
      out.push_back(variant);
  }
  return out;
}

} // namespace

Result<MarkerTable> expandMarkers(const Tokenizer &tokenizer, std::span<const std::string> words,
                                  std::string name) {
  MarkerTable table;
  table.name = std::move(name);
  std::map<int32_t, Marker> found;
  auto add = [&](const std::string &spelling, bool lineStart) {
    // Behind a line break, where tokenizers with a dummy prefix add nothing; a spelling with a
    // space of its own also behind a letter, for tokenizers that join line breaks and spaces.
    auto id = singleToken(tokenizer, "\n", spelling);
    if (!id && spelling.starts_with(' '))
      id = singleToken(tokenizer, "a", spelling);
    if (!id) {
      if (std::find(table.dropped.begin(), table.dropped.end(), spelling) == table.dropped.end())
        table.dropped.push_back(spelling);
      return;
    }
    Marker &marker = found.try_emplace(*id, Marker{*id, spelling, 1, lineStart}).first->second;
    marker.lineStart &= lineStart;
  };
  for (const std::string &word : words) {
    if (word.empty() || word == "=")
      return invalidArgument("marker set '" + table.name + "' has an empty word");
    if (word.starts_with('=')) {
      add(word.substr(1), false);
      continue;
    }
    for (const std::string &variant : caseVariants(word)) {
      add(" " + variant, false);
      add(variant, true); // elsewhere it may be a piece of a longer word
    }
  }
  for (auto &[id, marker] : found)
    table.markers.push_back(std::move(marker));
  if (table.markers.empty())
    return invalidArgument("marker set '" + table.name +
                           "': no spelling of its words is one token of this model");
  return table;
}

} // namespace qrt
