//===- CasesTest.cpp - Agreement with the tokenizers library, id by id ------------------------===//
#include "TokenizerFiles.h"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;
namespace fs = std::filesystem;

/// Encodes, decodes and streams every case of a folder.
static void checkCases(const fs::path &tokenizerFile, const fs::path &casesFile) {
  auto tokenizer = Tokenizer::fromJson(readFile(tokenizerFile));
  ASSERT_TRUE(tokenizer) << tokenizer.status().message();
  std::vector<Case> cases = readCases(casesFile);
  ASSERT_GT(cases.size(), 5u) << casesFile;
  int wrong = 0;
  for (const Case &c : cases) {
    std::vector<int32_t> ids = (*tokenizer)->encode(c.text);
    EXPECT_EQ(ids, c.ids) << "text: '" << c.text << "'";
    EXPECT_EQ((*tokenizer)->decode(c.ids), c.decoded) << "text: '" << c.text << "'";
    StreamDecoder stream(*tokenizer);
    std::string pieces;
    for (int32_t id : c.ids)
      pieces += stream.push(id);
    pieces += stream.finish();
    EXPECT_EQ(pieces, c.decoded) << "streamed; text: '" << c.text << "'";
    if (ids != c.ids && ++wrong == 5)
      FAIL() << "too many differences";
  }
}

class OwnTokenizers : public testing::TestWithParam<std::string> {};

static std::vector<std::string> foldersIn(const fs::path &root) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto &entry : fs::directory_iterator(root, error))
    if (fs::exists(entry.path() / "cases.jsonl"))
      names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

static std::string nameOf(const testing::TestParamInfo<std::string> &info) { return info.param; }

TEST_P(OwnTokenizers, AgreesOnAllCases) {
  fs::path folder = ownTokenizers() / GetParam();
  checkCases(folder / "tokenizer.json", folder / "cases.jsonl");
}
INSTANTIATE_TEST_SUITE_P(Fixtures, OwnTokenizers, testing::ValuesIn(foldersIn(ownTokenizers())),
                         nameOf);

static fs::path shared() {
  const char *set = std::getenv("QOPT_SHARED");
  return fs::path(set ? set : QOPT_SHARED_DIR) / "models";
}

class SharedTokenizers : public testing::TestWithParam<std::string> {};

TEST_P(SharedTokenizers, AgreesOnAllCases) {
  fs::path folder = shared() / "tokenizers" / GetParam();
  fs::path file = GetParam() == "reasoner" ? shared() / "reasoner" / "tokenizer.json"
                                           : folder / "tokenizer.json";
  // gemma3 has cases only; its tokenizer is made with make-gemma3.sh.
  if (const char *made = std::getenv("QOPT_GEMMA3_TOKENIZER"); made && GetParam() == "gemma3")
    file = made;
  if (!fs::exists(file))
    GTEST_SKIP() << file << " is not there";
  checkCases(file, folder / "cases.jsonl");
}
INSTANTIATE_TEST_SUITE_P(Fixtures, SharedTokenizers,
                         testing::Values("qwen3", "deepseek", "smollm2", "llama3", "mistral_v1",
                                         "mistral_v3", "reasoner", "gemma3"),
                         nameOf);
