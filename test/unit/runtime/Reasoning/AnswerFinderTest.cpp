//===- AnswerFinderTest.cpp - Answers that a text has already reached -------------------------===//
#include "Reasoning/AnswerFinder.h"

#include <gtest/gtest.h>

using namespace qrt;

TEST(AnswerFinder, BoxedWithNestedBraces) {
  EXPECT_EQ(lastBoxed("so \\boxed{1} or \\boxed{\\frac{1}{2}}."), "\\frac{1}{2}");
  EXPECT_EQ(lastBoxed("\\boxed{\\{1, 2\\}}"), "\\{1, 2\\}");
  EXPECT_EQ(lastBoxed("\\boxed{3"), std::nullopt);
  EXPECT_EQ(lastBoxed("nothing"), std::nullopt);
}

TEST(AnswerFinder, CandidatesPerStep) {
  auto answers = findAnswers("3 + 4 = 7.\n\nSo the answer is 7.\n\nWait, 8,000 - 1.5");
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_EQ(answers[0].text, "7");
  EXPECT_EQ(answers[0].kind, AnswerCandidate::Kind::Number);
  EXPECT_EQ(answers[3].text, "1.5");
  EXPECT_EQ(findAnswers("it is -12").at(0).text, "-12");
  EXPECT_EQ(findAnswers("9-12").at(0).text, "12");
  EXPECT_EQ(findAnswers("The answer is 2.5. Next").at(0).text, "2.5");
}

TEST(AnswerFinder, CommitPrefersBoxedThenPhrases) {
  EXPECT_EQ(committedAnswer("\\boxed{5}\n\nthe answer is 6\n\n7"), "5");
  EXPECT_EQ(committedAnswer("the answer is 6\n\n7"), "6");
  EXPECT_EQ(committedAnswer("1\n\n7 apples"), "7");
  EXPECT_EQ(committedAnswer("no idea"), std::nullopt);
}

TEST(AnswerFinder, Steps) {
  auto steps = splitSteps("a\nb\n\n\n\nc\n\n \n\n");
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0], "a\nb");
  EXPECT_EQ(steps[1], "c");
}
