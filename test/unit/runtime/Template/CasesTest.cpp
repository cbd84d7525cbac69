//===- CasesTest.cpp - Rendered texts against those of jinja2 ---------------------------------===//
// Committed cases: snippets for single constructs, whole chat templates over conversations; made by
// test/fixtures/templates/make_templates.py. Shared cases: chat templates of public models.
#include "Template/ChatTemplate.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace qrt;
namespace fs = std::filesystem;

static std::string readFile(const fs::path &path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

static OrderedJson readJson(const fs::path &path) {
  auto json = parseOrderedJson(readFile(path), path.string());
  EXPECT_TRUE(json.isOk()) << json.status().message();
  return json ? *json : OrderedJson();
}

static fs::path fixtures() { return fs::path(QOPT_FIXTURES_DIR) / "templates"; }
static fs::path shared() {
  const char *variable = std::getenv("QOPT_SHARED");
  return fs::path(variable ? variable : QOPT_SHARED_DIR) / "models" / "chat";
}

/// An error where jinja2 fails, the same text where it does not.
static void check(const OrderedJson &expected, const Result<std::string> &text,
                  const std::string &what) {
  if (expected.contains("error")) {
    EXPECT_FALSE(text.isOk()) << what << "\nrendered: " << (text ? *text : "");
    if (expected["error"] == "TemplateError" && !text) {
      EXPECT_EQ(text.status().code(), StatusCode::InvalidArgument) << what;
      EXPECT_EQ(text.status().message(), expected["message"].get<std::string>()) << what;
    }
    return;
  }
  ASSERT_TRUE(text.isOk()) << what << "\n" << text.status().message();
  EXPECT_EQ(*text, expected["rendered"].get<std::string>()) << what;
}

static void checkFolder(const fs::path &folder) {
  auto compiled = ChatTemplate::compile(readFile(folder / "template.jinja"));
  ASSERT_TRUE(compiled.isOk()) << folder << ": " << compiled.status().message();
  int index = 0;
  for (const OrderedJson &item : readJson(folder / "cases.json")) {
    ChatTemplate::Options options;
    options.addGenerationPrompt = item["add_generation_prompt"].get<bool>();
    if (item.contains("tools"))
      options.tools = item["tools"];
    if (item.contains("kwargs"))
      options.kwargs = item["kwargs"];
    options.now = 1764028800; // the generator's clock
    check(item, (*compiled)->render(item["messages"], options),
          folder.filename().string() + " case " + std::to_string(index++));
  }
  EXPECT_GT(index, 0);
}

namespace {
struct ChatTemplateCases : testing::Test {
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }
};
} // namespace

TEST_F(ChatTemplateCases, Snippets) {
  OrderedJson file = readJson(fixtures() / "snippets.json");
  for (const OrderedJson &item : file["cases"]) {
    std::string source = item["template"].get<std::string>();
    ChatTemplate::Options options;
    options.kwargs = file["variables"];
    options.now = file["now"].get<int64_t>();
    auto compiled = ChatTemplate::compile(source);
    check(item,
          compiled ? (*compiled)->render(OrderedJson::array(), options)
                   : Result<std::string>(compiled.status()),
          source);
  }
}

TEST_F(ChatTemplateCases, Conversations) {
  for (const auto &entry : fs::directory_iterator(fixtures() / "chat"))
    checkFolder(entry.path());
}

TEST_F(ChatTemplateCases, SharedModels) {
  if (!fs::exists(shared()))
    GTEST_SKIP() << "no " << shared();
  for (const auto &entry : fs::directory_iterator(shared()))
    checkFolder(entry.path());
}

TEST_F(ChatTemplateCases, ErrorsNameLineAndConstruct) {
  auto syntax = ChatTemplate::compile("a\nb\n{% if %}");
  ASSERT_FALSE(syntax.isOk());
  EXPECT_EQ(syntax.status().code(), StatusCode::InvalidModel);
  EXPECT_TRUE(syntax.status().message().starts_with("line 3: ")) << syntax.status().message();
  for (const char *source : {"{% include 'x' %}", R"({{ '\N{BULLET}' }})", "{% extends 'x' %}"}) {
    auto unsupported = ChatTemplate::compile(source);
    ASSERT_FALSE(unsupported.isOk()) << source;
    EXPECT_EQ(unsupported.status().code(), StatusCode::Unsupported) << source;
  }
  auto runtime = ChatTemplate::compile("\n{{ messages[0].missing.x }}");
  ASSERT_TRUE(runtime.isOk());
  auto text = (*runtime)->render(OrderedJson::array({OrderedJson::object()}), {});
  ASSERT_FALSE(text.isOk());
  EXPECT_EQ(text.status().message(), "line 2: 'dict object' has no attribute 'missing'");
}
