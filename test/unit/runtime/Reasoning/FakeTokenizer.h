//===- FakeTokenizer.h - A vocabulary of given strings ----------------------------------------===//
// Encodes greedily by the longest entry; bytes without an entry are token 0, "?".
#ifndef QRT_TEST_FAKETOKENIZER_H
#define QRT_TEST_FAKETOKENIZER_H

#include "Tokenizer/Tokenizer.h"

#include <algorithm>
#include <set>

namespace qrt::test {

class FakeTokenizer : public Tokenizer {
public:
  explicit FakeTokenizer(std::vector<std::string> entries, std::set<int32_t> special = {})
      : entries(std::move(entries)), special(std::move(special)) {}

  std::vector<int32_t> encode(std::string_view text, const EncodeOptions &o) const override {
    std::vector<int32_t> ids;
    while (!text.empty()) {
      int32_t best = 0;
      size_t length = 0;
      for (size_t v = 1; v < entries.size(); ++v)
        if (entries[v].size() > length && text.starts_with(entries[v]) &&
            (o.parseSpecial || !special.contains(int32_t(v)))) {
          best = int32_t(v);
          length = entries[v].size();
        }
      ids.push_back(best);
      text.remove_prefix(std::max<size_t>(length, 1));
    }
    return ids;
  }
  using Tokenizer::encode;
  std::string decode(std::span<const int32_t> ids, bool skipSpecial) const override {
    std::string out;
    for (int32_t id : ids)
      if (!skipSpecial || !isSpecial(id))
        out += tokenBytes(id);
    return out;
  }
  int32_t vocabSize() const override { return int32_t(entries.size()); }
  std::string_view tokenText(int32_t id) const override { return entries[size_t(id)]; }
  std::string tokenBytes(int32_t id) const override { return entries[size_t(id)]; }
  std::optional<int32_t> tokenId(std::string_view text) const override {
    for (size_t v = 0; v < entries.size(); ++v)
      if (entries[v] == text)
        return int32_t(v);
    return std::nullopt;
  }
  bool isSpecial(int32_t id) const override { return special.contains(id); }
  std::optional<int32_t> bosId() const override { return std::nullopt; }
  std::optional<int32_t> eosId() const override { return std::nullopt; }
  std::unique_ptr<DecodingRun> startDecoding(bool) const override { return nullptr; }
  int32_t id(std::string_view text) const { return tokenId(text).value(); }

private:
  std::vector<std::string> entries;
  std::set<int32_t> special;
};

} // namespace qrt::test

#endif // QRT_TEST_FAKETOKENIZER_H
