//===- StatusTest.cpp - Status, Result and the macros ----------------------------------------===//
#include "qrt/Status.h"
#include "qrt/DType.h"

#include <gtest/gtest.h>
#include <memory>

using namespace qrt;

static Result<int> half(int value) {
  if (value % 2)
    return invalidArgument("odd: " + std::to_string(value));
  return value / 2;
}

static Result<std::string> quarterText(int value) {
  QRT_ASSIGN_OR_RETURN(int once, half(value));
  QRT_ASSIGN_OR_RETURN(int twice, half(once));
  return std::to_string(twice);
}

static Status onlyEven(int value) {
  QRT_RETURN_IF_ERROR(half(value).status());
  return Status::ok();
}

TEST(Status, CodesAreTheExitCodes) {
  EXPECT_EQ(Status::ok().exitCode(), 0);
  EXPECT_EQ(invalidModel("x").exitCode(), 4);
  EXPECT_EQ(resourceExhausted("x").exitCode(), 7);
  EXPECT_EQ(cannotWrite("x").exitCode(), 10);
  EXPECT_EQ(Status::error(StatusCode::Interrupted, "x").exitCode(), 130);
  EXPECT_STREQ(statusCodeName(StatusCode::InvalidModel), "invalid model");
}

TEST(Status, MacrosPassErrorsUp) {
  EXPECT_EQ(*quarterText(12), "3");
  EXPECT_EQ(quarterText(6).status().message(), "odd: 3");
  EXPECT_FALSE(onlyEven(3));
  EXPECT_TRUE(onlyEven(4));
  EXPECT_EQ(onlyEven(3).withContext("file").message(), "file: odd: 3");
}

TEST(Status, ResultHoldsMoveOnlyValues) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  ASSERT_TRUE(result);
  EXPECT_EQ(**result, 7);
  EXPECT_EQ(*result.takeValue(), 7);
}

TEST(DType, NamesAndWidthsRoundTrip) {
  for (uint8_t i = 0; i < numDTypes; ++i) {
    DType type = static_cast<DType>(i);
    EXPECT_EQ(dtypeFromName(name(type)), type);
    EXPECT_GE(bitWidth(type), 2);
  }
  EXPECT_EQ(bitWidth(DType::U4), 4);
  EXPECT_EQ(byteWidth(DType::U4), 1);
  EXPECT_EQ(byteWidth(DType::F64), 8);
  EXPECT_FALSE(dtypeFromName("f8"));
}
