//===- HostileTest.cpp - Broken files and long texts ------------------------------------------===//
#include "TokenizerFiles.h"

#include <chrono>
#include <gtest/gtest.h>
#include <random>

using namespace qrt;
using namespace qrt::test;

static std::string fixture(const char *name) {
  return readFile(ownTokenizers() / name / "tokenizer.json");
}

static std::shared_ptr<const Tokenizer> load(const std::string &json) {
  auto tokenizer = Tokenizer::fromJson(json);
  EXPECT_TRUE(tokenizer) << tokenizer.status().message();
  return tokenizer ? *tokenizer : nullptr;
}

/// Uses whatever loads; the sanitizer builds make this a memory test.
static void exercise(const std::string &json) {
  auto tokenizer = Tokenizer::fromJson(json);
  if (!tokenizer) {
    EXPECT_FALSE(tokenizer.status().message().empty());
    return;
  }
  auto ids =
      (*tokenizer)->encode("Wait, <think>42</think> é\xFF \n\n word", {.addSpecialTokens = true});
  ids.push_back(-1);
  ids.push_back(1 << 30);
  (void)(*tokenizer)->decode(ids);
  for (int32_t id : ids)
    (void)(*tokenizer)->tokenBytes(id);
}

TEST(HostileTokenizer, BytesChangedAtRandom) {
  std::mt19937 random(20);
  for (const char *name : {"byte_level", "sentencepiece", "metaspace", "suffix"}) {
    const std::string original = fixture(name);
    ASSERT_FALSE(original.empty());
    for (int round = 0; round < 100; ++round) {
      std::string json = original;
      for (int change = 0, n = 1 + int(random() % 4); change < n; ++change) {
        // Half of them outside the vocabulary, where the structure is.
        size_t span = random() % 2 ? json.size() : std::min<size_t>(json.size(), 2500);
        size_t at = random() % span;
        switch (random() % 4) {
        case 0:
          json[at] = char(random());
          break;
        case 1:
          json[at] = "{}[]\",:0123456789-tfn\\"[random() % 22];
          break;
        case 2:
          json.erase(at, 1 + random() % 20);
          break;
        default:
          json.insert(at, json.substr(random() % json.size(), random() % 30));
        }
      }
      exercise(json);
    }
  }
}

/// Replaces one value of the JSON, which stays well-formed.
static void changeValue(Json &json, std::mt19937 &random) {
  Json *at = &json;
  while (at->is_structured() && !at->empty() && random() % 5) {
    auto it = at->begin();
    std::advance(it, ptrdiff_t(random() % std::min<size_t>(at->size(), 40)));
    at = &*it;
  }
  const Json values[] = {nullptr,
                         true,
                         -1,
                         0,
                         4294967295u,
                         1e300,
                         "",
                         "(",
                         "\\p{L}+",
                         "ByteLevel",
                         Json::array(),
                         Json::object(),
                         Json::array({1, "a"})};
  *at = values[random() % std::size(values)];
}

TEST(HostileTokenizer, ValuesChangedAtRandom) {
  std::mt19937 random(21);
  for (const char *name : {"byte_level", "sentencepiece", "metaspace", "suffix"}) {
    auto original = parseJson(fixture(name), name);
    ASSERT_TRUE(original);
    for (int round = 0; round < 150; ++round) {
      Json json = *original;
      for (int change = 0, n = 1 + int(random() % 2); change < n; ++change)
        changeValue(json, random);
      exercise(dumpJson(json));
    }
  }
}

TEST(HostileTokenizer, ErrorsNameThePlace) {
  auto original = parseJson(fixture("byte_level"), "fixture");
  ASSERT_TRUE(original);
  auto message = [&](const char *pointer, Json value) {
    Json json = *original;
    json[Json::json_pointer(pointer)] = std::move(value);
    auto tokenizer = Tokenizer::fromJson(dumpJson(json));
    return tokenizer ? std::string() : tokenizer.status().message();
  };
  EXPECT_EQ(message("/model/type", "WordLevel"),
            "tokenizer.json: model: model 'WordLevel' is not supported");
  EXPECT_EQ(message("/decoder", {{"type", "CTC"}}),
            "tokenizer.json: decoder: decoder 'CTC' is not supported");
  EXPECT_EQ(message("/normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "X"}}}}}),
            "tokenizer.json: normalizer[0]: normalizer 'X' is not supported");
  EXPECT_EQ(message("/model/merges/3", {"a", "nothing"}),
            "tokenizer.json: model: merges[3]: 'nothing' is not in the vocabulary");
  EXPECT_EQ(message("/model/vocab/a", 1e9), "tokenizer.json: model: vocab: the id of 'a' is not a "
                                            "number from 0 to 4194303");
  EXPECT_NE(message("/pre_tokenizer/pretokenizers/0/pattern/Regex", "(a"), "");
  EXPECT_EQ(message("/model/dropout", 0.1),
            "tokenizer.json: model: 'dropout' makes encoding random; only null is supported");
}

TEST(HostileTokenizer, DeepNestingIsAnError) {
  std::string json = fixture("byte_level");
  std::string deep;
  for (int i = 0; i < 100000; ++i)
    deep += "{\"type\":\"Sequence\",\"normalizers\":[";
  size_t at = json.find("\"normalizer\":");
  ASSERT_NE(at, std::string::npos);
  EXPECT_FALSE(Tokenizer::fromJson(json.substr(0, at) + "\"normalizer\":" + deep));
  auto parsed = parseJson(json, "fixture");
  ASSERT_TRUE(parsed);
  (*parsed)["pre_tokenizer"] = {
      {"type", "Split"},
      {"pattern", {{"Regex", std::string(30000, '(') + "a" + std::string(30000, ')')}}},
      {"behavior", "Isolated"},
      {"invert", false}};
  EXPECT_FALSE(Tokenizer::fromJson(dumpJson(*parsed)));
}

TEST(LongTexts, OneWordOfAMegabyte) {
  for (const char *name : {"byte_level", "sentencepiece", "metaspace"}) {
    auto tokenizer = load(fixture(name));
    ASSERT_TRUE(tokenizer);
    for (const char *unit :
         {"a", "reasoning", " ", "\n", "1", "é", "e\xCC\x81\xCC\xA3", "\xCC\x81"}) {
      std::string text;
      const size_t size =
          size_t(1) << (std::string_view("a reasoning").find(unit) != std::string_view::npos ? 20
                                                                                             : 17);
      while (text.size() < size)
        text += unit;
      auto begin = std::chrono::steady_clock::now();
      auto ids = tokenizer->encode(text);
      EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30))
          << name << " '" << unit << "'";
      EXPECT_FALSE(ids.empty());
      // byte_level normalizes; metaspace takes the first space for its own.
      if (std::string_view(name) != "byte_level" && *unit != ' ')
        EXPECT_EQ(tokenizer->decode(ids), text) << name << " '" << unit << "'";
    }
  }
}

TEST(LongTexts, BrokenUtf8BecomesReplacementCharacters) {
  auto tokenizer = load(fixture("byte_level"));
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->encode("a\xFF\xC3(\xE4\xB8 b\xF0\x9F"),
            tokenizer->encode("a\uFFFD\uFFFD(\uFFFD b\uFFFD"));
}
