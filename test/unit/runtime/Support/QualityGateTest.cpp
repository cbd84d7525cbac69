//===- QualityGateTest.cpp - The grammar of --gate -------------------------------------------===//
#include "Support/QualityGate.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;

static constexpr GateMetric metrics[] = {{"kl", true}, {"kl_p999", true}, {"accuracy", false}};

TEST(QualityGate, NamesTheBoundsThatAreNotKept) {
  auto gate = QualityGate::parse("kl<=0.02, accuracy>=0.9 ,kl_p999<=1e-1", metrics);
  ASSERT_TRUE(gate.isOk()) << gate.status().message();
  EXPECT_TRUE(gate->isSet());
  EXPECT_TRUE(gate->hasBound("kl_p999"));
  EXPECT_FALSE(gate->hasBound("top1"));
  EXPECT_EQ(gate->text(), "kl<=0.02,accuracy>=0.9,kl_p999<=1e-1");
  EXPECT_TRUE(gate->check({{"kl", 0.02}, {"accuracy", 0.9}, {"kl_p999", 0.1}}).isOk());
  Status status = gate->check({{"kl", 0.021}, {"accuracy", 0.5}, {"kl_p999", 0}}, " over 9 tokens");
  EXPECT_EQ(status.code(), StatusCode::GateFailed);
  EXPECT_EQ(status.message(), "kl 0.021 > 0.02, accuracy 0.5 < 0.9 over 9 tokens");
}

TEST(QualityGate, WhatWasNotMeasuredKeepsNoBound) {
  auto gate = QualityGate::parse("kl<=1,accuracy>=0", metrics);
  ASSERT_TRUE(gate.isOk());
  EXPECT_EQ(gate->check({{"kl", NAN}}).message(),
            "kl (not measured) > 1, accuracy (not measured) < 0");
}

TEST(QualityGate, RefusesWhatIsNoBound) {
  for (const char *text : {"", "kl", "kl<=", "kl<=x", "kl>=1", "kl<=1,", "kl<=1,kl<=2", "kl<=-1",
                           "kl<=nan", "kl<=inf", "ppl<=3", "kl<=1 2"}) {
    auto gate = QualityGate::parse(text, metrics);
    ASSERT_FALSE(gate.isOk()) << text;
    EXPECT_EQ(gate.status().code(), StatusCode::InvalidArgument);
    EXPECT_NE(gate.status().message().find("known: kl<=, kl_p999<=, accuracy>="),
              std::string::npos);
  }
}
