//===- ThinkStateTest.cpp - Tags as tokens and as text ----------------------------------------===//
#include "Reasoning/ThinkState.h"
#include "FakeTokenizer.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;
using Event = ThinkState::Event;

TEST(ThinkTags, FoundByTokenThenByTemplate) {
  FakeTokenizer mistral({"?", "[THINK]", "[/THINK]"});
  auto tags = findThinkTags(&mistral, "");
  ASSERT_TRUE(tags);
  EXPECT_EQ(tags->open, "[THINK]");
  EXPECT_EQ(tags->closeId, 2);
  FakeTokenizer letters({"?", "<", "/", "t", ">"});
  EXPECT_FALSE(findThinkTags(&letters, "{{ messages }}"));
  tags = findThinkTags(&letters, "{{ '<think>' }} ... </think>");
  ASSERT_TRUE(tags);
  EXPECT_EQ(tags->close, "</think>");
  EXPECT_FALSE(tags->closeId);
  EXPECT_FALSE(findThinkTags(nullptr, "<think></think>"));
}

TEST(ThinkState, ByTokenNotByText) {
  auto tags = std::make_shared<const ThinkTags>(ThinkTags{"<think>", "</think>", 1, 2});
  ThinkState state(tags);
  EXPECT_EQ(state.push(9, "</think>"), Event::None); // letters only
  EXPECT_EQ(state.push(1, "<think>"), Event::Opened);
  EXPECT_EQ(state.push(9, "</think>"), Event::None);
  EXPECT_TRUE(state.thinking());
  EXPECT_EQ(state.tokensInBlock(), 1);
  EXPECT_EQ(state.push(2, "</think>"), Event::Closed);
  EXPECT_EQ(state.push(2, "</think>"), Event::None);
  EXPECT_EQ(state.push(1, "<think>"), Event::Opened); // armed again
  EXPECT_EQ(state.tokensInBlock(), 0);
  EXPECT_EQ(state.opened(), 2);
  EXPECT_EQ(state.closed(), 1);
}

TEST(ThinkState, ByTextOverTokenBorders) {
  auto tags = std::make_shared<const ThinkTags>(ThinkTags{"<think>", "</think>", {}, {}});
  ThinkState state(tags);
  EXPECT_EQ(state.push(0, "hi <th"), Event::None);
  EXPECT_EQ(state.push(0, "ink>\nso"), Event::Opened);
  EXPECT_EQ(state.push(0, "</"), Event::None);
  ThinkState copy = state;
  EXPECT_EQ(copy.push(0, "b>"), Event::None);
  EXPECT_TRUE(copy.thinking());
  EXPECT_EQ(state.push(0, "think"), Event::None);
  EXPECT_EQ(state.push(0, ">."), Event::Closed);
}
