//===- LandingTest.cpp - Never in the middle of a word ----------------------------------------===//
#include "Reasoning/Landing.h"

#include <gtest/gtest.h>

using qrt::landsHere;

TEST(Landing, WithinTheGraceOnlyBehindSentences) {
  EXPECT_TRUE(landsHere("it is 7.", " Then", 0, 64));
  EXPECT_TRUE(landsHere("it is 7.", "\n\n", 0, 64));
  EXPECT_TRUE(landsHere("(it is 7.)", " Then", 0, 64));
  EXPECT_TRUE(landsHere("done\n", "Then", 0, 64));
  EXPECT_FALSE(landsHere("it is 7", " and", 0, 64));
  EXPECT_FALSE(landsHere("it is 7.", "5", 0, 64)); // 7.5
  EXPECT_TRUE(landsHere("\u597D\u3002", "\u597D", 0, 64));
}

TEST(Landing, BehindTheGraceBetweenWords) {
  EXPECT_FALSE(landsHere("it is seven", "teen", 64, 64));
  EXPECT_TRUE(landsHere("it is seven", " and", 64, 64));
  EXPECT_TRUE(landsHere("it is ", "seven", 64, 64));
  EXPECT_FALSE(landsHere("it is", " seven", 63, 64));
}

TEST(Landing, AtLastAnywhereBetweenCharacters) {
  EXPECT_TRUE(landsHere("seven", "teen", 96, 64));
  EXPECT_FALSE(landsHere("a\xE5\xA5", "\xBD", 500, 64)); // a third of an ideograph
  EXPECT_TRUE(landsHere("a\xE5\xA5\xBD", "\xE5\xA5\xBD", 96, 64));
}
