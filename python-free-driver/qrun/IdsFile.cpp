//===- IdsFile.cpp - Token ids from files ----------------------------------------------------===//
#include "IdsFile.h"

#include "Support/Json.h"
#include "Support/MappedFile.h"

namespace qrt {

static Result<std::vector<int32_t>> readList(const Json &list, const std::string &where,
                                             int32_t vocabSize) {
  if (!list.is_array())
    return invalidArgument(where + ": expects a list of token ids, as in [[1, 2, 3], [4, 5]]");
  if (list.empty())
    return invalidArgument(where + ": is empty; a sequence needs at least one token");
  std::vector<int32_t> ids;
  ids.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string element = where + ", element " + std::to_string(i);
    if (!list[i].is_number_integer())
      return invalidArgument(element + ": expects an integer, got " +
                             dumpJson(list[i]).substr(0, 40));
    if (list[i] < 0 || list[i] >= vocabSize)
      return invalidArgument(element + ": token id " + dumpJson(list[i]) +
                             " is outside the vocabulary of " + std::to_string(vocabSize));
    ids.push_back(list[i].get<int32_t>());
  }
  return ids;
}

Result<std::vector<std::vector<int32_t>>> readIdsFile(const std::string &path, int32_t vocabSize) {
  QRT_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  QRT_ASSIGN_OR_RETURN(Json json, parseJson(file.text(), path));
  if (!json.is_array() || json.empty())
    return invalidArgument(path + ": expects lists of token ids, as in [[1, 2, 3], [4, 5]]");
  std::vector<std::vector<int32_t>> sequences;
  for (size_t i = 0; i < json.size(); ++i) {
    QRT_ASSIGN_OR_RETURN(auto ids,
                         readList(json[i], path + ": list " + std::to_string(i), vocabSize));
    sequences.push_back(std::move(ids));
  }
  return sequences;
}

} // namespace qrt
