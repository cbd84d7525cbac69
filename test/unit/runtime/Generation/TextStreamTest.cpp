//===- TextStreamTest.cpp - Text comes out when it is certain ---------------------------------===//
#include "Generation/TextStream.h"
#include "FakeTokenizer.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;
using Event = ThinkState::Event;

namespace {

struct Stream {
  std::shared_ptr<FakeTokenizer> tokenizer;
  TextStream stream;
  std::string out[2];

  Stream(std::vector<std::string> entries, std::vector<std::string> stops,
         const ThinkTags *tags = nullptr, bool thinking = false)
      : tokenizer(std::make_shared<FakeTokenizer>(std::move(entries), std::set<int32_t>{1})),
        stream(tokenizer, tags, std::move(stops), thinking) {}
  std::optional<std::string> push(int32_t token, Event event = Event::None) {
    auto stop = stream.push(token, event);
    emit();
    return stop;
  }
  void emit() {
    stream.emit([&](std::string_view text, bool reasoning) { out[reasoning] += text; });
  }
};

} // namespace

TEST(Utf8, WhatIsIncompleteWaitsAndWhatIsWrongIsReplaced) {
  auto whole = [](std::initializer_list<std::string> pieces) {
    std::string pending, out;
    for (const std::string &piece : pieces)
      appendUtf8(piece, pending, out);
    return out + "|" + pending;
  };
  EXPECT_EQ(whole({"\xE5", "\xA5", "\xBD"}), "\u597D|");
  EXPECT_EQ(whole({"a\xE5\xA5"}), "a|\xE5\xA5");
  EXPECT_EQ(whole({"\xE5", "a"}), "\uFFFDa|");
  EXPECT_EQ(whole({"\x80\xFF"}), "\uFFFD\uFFFD|");
  EXPECT_EQ(whole({"\xED\xA0\x80"}), "\uFFFD\uFFFD\uFFFD|"); // a surrogate
  EXPECT_EQ(whole({"\xF0\x9F\x98", "\x80"}), "\U0001F600|");
}

TEST(TextStream, StopStringsAcrossTokens) {
  Stream run({"?", "<eos>", "ab", "cd", "ce", "x"}, {"bcd"});
  run.push(2);
  EXPECT_EQ(run.out[0], "a"); // "b" may begin a stop string
  run.push(4);
  EXPECT_EQ(run.out[0], "abce");
  run.push(2);
  EXPECT_EQ(run.push(3), "bcd");
  run.stream.finish();
  run.emit();
  EXPECT_EQ(run.out[0], "abcea");
  EXPECT_EQ(run.stream.text(), "abcea");
}

TEST(TextStream, SpecialTokensHaveNoText) {
  Stream run({"?", "<eos>", "ab"}, {});
  run.push(2);
  run.push(1);
  EXPECT_EQ(run.stream.text(), "ab");
}

TEST(TextStream, TagsByToken) {
  ThinkTags tags{"<think>", "</think>", 3, 4};
  Stream run({"?", "<eos>", "ab", "<think>", "</think>", "cd"}, {}, &tags, true);
  run.push(2);
  run.push(4, Event::Closed);
  run.push(5);
  EXPECT_EQ(run.out[1], "ab");
  EXPECT_EQ(run.out[0], "cd");
  EXPECT_EQ(run.stream.text(), "ab</think>cd");
  EXPECT_EQ(run.stream.rollback(1), 2u);
  EXPECT_EQ(run.stream.content(), "");
  run.push(2);
  EXPECT_EQ(run.stream.reasoning(), "abab");
}

TEST(TextStream, TagsByTextAreHeldBackAndRemoved) {
  ThinkTags tags{"<think>", "</think>", {}, {}};
  Stream run({"?", "<eos>", "ab</", "think>cd", "b>"}, {}, &tags, true);
  run.push(2);
  EXPECT_EQ(run.out[1], "ab");
  run.push(3, Event::Closed);
  EXPECT_EQ(run.out[1], "ab");
  EXPECT_EQ(run.out[0], "cd");
  Stream other({"?", "<eos>", "ab</", "think>cd", "b>"}, {}, &tags, true);
  other.push(2);
  other.push(4);
  EXPECT_EQ(other.out[1], "ab</b>");
}

TEST(TextStream, AnIncompleteCharacterAtTheEndIsReplaced) {
  Stream run({"?", "<eos>", "a\xE5"}, {});
  run.push(2);
  EXPECT_EQ(run.out[0], "a");
  run.stream.finish();
  run.emit();
  EXPECT_EQ(run.out[0], "a\uFFFD");
}
