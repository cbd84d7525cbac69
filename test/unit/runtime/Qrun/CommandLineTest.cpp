//===- CommandLineTest.cpp - Flags of qrun ---------------------------------------------------===//
#include "Command.h"

#include <gtest/gtest.h>
#include <vector>

using namespace qrt;

static Result<Action> parse(std::vector<const char *> arguments) {
  arguments.insert(arguments.begin(), "qrun");
  return parseCommandLine(int(arguments.size()), arguments.data());
}

static void expectUsageError(std::vector<const char *> arguments, const std::string &words) {
  auto action = parse(std::move(arguments));
  ASSERT_FALSE(action.isOk()) << words;
  EXPECT_EQ(action.status().code(), StatusCode::InvalidArgument);
  EXPECT_NE(action.status().message().find(words), std::string::npos) << action.status().message();
}

TEST(CommandLine, NamesWhatIsWrong) {
  expectUsageError({}, "subcommand");
  expectUsageError({"verify"}, "MODEL is required; see qrun verify --help");
  expectUsageError({"verify", "m.qmod", "--loud"}, "--loud");
  expectUsageError({"inspect", "m.qmod", "n.qmod"}, "n.qmod");
  expectUsageError({"logits", "m.qmod", "--ids", "i.json"}, "--output is required");
  expectUsageError({"logits", "m.qmod", "--ids", "i.json", "-o", "o.npy", "-t", "-1"}, "--threads");
  expectUsageError({"logits", "m.qmod", "--ids", "i.json", "-o", "o.npy", "--chunk", "0"},
                   "--chunk");
  expectUsageError({"logits", "m.qmod", "--ids", "i.json", "-o", "o.npy", "--kv-type", "q9"},
                   "--kv-type");
}

TEST(CommandLine, ReadsUnderscoresInFlagsAsDashes) {
  EXPECT_TRUE(parse({"logits", "m.qmod", "--ids", "i.json", "-o", "o.npy", "--kv_type=f16",
                     "--max_memory", "1GiB"})
                  .isOk());
}

TEST(CommandLine, RunsTheChosenCommand) {
  auto action = parse({"verify", "/no/such/file.qmod"});
  ASSERT_TRUE(action.isOk());
  EXPECT_EQ((*action)().code(), StatusCode::CannotRead);
}
