//===- WordCache.h - Ids of words that came before --------------------------------------------===//
// Remembers what the model made of short pieces. Bounded: when full it forgets everything. Never
// changes a result, so whether a thread gets hold of it does not matter.
// Thread safety: none; the owner locks.
#ifndef QRT_TOKENIZER_WORDCACHE_H
#define QRT_TOKENIZER_WORDCACHE_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace qrt::text {

class WordCache {
public:
  static constexpr size_t maxWord = 128;

  /// Appends the ids of `word` if it is known.
  bool find(std::string_view word, std::vector<int32_t> &ids) const {
    auto it = words.find(word);
    if (it == words.end())
      return false;
    const Range &range = it->second;
    ids.insert(ids.end(), pool.begin() + ptrdiff_t(range.begin),
               pool.begin() + ptrdiff_t(range.begin + range.count));
    return true;
  }

  void insert(std::string_view word, std::span<const int32_t> ids) {
    if (word.size() > maxWord)
      return;
    if (words.size() >= maxEntries) {
      words.clear();
      pool.clear();
    }
    words.emplace(word, Range{uint32_t(pool.size()), uint32_t(ids.size())});
    pool.insert(pool.end(), ids.begin(), ids.end());
  }

private:
  static constexpr size_t maxEntries = size_t(1) << 16;
  struct Range {
    uint32_t begin, count;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  std::unordered_map<std::string, Range, Hash, std::equal_to<>> words;
  std::vector<int32_t> pool;
};

} // namespace qrt::text

#endif // QRT_TOKENIZER_WORDCACHE_H
