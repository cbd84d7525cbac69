//===- TokenizerTest.cpp - What Tokenizer says of its tokens ----------------------------------===//
#include "TokenizerFiles.h"

#include <gtest/gtest.h>
#include <thread>

using namespace qrt;
using namespace qrt::test;

static std::shared_ptr<const Tokenizer> load(const char *name, std::string_view config = {}) {
  auto tokenizer = Tokenizer::fromJson(readFile(ownTokenizers() / name / "tokenizer.json"), config);
  EXPECT_TRUE(tokenizer) << tokenizer.status().message();
  return tokenizer ? *tokenizer : nullptr;
}

TEST(Tokenizer, TokensAndBytes) {
  auto tokenizer = load("byte_level");
  ASSERT_TRUE(tokenizer);
  auto the = tokenizer->tokenId("Ġthe");
  ASSERT_TRUE(the);
  EXPECT_EQ(tokenizer->tokenText(*the), "Ġthe");
  EXPECT_EQ(tokenizer->tokenBytes(*the), " the");
  EXPECT_EQ(tokenizer->tokenBytes(*tokenizer->tokenId("Ċ")), "\n");
  EXPECT_EQ(tokenizer->tokenText(-1), "");
  EXPECT_EQ(tokenizer->tokenText(tokenizer->vocabSize()), "");
  auto end = tokenizer->tokenId("<|im_end|>"), think = tokenizer->tokenId("<think>");
  ASSERT_TRUE(end && think);
  EXPECT_TRUE(tokenizer->isSpecial(*end));
  EXPECT_FALSE(tokenizer->isSpecial(*think));
  EXPECT_EQ(tokenizer->tokenBytes(*end), "<|im_end|>");
  EXPECT_FALSE(tokenizer->bosId());

  auto pieces = load("sentencepiece");
  ASSERT_TRUE(pieces);
  EXPECT_EQ(pieces->tokenBytes(*pieces->tokenId("<0xE4>")), "\xE4");
  EXPECT_EQ(pieces->tokenBytes(*pieces->tokenId("▁the")), " the");
}

TEST(Tokenizer, SpecialTokensInTheText) {
  auto tokenizer = load("byte_level");
  ASSERT_TRUE(tokenizer);
  int32_t end = *tokenizer->tokenId("<|im_end|>");
  auto parsed = tokenizer->encode("a<|im_end|>");
  EXPECT_EQ(parsed.back(), end);
  auto plain = tokenizer->encode("a<|im_end|>", {.parseSpecial = false});
  EXPECT_EQ(std::count(plain.begin(), plain.end(), end), 0);
  EXPECT_EQ(tokenizer->decode(plain), "a<|im_end|>");
  EXPECT_EQ(tokenizer->decode(parsed, true), "a");
}

TEST(Tokenizer, ConfigNamesTokensAndAddsThem) {
  auto tokenizer = load("byte_level", R"({"bos_token": null, "eos_token": {"content": "<|im_end|>"},
      "added_tokens_decoder": {"9000": {"content": "<|new|>", "special": true},
                               "1": {"content": "<think>", "special": true}}})");
  ASSERT_TRUE(tokenizer);
  EXPECT_FALSE(tokenizer->bosId());
  EXPECT_EQ(tokenizer->eosId(), tokenizer->tokenId("<|im_end|>"));
  auto added = tokenizer->tokenId("<|new|>");
  ASSERT_TRUE(added);
  EXPECT_EQ(*added, tokenizer->vocabSize() - 1);
  EXPECT_TRUE(tokenizer->isSpecial(*added));
  EXPECT_EQ(tokenizer->encode("<|new|>"), std::vector<int32_t>{*added});
  EXPECT_FALSE(tokenizer->isSpecial(*tokenizer->tokenId("<think>")));
  auto wrong =
      Tokenizer::fromJson(readFile(ownTokenizers() / "byte_level" / "tokenizer.json"), "[");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.status().code(), StatusCode::InvalidModel);
}

TEST(Tokenizer, StreamGivesTextWhenItIsCertain) {
  auto tokenizer = load("byte_level");
  ASSERT_TRUE(tokenizer);
  StreamDecoder stream(tokenizer);
  std::vector<int32_t> ids = tokenizer->encode("𝄞x"); // four bytes, no merges
  ASSERT_EQ(ids.size(), 5u);
  EXPECT_EQ(stream.push(ids[0]), "");
  EXPECT_EQ(stream.push(ids[1]), "");
  EXPECT_EQ(stream.push(ids[2]), "");
  EXPECT_EQ(stream.push(ids[3]), "𝄞");
  EXPECT_EQ(stream.push(ids[4]), "x");
  EXPECT_EQ(stream.push(ids[0]), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(stream.push(ids[4]), "x"); // a new text
}

TEST(Tokenizer, ThreadsAgree) {
  auto tokenizer = load("byte_level");
  ASSERT_TRUE(tokenizer);
  std::string text = readFile(ownTokenizers() / "byte_level" / "cases.jsonl");
  auto expected = tokenizer->encode(text);
  std::vector<std::thread> threads;
  std::vector<int> equal(4, 0);
  for (size_t t = 0; t < equal.size(); ++t)
    threads.emplace_back([&, t] { equal[t] = tokenizer->encode(text) == expected; });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(equal, std::vector<int>(4, 1));
}
