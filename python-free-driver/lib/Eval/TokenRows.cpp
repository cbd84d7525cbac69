//===- TokenRows.cpp - Sequences of token ids to compare models on ----------------------------===//
#include "Eval/TokenRows.h"

#include "Support/Json.h"
#include "Support/MappedFile.h"
#include "Support/Npy.h"

namespace qrt {
namespace {

Result<std::vector<TokenRow>> readJsonRows(const std::string &path) {
  QRT_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  std::string_view text(reinterpret_cast<const char *>(file.bytes().data()), file.bytes().size());
  QRT_ASSIGN_OR_RETURN(Json json, parseJson(text, path));
  std::vector<TokenRow> rows;
  if (!json.is_array())
    return invalidArgument(path + ": not a list of lists of ids");
  for (const Json &list : json) {
    TokenRow row;
    if (!list.is_array())
      return invalidArgument(path + ": list " + std::to_string(rows.size()) + " is not a list");
    for (const Json &id : list) {
      if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > INT32_MAX)
        return invalidArgument(path + ": list " + std::to_string(rows.size()) + ", element " +
                               std::to_string(row.ids.size()) + " is not a token id");
      row.ids.push_back(id.get<int32_t>());
    }
    row.scored.assign(row.ids.size(), true);
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::vector<TokenRow>> readNpyRows(const std::string &idsPath, const std::string &maskPath) {
  QRT_ASSIGN_OR_RETURN(IntMatrix ids, readNpyIntegers(idsPath));
  IntMatrix mask{ids.rows, ids.columns, {}};
  if (!maskPath.empty()) {
    QRT_ASSIGN_OR_RETURN(mask, readNpyIntegers(maskPath));
    if (mask.rows != ids.rows || mask.columns != ids.columns)
      return invalidArgument(maskPath + ": the mask is [" + std::to_string(mask.rows) + ", " +
                             std::to_string(mask.columns) + "], the ids are [" +
                             std::to_string(ids.rows) + ", " + std::to_string(ids.columns) + "]");
  }
  std::vector<TokenRow> rows(size_t(ids.rows));
  for (int64_t r = 0; r < ids.rows; ++r)
    for (int64_t c = 0; c < ids.columns; ++c) {
      size_t i = size_t(r * ids.columns + c);
      rows[size_t(r)].ids.push_back(ids.values[i]);
      rows[size_t(r)].scored.push_back(mask.values.empty() || mask.values[i] != 0);
    }
  return rows;
}

} // namespace

Result<std::vector<TokenRow>> readTokenRows(const std::string &idsPath, const std::string &maskPath,
                                            int32_t vocabSize) {
  std::vector<TokenRow> rows;
  if (idsPath.ends_with(".npy")) {
    QRT_ASSIGN_OR_RETURN(rows, readNpyRows(idsPath, maskPath));
  } else {
    if (!maskPath.empty())
      return invalidArgument(maskPath + ": a mask needs ids from a .npy file");
    QRT_ASSIGN_OR_RETURN(rows, readJsonRows(idsPath));
  }
  if (rows.empty())
    return invalidArgument(idsPath + ": no sequences");
  bool any = false;
  for (size_t r = 0; r < rows.size(); ++r) {
    if (rows[r].ids.size() < 2)
      return invalidArgument(idsPath + ": sequence " + std::to_string(r) +
                             " is shorter than 2 tokens");
    for (size_t c = 0; c < rows[r].ids.size(); ++c) {
      if (rows[r].ids[c] < 0 || rows[r].ids[c] >= vocabSize)
        return invalidArgument(idsPath + ": sequence " + std::to_string(r) + ", token " +
                               std::to_string(c) + ": id " + std::to_string(rows[r].ids[c]) +
                               " is outside the vocabulary of " + std::to_string(vocabSize));
      any |= c > 0 && rows[r].scored[c];
    }
  }
  if (!any)
    return invalidArgument(maskPath + ": the mask scores no token");
  return rows;
}

} // namespace qrt
