//===- JsonTest.cpp - JSON errors have a place, hostile input is refused ---------------------===//
#include "Support/Json.h"

#include <gtest/gtest.h>

using namespace qrt;

TEST(Json, ErrorsNameFileLineAndColumn) {
  auto result = parseJson("{\n  \"a\": ,\n}", "config.json");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.status().code(), StatusCode::InvalidArgument);
  EXPECT_TRUE(result.status().message().starts_with("config.json: line 2, column 8: "))
      << result.status().message();
}

TEST(Json, DepthIsLimitedButNotInsideStrings) {
  std::string deep(100000, '[');
  auto result = parseJson(deep, "x");
  ASSERT_FALSE(result);
  EXPECT_NE(result.status().message().find("nested deeper than 200"), std::string::npos);
  EXPECT_TRUE(parseJson("\"" + std::string(1000, '[') + "\\\"[[\"", "x", 3));
  EXPECT_TRUE(parseJson("[[[1]]]", "x", 3));
  EXPECT_FALSE(parseJson("[[[[1]]]]", "x", 3));
}

TEST(Json, MembersOfTheWrongTypeAreAbsent) {
  Json object = *parseJson("\xEF\xBB\xBF{\"s\":\"t\",\"i\":3,\"f\":1.5,\"b\":true,"
                           "\"big\":18446744073709551615}",
                           "x");
  EXPECT_EQ(jsonString(object, "s"), "t");
  EXPECT_EQ(jsonInt(object, "i"), 3);
  EXPECT_EQ(jsonNumber(object, "f"), 1.5);
  EXPECT_EQ(jsonBool(object, "b"), true);
  EXPECT_FALSE(jsonInt(object, "f"));
  EXPECT_FALSE(jsonInt(object, "big"));
  EXPECT_FALSE(jsonString(object, "missing"));
  EXPECT_FALSE(jsonString(Json(3), "s"));
}

TEST(Json, DumpReplacesInvalidUtf8) {
  EXPECT_EQ(dumpJson(Json("a\xff")), "\"a\xEF\xBF\xBD\"");
  EXPECT_EQ(dumpJson(*parseOrderedJson("{\"z\":1,\"a\":2}", "x")), "{\"z\":1,\"a\":2}");
}
