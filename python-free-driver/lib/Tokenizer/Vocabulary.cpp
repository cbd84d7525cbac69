//===- Vocabulary.cpp - Spellings and their ids -----------------------------------------------===//
#include "Tokenizer/Vocabulary.h"

#include <algorithm>

namespace qrt::text {

Result<Vocabulary> Vocabulary::fromJson(const Json &entries, const std::string &where) {
  if (!entries.is_object())
    return invalidModel(where + ": expects an object");
  std::vector<std::pair<std::string_view, int32_t>> list;
  list.reserve(entries.size());
  for (auto it = entries.begin(); it != entries.end(); ++it) {
    if (!it->is_number_unsigned() || it->get<uint64_t>() >= uint64_t(maxIds))
      return invalidModel(where + ": the id of '" + it.key().substr(0, 100) +
                          "' is not a number from 0 to " + std::to_string(maxIds - 1));
    list.emplace_back(it.key(), int32_t(it->get<uint64_t>()));
  }
  Vocabulary vocabulary;
  vocabulary.build(list);
  return vocabulary;
}

Result<Vocabulary> Vocabulary::fromList(std::vector<std::string> names, const std::string &where) {
  if (int64_t(names.size()) > maxIds)
    return invalidModel(where + ": more than " + std::to_string(maxIds) + " entries");
  std::vector<std::pair<std::string_view, int32_t>> list;
  list.reserve(names.size());
  for (size_t i = 0; i < names.size(); ++i)
    list.emplace_back(names[i], int32_t(i));
  Vocabulary vocabulary;
  vocabulary.build(list);
  return vocabulary;
}

void Vocabulary::build(const std::vector<std::pair<std::string_view, int32_t>> &entries) {
  size_t bytes = 1; // so that the empty spelling has an address too
  int32_t limit = 0;
  for (const auto &[name, id] : entries) {
    bytes += name.size();
    limit = std::max(limit, id + 1);
  }
  pool.reserve(bytes);
  spellings.assign(size_t(limit), {});
  ids.reserve(entries.size());
  for (const auto &[name, id] : entries) {
    const char *begin = pool.data() + pool.size();
    pool.insert(pool.end(), name.begin(), name.end());
    std::string_view kept(begin, name.size());
    ids[kept] = id;
    spellings[size_t(id)] = kept;
  }
}

} // namespace qrt::text
