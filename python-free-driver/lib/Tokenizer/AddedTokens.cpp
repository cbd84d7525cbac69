//===- AddedTokens.cpp - Tokens that are cut out of the text first ----------------------------===//
#include "Tokenizer/AddedTokens.h"

#include "Tokenizer/Unicode.h"

#include <algorithm>
#include <utf8proc.h>

namespace qrt::text {

static constexpr size_t maxSpelling = 1024;

void SpellingTrie::insert(std::string_view spelling, int32_t value) {
  if (spelling.empty())
    return;
  starts[static_cast<unsigned char>(spelling[0])] = true;
  int32_t node = 0;
  for (unsigned char byte : spelling) {
    auto [it, isNew] = children.try_emplace(uint64_t(node) << 8 | byte, int32_t(values.size()));
    if (isNew)
      values.push_back(none);
    node = it->second;
  }
  values[size_t(node)] = value;
}

std::pair<size_t, int32_t> SpellingTrie::longestAt(std::string_view text, size_t pos) const {
  std::pair<size_t, int32_t> best{0, none};
  if (!starts[static_cast<unsigned char>(text[pos])])
    return best;
  int32_t node = 0;
  for (size_t i = pos; i < text.size(); ++i) {
    auto it = children.find(uint64_t(node) << 8 | static_cast<unsigned char>(text[i]));
    if (it == children.end())
      break;
    node = it->second;
    if (values[size_t(node)] != none)
      best = {i + 1 - pos, values[size_t(node)]};
  }
  return best;
}

Result<AddedToken> AddedTokens::parse(const JsonFields &fields) {
  AddedToken token;
  QRT_ASSIGN_OR_RETURN(token.content, fields.string("content"));
  QRT_ASSIGN_OR_RETURN(token.special, fields.boolean("special", false));
  QRT_ASSIGN_OR_RETURN(token.normalized, fields.boolean("normalized", !token.special));
  QRT_ASSIGN_OR_RETURN(token.singleWord, fields.boolean("single_word", false));
  QRT_ASSIGN_OR_RETURN(token.lstrip, fields.boolean("lstrip", false));
  QRT_ASSIGN_OR_RETURN(token.rstrip, fields.boolean("rstrip", false));
  if (token.content.size() > maxSpelling)
    return fields.notSupported("spelling longer than 1024 bytes");
  return token;
}

Status AddedTokens::add(const std::vector<AddedToken> &list, const Vocabulary &vocab) {
  const int32_t modelSize = int32_t(vocab.size());
  int32_t next = std::max(modelSize, idLimit());
  for (AddedToken token : list) {
    if (token.content.empty())
      continue;
    if (auto known = find(token.content))
      token.id = *known;
    else if (auto known = vocab.find(token.content))
      token.id = *known;
    else
      token.id = next++;
    if (next > Vocabulary::maxIds)
      return invalidModel("tokenizer.json: added_tokens: too many");
    ids[token.content] = token.id;
    if (token.special)
      specials[token.content] = true;
    tokens[token.id] = std::move(token);
  }
  return Status::ok();
}

void AddedTokens::buildTries(const Normalizer &normalizer) {
  raw = {};
  normalized = {};
  for (const auto &[id, token] : tokens) {
    if (!token.normalized) {
      raw.insert(token.content, id);
      continue;
    }
    NormalizedText text{token.content, false};
    normalizer.apply(text);
    normalized.insert(text.text, id);
  }
}

const AddedToken *AddedTokens::byId(int32_t id) const {
  auto it = tokens.find(id);
  return it == tokens.end() ? nullptr : &it->second;
}

std::optional<int32_t> AddedTokens::find(std::string_view content) const {
  auto it = ids.find(content);
  return it == ids.end() ? std::nullopt : std::optional(it->second);
}

bool AddedTokens::isSpecialSpelling(std::string_view content) const {
  return specials.find(content) != specials.end();
}

/// `\w` of Rust's regex crate, near enough: letters, marks, digits, connectors, joiners.
static bool isWordChar(char32_t c) {
  if (c == 0x200C || c == 0x200D)
    return true;
  utf8proc_category_t k = utf8proc_category(int32_t(c));
  return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NL) || k == UTF8PROC_CATEGORY_PC;
}

static size_t lastCharBegin(std::string_view text, size_t end) {
  size_t begin = end;
  while (begin > 0 && (static_cast<unsigned char>(text[--begin]) & 0xC0) == 0x80)
    ;
  return begin;
}

static bool wordBefore(std::string_view text, size_t end) {
  if (end == 0)
    return false;
  size_t begin = lastCharBegin(text, end);
  return isWordChar(nextChar(text, begin));
}

static bool wordAfter(std::string_view text, size_t begin) {
  return begin < text.size() && isWordChar(nextChar(text, begin));
}

static size_t skipSpacesBack(std::string_view text, size_t end, size_t floor) {
  while (end > floor) {
    size_t begin = lastCharBegin(text, end), pos = begin;
    if (!isWhitespace(nextChar(text, pos)))
      break;
    end = begin;
  }
  return std::max(end, floor);
}

static size_t skipSpaces(std::string_view text, size_t begin) {
  for (size_t pos = begin; pos < text.size(); begin = pos)
    if (!isWhitespace(nextChar(text, pos)))
      break;
  return begin;
}

void AddedTokens::split(std::string_view valid, bool normalizedOnes, bool parseSpecial,
                        std::vector<Stretch> &out) const {
  const SpellingTrie &trie = normalizedOnes ? normalized : raw;
  size_t done = 0;
  for (size_t pos = 0; pos < valid.size();) {
    auto [length, id] = trie.longestAt(valid, pos);
    if (length == 0) {
      ++pos;
      continue;
    }
    size_t begin = pos, end = pos + length;
    pos = end; // what is refused below is not looked at again
    const AddedToken &token = tokens.at(id);
    if (!parseSpecial && isSpecialSpelling(token.content))
      continue;
    if (token.singleWord && (wordBefore(valid, begin) || wordAfter(valid, end)))
      continue;
    if (token.lstrip)
      begin = skipSpacesBack(valid, begin, std::min(done, begin));
    if (token.rstrip)
      end = skipSpaces(valid, end);
    if (done < begin)
      out.push_back({done, begin, -1});
    out.push_back({begin, end, id});
    done = end;
  }
  if (done < valid.size())
    out.push_back({done, valid.size(), -1});
}

} // namespace qrt::text
