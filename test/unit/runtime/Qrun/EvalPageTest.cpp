//===- EvalPageTest.cpp - The page of qrun eval ----------------------------------------------===//
#include "EvalPage.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace qrt;

namespace {

const std::string hostile = "</script><script>alert('x')</script> <!-- & \" \\ %DATA%";

ArmResult armOf(double tokens) {
  ArmResult arm;
  Trace trace;
  trace.thinkTokens = int64_t(tokens);
  arm.traces = {trace};
  return arm;
}

Comparison comparisonOf(size_t positions) {
  Comparison comparison;
  for (size_t i = 0; i < positions; ++i) {
    comparison.kl.push_back(float(i));
    comparison.entropy.push_back(0.5f);
  }
  return comparison;
}

/// What the page's script reads.
OrderedJson dataOf(const std::string &html) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const size_t begin = html.find(open) + open.size();
  auto json = parseOrderedJson(html.substr(begin, html.find("</script>", begin) - begin), "data");
  EXPECT_TRUE(json.isOk()) << json.status().message();
  return json ? *json : OrderedJson();
}

size_t occurrences(const std::string &text, const std::string &what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

} // namespace

TEST(EvalPage, HoldsTheDataAndNothingThatEndsTheBlock) {
  Task task;
  task.id = hostile;
  EvalPage page;
  page.addTasks({task}, armOf(10), armOf(15));
  page.addPositions(comparisonOf(12000));
  const std::string html = page.html({{"gate", {{"bounds", hostile}}}});
  const OrderedJson data = dataOf(html);
  EXPECT_EQ(data["results"]["gate"]["bounds"], hostile);
  EXPECT_EQ(data["tasks"][0]["id"], hostile);
  EXPECT_EQ(data["tasks"][0]["tokens"], 15);
  EXPECT_EQ(data["positions"].size(), 5000u);
  EXPECT_EQ(data["positions"][4999][1], 11997);
  // The two blocks of the page itself, one of data and one of code.
  EXPECT_EQ(occurrences(html, "<script"), 2u);
  EXPECT_EQ(occurrences(html, "</script>"), 2u);
  EXPECT_EQ(occurrences(html, "<!--"), 0u);
}

TEST(EvalPage, FetchesNothing) {
  const std::string html = EvalPage().html({});
  for (const char *word : {"src=", "href=", "@import", "url(", "fetch(", "innerHTML", "eval("})
    EXPECT_EQ(occurrences(html, word), 0u) << word;
  EXPECT_EQ(occurrences(html, "http"), 1u); // the name of the SVG namespace
}

TEST(EvalPage, ReadsCompileReports) {
  const auto path = std::filesystem::temp_directory_path() / ("report-" + std::to_string(getpid()));
  auto layersOf = [&](const std::string &text) -> Result<OrderedJson> {
    std::ofstream(path) << text;
    EvalPage page;
    QRT_RETURN_IF_ERROR(page.readCompileReport(path));
    return dataOf(page.html({}))["layers"];
  };
  auto linears = layersOf(R"({"linears": [{"name": "a", "scheme": "w4a16", "relative_loss": 0.01,
    "relative_loss_rtn": 0.03, "rms_error": 0.2}, {"name": 7}, 3], "tensors": []})");
  ASSERT_TRUE(linears) << linears.status().message();
  EXPECT_EQ((*linears)["entries"].size(), 1u);
  EXPECT_EQ((*linears)["entries"][0]["error"], 0.01);
  EXPECT_EQ((*linears)["entries"][0]["rtn"], 0.03);
  EXPECT_EQ((*linears)["entries"][0]["weight_error"], 0.2);
  auto tensors = layersOf(
      R"({"tensors": [{"name": "norm", "rms_error": null}, {"name": "b", "rms_error": 0.1}]})");
  ASSERT_TRUE(tensors);
  EXPECT_EQ((*tensors)["entries"].size(), 1u);
  EXPECT_EQ((*tensors)["entries"][0]["error"], 0.1);
  for (const char *bad : {"[]", "{}", "3", R"({"tensors": [{"name": "norm"}]})"})
    EXPECT_EQ(layersOf(bad).status().code(), StatusCode::InvalidArgument) << bad;
  EXPECT_EQ(layersOf("{").status().code(), StatusCode::InvalidArgument);
  std::filesystem::remove(path);
}
