//===- ProcessorsTest.cpp - CPU quotas of control groups --------------------------------------===//
#include "Support/Processors.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace qrt;
namespace fs = std::filesystem;

namespace {

class Processors : public ::testing::Test {
protected:
  void SetUp() override {
    root = fs::temp_directory_path() / ("qrt-processors-" + std::to_string(getpid()));
    fs::create_directories(root / "outer/inner");
    fs::create_directories(root / "cpu/box");
  }
  void TearDown() override { fs::remove_all(root); }
  void write(const std::string &name, const std::string &text) {
    std::ofstream(root / name) << text;
  }
  std::optional<double> quota(const std::string &membership) {
    write("membership", membership);
    return cpuQuota(root / "membership", root);
  }
  fs::path root;
};

} // namespace

TEST_F(Processors, TheSmallestQuotaOfAllGroupsCounts) {
  EXPECT_FALSE(quota("0::/outer/inner\n"));
  write("outer/inner/cpu.max", "max 100000\n");
  EXPECT_FALSE(quota("0::/outer/inner\n"));
  write("outer/cpu.max", "250000 100000\n");
  EXPECT_EQ(quota("0::/outer/inner\n"), 2.5);
  write("outer/inner/cpu.max", "50000 50000\n");
  EXPECT_EQ(quota("0::/outer/inner\n"), 1.0);
  EXPECT_EQ(quota("0::/outer\n"), 2.5);
  EXPECT_FALSE(quota("0::/\n"));
}

TEST_F(Processors, Version1) {
  write("cpu/box/cpu.cfs_quota_us", "300000\n");
  write("cpu/box/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("7:memory:/box\n5:cpuacct,cpu:/box\n"), 3.0);
  write("cpu/box/cpu.cfs_quota_us", "-1\n");
  EXPECT_FALSE(quota("5:cpuacct,cpu:/box\n"));
}

TEST_F(Processors, NonsenseIsNoQuota) {
  write("outer/cpu.max", "lots");
  for (const char *text : {"", "0::", "rubbish", "0::/outer\n", "0::../../etc\n", ":::\n"})
    EXPECT_FALSE(quota(text)) << text;
  EXPECT_FALSE(cpuQuota(root / "absent", root));
  EXPECT_GE(availableProcessors(), 1);
}
