//===- MarkersTest.cpp - Words to token ids ---------------------------------------------------===//
#include "Reasoning/Markers.h"
#include "FakeTokenizer.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

namespace {
FakeTokenizer vocabulary() {
  return FakeTokenizer({"?", "\n", " wait", "wait", " Wait", "Wait", " re", "check", "a", " but"});
}
} // namespace

TEST(Markers, VariantsOfOneTokenOnly) {
  FakeTokenizer tokenizer = vocabulary();
  std::vector<std::string> words = {"wait", "Wait", "recheck"};
  auto table = expandMarkers(tokenizer, words, "mine");
  ASSERT_TRUE(table) << table.status().message();
  std::vector<int32_t> ids;
  for (const Marker &m : table->markers)
    ids.push_back(m.token);
  EXPECT_EQ(ids, (std::vector<int32_t>{2, 3, 4, 5})); // each once, though both words give all
  EXPECT_FALSE(table->markers[0].lineStart);
  EXPECT_TRUE(table->markers[1].lineStart);
  // " recheck" is " re" + "check": reported, its pieces untouched.
  EXPECT_NE(std::find(table->dropped.begin(), table->dropped.end(), " recheck"),
            table->dropped.end());
}

TEST(Markers, LiteralWords) {
  FakeTokenizer tokenizer = vocabulary();
  std::vector<std::string> words = {"=wait"};
  auto table = expandMarkers(tokenizer, words, "mine");
  ASSERT_TRUE(table);
  ASSERT_EQ(table->markers.size(), 1u);
  EXPECT_EQ(table->markers[0].token, 3);
  EXPECT_FALSE(table->markers[0].lineStart);
  words = {"nothing"};
  EXPECT_FALSE(expandMarkers(tokenizer, words, "mine"));
  words = {""};
  EXPECT_FALSE(expandMarkers(tokenizer, words, "mine"));
}

TEST(Markers, WordSets) {
  EXPECT_EQ(markerWordSet("default50").size(), 50u);
  EXPECT_EQ(markerWordSet("nowait").size(), 17u);
  EXPECT_TRUE(markerWordSet("other").empty());
  EXPECT_EQ(markerWordSetNames().size(), 4u);
}

TEST(Markers, TableRoundTrip) {
  MarkerTable table{"ratio", {{2, " wait", 1.25f, false}, {5, "Wait", 0.5f, true}}, {}};
  auto read = parseMarkerTable(markerTableJson(table, "a test"), 10);
  ASSERT_TRUE(read) << read.status().message();
  EXPECT_EQ(read->name, "ratio");
  ASSERT_EQ(read->markers.size(), 2u);
  EXPECT_EQ(read->markers[1].strength, 0.5f);
  EXPECT_TRUE(read->markers[1].lineStart);
}

TEST(Markers, HostileTables) {
  for (const char *bad :
       {"", "[]", "{}", R"({"version":1})", R"({"version":2,"tokens":[{"id":1,"strength":1}]})",
        R"({"version":1,"tokens":[]})", R"({"version":1,"tokens":[{"id":10,"strength":1}]})",
        R"({"version":1,"tokens":[{"id":1}]})",
        R"({"version":1,"tokens":[{"id":1,"strength":1e9}]})",
        R"({"version":1,"tokens":[{"id":1,"strength":1},{"id":1,"strength":2}]})",
        R"({"version":1,"strength":-1,"tokens":[{"id":1,"strength":1}]})",
        R"({"version":1,"strength":"1","tokens":[{"id":1,"strength":1}]})",
        R"({"version":1,"tokens":[7]})", R"({"version":1,"tokens":{"id":1}})"}) {
    auto table = parseMarkerTable(bad, 10);
    ASSERT_FALSE(table) << bad;
    EXPECT_EQ(table.status().code(), StatusCode::InvalidModel) << bad;
  }
}

TEST(Markers, TableKeepsItsFittedStrength) {
  MarkerTable table;
  table.markers = {{3, " wait", 1.22f, false}};
  EXPECT_EQ(markerTableJson(table, "s").find("\"strength\":1.22,\"tokens\""), std::string::npos);
  EXPECT_FALSE(parseMarkerTable(markerTableJson(table, "s"), 10)->strength);
  table.strength = 0.84f;
  const std::string json = markerTableJson(table, "s");
  EXPECT_NE(
      json.find("\"strength\":0.84,\"tokens\":[{\"id\":3,\"text\":\" wait\",\"strength\":1.22}"),
      std::string::npos)
      << json;
  EXPECT_EQ(parseMarkerTable(json, 10)->strength, 0.84f);
}
