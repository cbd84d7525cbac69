//===- AddedTokens.h - Tokens that are cut out of the text first ------------------------------===//
// The `added_tokens` of tokenizer.json: special tokens and others whose spelling is found in the
// text before anything else happens to it; those with `normalized` are looked for after
// normalization, by their normalized spelling. Of overlapping ones the leftmost wins, then the
// longest. Limit: spellings of up to 1024 bytes, which bounds the time per character. Thread
// safety: immutable after building.
#ifndef QRT_TOKENIZER_ADDEDTOKENS_H
#define QRT_TOKENIZER_ADDEDTOKENS_H

#include "Tokenizer/Normalizer.h"
#include "Tokenizer/Vocabulary.h"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace qrt::text {

struct AddedToken {
  std::string content;
  bool special = false, normalized = true, singleWord = false, lstrip = false, rstrip = false;
  int32_t id = -1;
};

/// Finds the longest of several strings at a position.
class SpellingTrie {
public:
  void insert(std::string_view spelling, int32_t value);
  /// Length and value of the longest string that `text` continues with at `pos`; length 0: none.
  std::pair<size_t, int32_t> longestAt(std::string_view text, size_t pos) const;

private:
  static constexpr int32_t none = -1;
  std::unordered_map<uint64_t, int32_t> children; // node << 8 | byte -> node
  std::vector<int32_t> values{none};              // by node
  bool starts[256] = {};
};

class AddedTokens {
public:
  /// Reads one token's flags; `specialDefault` for a missing "special".
  static Result<AddedToken> parse(const JsonFields &fields);

  /// Adds tokens in order. Ids are those of `vocab` where it has the spelling, otherwise the next
  /// free ones (what the file says about ids is ignored, as by the library).
  Status add(const std::vector<AddedToken> &tokens, const Vocabulary &vocab);
  /// Call once after the last add().
  void buildTries(const Normalizer &normalizer);

  /// A stretch of a text: a token, or what lies between (id -1).
  struct Stretch {
    size_t begin, end;
    int32_t id;
  };
  /// Stretches that cover `valid`, from raw or from normalized spellings. `parseSpecial` false:
  /// special tokens are left in the text.
  void split(std::string_view valid, bool normalizedOnes, bool parseSpecial,
             std::vector<Stretch> &out) const;

  const AddedToken *byId(int32_t id) const;
  std::optional<int32_t> find(std::string_view content) const;
  bool isSpecialSpelling(std::string_view content) const;
  int32_t idLimit() const { return tokens.empty() ? 0 : tokens.rbegin()->first + 1; }

private:
  std::map<int32_t, AddedToken> tokens;
  std::map<std::string, int32_t, std::less<>> ids;
  std::map<std::string, bool, std::less<>> specials;
  SpellingTrie raw, normalized;
};

} // namespace qrt::text

#endif // QRT_TOKENIZER_ADDEDTOKENS_H
