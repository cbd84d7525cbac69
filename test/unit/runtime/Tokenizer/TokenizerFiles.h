//===- TokenizerFiles.h - Tokenizers and cases of the fixtures --------------------------------===//
// A folder holds tokenizer.json and cases.jsonl: a line {"text", "ids", "decoded"} per case,
// written by the tokenizers library (without special tokens added, none skipped in decoding).
#ifndef QOPT_TEST_TOKENIZERFILES_H
#define QOPT_TEST_TOKENIZERFILES_H

#include "Support/Json.h"
#include "Tokenizer/Tokenizer.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace qrt::test {

inline std::string readFile(const std::filesystem::path &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

inline std::filesystem::path ownTokenizers() {
  return std::filesystem::path(QOPT_FIXTURES_DIR) / "tokenizers";
}

struct Case {
  std::string text, decoded;
  std::vector<int32_t> ids;
};

inline std::vector<Case> readCases(const std::filesystem::path &path) {
  std::vector<Case> cases;
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    auto json = parseJson(line, path.string());
    if (!json)
      continue;
    cases.push_back({(*json)["text"].get<std::string>(), (*json)["decoded"].get<std::string>(),
                     (*json)["ids"].get<std::vector<int32_t>>()});
  }
  return cases;
}

} // namespace qrt::test

#endif // QOPT_TEST_TOKENIZERFILES_H
