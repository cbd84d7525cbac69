//===- HostileTest.cpp - Templates that want to do harm ---------------------------------------===//
#include "Template/ChatTemplate.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

using namespace qrt;

static StatusCode render(const std::string &source) {
  auto compiled = ChatTemplate::compile(source);
  if (!compiled)
    return compiled.status().code();
  auto text = (*compiled)->render(OrderedJson::array(), {});
  return text ? StatusCode::Ok : text.status().code();
}

static std::string repeat(const std::string &text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i)
    result += text;
  return result;
}

TEST(HostileTemplate, LimitsEndIt) {
  const std::pair<std::string, StatusCode> cases[] = {
      {"{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
       StatusCode::ResourceExhausted},
      {"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", StatusCode::ResourceExhausted},
      {"{% set n = namespace(x='aaaaaaaa') %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% "
       "endfor %}",
       StatusCode::ResourceExhausted},
      {"{{ 'a' * 9000000000000000000 }}", StatusCode::ResourceExhausted},
      {"{{ [1] * 9000000000000000000 }}", StatusCode::ResourceExhausted},
      {"{{ '%999999999d' % 1 }}", StatusCode::ResourceExhausted},
      {"{{ '{:999999999}'.format(1) }}", StatusCode::ResourceExhausted},
      {"{{ 'a'.ljust(99999999999) }}", StatusCode::ResourceExhausted},
      {"{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x] %}{% endfor %}",
       StatusCode::ResourceExhausted},
      // 2^100 items, all shared.
      {"{% set n = namespace(x=[1]) %}{% for i in range(100) %}{% set n.x = [n.x, n.x] %}{% endfor "
       "%}{{ n.x }}",
       StatusCode::ResourceExhausted},
      {"{% set n = namespace(x=[1]) %}{% for i in range(100) %}{% set n.x = [n.x, n.x] %}{% endfor "
       "%}"
       "{{ n.x | tojson }}",
       StatusCode::ResourceExhausted},
      {"{% set n = namespace() %}{% set n.n = n %}{{ n }}", StatusCode::ResourceExhausted},
      {"{% for a in range(100000) %}{{ 'abcdefghijklmnopqrstuvwxyz' * 100 }}{% endfor %}",
       StatusCode::ResourceExhausted},
  };
  for (const auto &[source, code] : cases)
    EXPECT_EQ(render(source), code) << source;
}

TEST(HostileTemplate, DeepSourcesAreErrors) {
  for (auto [open, close] :
       {std::pair("(", ")"), std::pair("[", "]"), std::pair("not ", ""), std::pair("-", ""),
        std::pair("{1:", "}"), std::pair("x[", "]"), std::pair("1 if 1 else ", "")})
    EXPECT_NE(render("{{ " + repeat(open, 50000) + "1" + repeat(close, 50000) + " }}"),
              StatusCode::Ok)
        << open;
  for (const char *tail : {".x", "|trim", "+1", " is none", "()", "[0]", " and 1"})
    EXPECT_NE(render("{{ 1" + repeat(tail, 50000) + " }}"), StatusCode::Ok) << tail;
  EXPECT_NE(render(repeat("{% if 1 %}", 50000) + repeat("{% endif %}", 50000)), StatusCode::Ok);
  EXPECT_EQ(render(std::string(2 << 20, 'a')), StatusCode::ResourceExhausted);
  EXPECT_EQ(render("\xff"), StatusCode::InvalidModel);
}

TEST(HostileTemplate, LongChainsOfValuesAreDestroyed) {
  // Each keeps the one before alive: macros, methods and loops.
  EXPECT_EQ(
      render("{% set n = namespace(g=0) %}{% macro f(p) %}{% macro g() %}{{ p }}{% endmacro %}"
             "{% set n.g = g %}{% endmacro %}{% for i in range(50000) %}{% set x = f(n.g) %}"
             "{% endfor %}{% set n.g = 0 %}"),
      StatusCode::Ok);
  EXPECT_NE(
      render("{% set n = namespace(g=0) %}{% for i in range(50000) %}{% set n.g = {1: n.g}.get %}"
             "{% endfor %}"),
      StatusCode::Internal);
  EXPECT_EQ(render("{% set n = namespace(g=0) %}{% for i in range(50000) %}{% for x in [n.g] %}"
                   "{% set n.g = loop %}{% endfor %}{% endfor %}"),
            StatusCode::Ok);
}

TEST(HostileTemplate, MutationsGiveAStatus) {
  std::vector<std::string> seeds;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(
           std::filesystem::path(QOPT_FIXTURES_DIR) / "templates")) {
    if (entry.path().extension() != ".jinja" && entry.path().extension() != ".txt")
      continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    std::string all = text.str();
    for (size_t from = 0, to; from < all.size(); from = to + 6) {
      to = std::min(all.find("\n----\n", from), all.size());
      seeds.push_back(all.substr(from, to - from));
    }
  }
  ASSERT_GT(seeds.size(), 100u);
  static const std::string pieces[] = {"{%",     "%}", "{{",   "}}", "-",  "|",    "(",  ")",
                                       "[",      "]",  ".",    "'",  "\"", "loop", "in", "if ",
                                       "endfor", " ",  "\n",   "9",  "~",  ":",    ",",  "=",
                                       "not ",   "{#", "\xC3", "*",  "0",  "is "};
  OrderedJson messages = OrderedJson::parse(
      R"([{"role":"system","content":"s"},{"role":"user","content":"h\u00e9 <think>x</think> y"}])");
  ChatTemplate::Options options;
  options.now = 0;
  options.kwargs =
      OrderedJson::parse(R"({"words":["b","A"],"numbers":[3,1],"person":{"name":"x"}})");
  std::mt19937 random(20261125);
  int rendered = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string source = seeds[random() % seeds.size()];
    for (unsigned i = 0, count = 1 + random() % 4; i < count; ++i) {
      size_t at = random() % (source.size() + 1);
      switch (random() % 4) {
      case 0:
        source.insert(at, pieces[random() % std::size(pieces)]);
        break;
      case 1:
        source.erase(at, 1 + random() % 4);
        break;
      case 2:
        if (at < source.size())
          source[at] = char(random());
        break;
      default: {
        const std::string &other = seeds[random() % seeds.size()];
        size_t from = random() % (other.size() + 1);
        source.insert(at, other.substr(from, random() % 30));
      }
      }
    }
    auto compiled = ChatTemplate::compile(source);
    if (!compiled) {
      EXPECT_FALSE(compiled.status().message().empty());
      continue;
    }
    auto text = (*compiled)->render(messages, options);
    rendered += text.isOk();
    if (!text) {
      EXPECT_NE(text.status().code(), StatusCode::Internal);
    }
  }
  EXPECT_GT(rendered, 100);
}
