//===- Vocabulary.h - Spellings and their ids -------------------------------------------------===//
// The `vocab` of a model: a map of spellings to ids, and back. Ids may have gaps.
// Thread safety: immutable after building.
#ifndef QRT_TOKENIZER_VOCABULARY_H
#define QRT_TOKENIZER_VOCABULARY_H

#include "Tokenizer/JsonFields.h"

#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace qrt::text {

class Vocabulary {
public:
  /// Largest id plus one that a file may use: tables by id are dense.
  static constexpr int64_t maxIds = int64_t(1) << 22;

  /// `entries`: an object spelling -> id. InvalidModel for ids that are no numbers or too large.
  static Result<Vocabulary> fromJson(const Json &entries, const std::string &where);
  /// Entry i has id i.
  static Result<Vocabulary> fromList(std::vector<std::string> spellings, const std::string &where);

  Vocabulary() = default;
  Vocabulary(Vocabulary &&) = default;
  Vocabulary &operator=(Vocabulary &&) = default;

  std::optional<int32_t> find(std::string_view spelling) const {
    auto it = ids.find(spelling);
    return it == ids.end() ? std::nullopt : std::optional(it->second);
  }
  /// Number of spellings.
  size_t size() const { return ids.size(); }
  /// 1 + the largest id.
  int32_t idLimit() const { return int32_t(spellings.size()); }
  /// "" for an unused id.
  std::string_view spelling(int32_t id) const {
    return id >= 0 && id < idLimit() ? spellings[size_t(id)] : std::string_view();
  }
  bool contains(int32_t id) const {
    return id >= 0 && id < idLimit() && spellings[size_t(id)].data() != nullptr;
  }

private:
  void build(const std::vector<std::pair<std::string_view, int32_t>> &entries);

  std::vector<char> pool; // a vector: moving it keeps the addresses that the views hold
  std::vector<std::string_view> spellings;
  std::unordered_map<std::string_view, int32_t> ids;
};

} // namespace qrt::text

#endif // QRT_TOKENIZER_VOCABULARY_H
