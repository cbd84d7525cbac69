//===- SourceTest.cpp - Where templates and their variables come from -------------------------===//
#include "Template/ChatTemplate.h"

#include <gtest/gtest.h>

using namespace qrt;

TEST(TemplateSource, FileComesBeforeConfig) {
  EXPECT_EQ(*findTemplateSource("file", R"({"chat_template": "config"})"), "file");
  EXPECT_EQ(*findTemplateSource("", R"({"chat_template": "config"})"), "config");
  EXPECT_EQ(*findTemplateSource("", "{}"), "");
  EXPECT_EQ(*findTemplateSource("", ""), "");
}

TEST(TemplateSource, NamedTemplates) {
  EXPECT_EQ(*findTemplateSource("", R"({"chat_template": [{"name": "tool_use", "template": "t"},
                                       {"name": "default", "template": "d"}]})"),
            "d");
  auto none = findTemplateSource("", R"({"chat_template": [{"name": "rag", "template": "t"}]})");
  ASSERT_FALSE(none.isOk());
  EXPECT_NE(none.status().message().find("rag"), std::string::npos);
  EXPECT_FALSE(findTemplateSource("", R"({"chat_template": 5})").isOk());
  EXPECT_FALSE(findTemplateSource("", "[]").isOk());
  EXPECT_FALSE(findTemplateSource("", "{").isOk());
}

TEST(TemplateSource, VariablesAreStrings) {
  OrderedJson variables = templateVariables(
      R"({"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false}, "pad_token": null,
          "additional_special_tokens": ["<a>", {"content": "<b>"}], "model_max_length": 5})");
  EXPECT_EQ(variables.dump(),
            R"({"bos_token":"<s>","eos_token":"</s>","additional_special_tokens":["<a>","<b>"]})");
  EXPECT_TRUE(templateVariables("").empty());
  EXPECT_TRUE(templateVariables("{").empty());
}
