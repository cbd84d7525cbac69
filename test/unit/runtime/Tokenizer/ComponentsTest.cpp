//===- ComponentsTest.cpp - One component at a time, against the tokenizers library -----------===//
// components.json: variants of the fixtures' tokenizers with what the library makes of the same
// texts (test/fixtures/tokenizers/make_tokenizers.py says what a variant holds).
#include "TokenizerFiles.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

static const Json &components() {
  static const Json json = [] {
    auto parsed = parseJson(readFile(ownTokenizers() / "components.json"), "components.json");
    return parsed ? parsed.takeValue() : Json();
  }();
  return json;
}

static std::vector<int> indices() {
  std::vector<int> all;
  if (components().is_object())
    for (size_t i = 0; i < components()["variants"].size(); ++i)
      all.push_back(int(i));
  return all;
}

class Components : public testing::TestWithParam<int> {};

static std::string nameOf(const testing::TestParamInfo<int> &info) {
  return components()["variants"][size_t(info.param)]["name"].get<std::string>();
}

TEST_P(Components, AgreesWithLibrary) {
  const Json &variant = components()["variants"][size_t(GetParam())];
  auto base = parseJson(
      readFile(ownTokenizers() / variant["base"].get<std::string>() / "tokenizer.json"), "base");
  ASSERT_TRUE(base) << base.status().message();
  base->update(variant["set"]);
  (*base)["model"].update(variant["model"]);
  auto tokenizer = Tokenizer::fromJson(dumpJson(*base));
  ASSERT_TRUE(tokenizer) << tokenizer.status().message();
  const Json &texts = components()["texts"], &cases = variant["cases"];
  ASSERT_EQ(texts.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    const Json &c = cases[i];
    std::string text = texts[i].get<std::string>();
    SCOPED_TRACE("text '" + text + "'");
    auto ids = c["ids"].get<std::vector<int32_t>>();
    std::string decoded = c.value("decoded", text);
    EXPECT_EQ((*tokenizer)->encode(text), ids);
    EXPECT_EQ((*tokenizer)->encode(text, {.addSpecialTokens = true}),
              c.contains("special") ? c["special"].get<std::vector<int32_t>>() : ids);
    EXPECT_EQ((*tokenizer)->decode(ids), decoded);
    EXPECT_EQ((*tokenizer)->decode(ids, true), c.value("skipped", decoded));
    StreamDecoder stream(*tokenizer);
    std::string pieces;
    for (int32_t id : ids)
      pieces += stream.push(id);
    EXPECT_EQ(pieces + stream.finish(), decoded) << "streamed";
  }
}
INSTANTIATE_TEST_SUITE_P(Fixtures, Components, testing::ValuesIn(indices()), nameOf);
