//===- ReplaceSectionTest.cpp - A file with another text section -----------------------------===//
#include "Format/ReplaceSection.h"
#include "FileBytes.h"
#include "TinyModel.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace qrt;
using namespace qrt::test;

namespace {

class ReplaceSection : public testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / ("qrt-replace-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    to = folder / "out.qmod";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  TinyModel tiny{{}};
  std::filesystem::path folder;
  std::string to;
};

} // namespace

TEST_F(ReplaceSection, AddsReplacesAndTakesAway) {
  ASSERT_TRUE(replaceSection(tiny.path, to, SectionKind::Markers, "one"));
  auto model = Model::load(to, {.verifyChecksums = true});
  ASSERT_TRUE(model) << model.status().message();
  EXPECT_EQ((*model)->section(SectionKind::Markers), "one");
  // In place, while the file is mapped; what was mapped stays as it was.
  ASSERT_TRUE(replaceSection(to, to, SectionKind::Markers, "another one"));
  EXPECT_EQ((*model)->section(SectionKind::Markers), "one");
  auto second = Model::load(to, {.verifyChecksums = true});
  ASSERT_TRUE(second) << second.status().message();
  EXPECT_EQ((*second)->section(SectionKind::Markers), "another one");
  auto before = Model::load(tiny.path);
  ASSERT_EQ((*second)->program().tensors.size(), (*before)->program().tensors.size());
  EXPECT_EQ((*second)->section(SectionKind::Weights), (*before)->section(SectionKind::Weights));
  ASSERT_TRUE(replaceSection(to, to, SectionKind::Markers, ""));
  EXPECT_EQ(readBytes(to), readBytes(tiny.path)); // as it was before
}

TEST_F(ReplaceSection, RefusesWhatItShould) {
  for (SectionKind kind : {SectionKind::Weights, SectionKind::Program})
    EXPECT_EQ(replaceSection(tiny.path, to, kind, "x").code(), StatusCode::InvalidArgument);
  EXPECT_EQ(replaceSection(folder / "none", to, SectionKind::Markers, "x").code(),
            StatusCode::CannotRead);
  EXPECT_EQ(replaceSection(tiny.path, folder / "no" / "x", SectionKind::Markers, "x").code(),
            StatusCode::CannotWrite);
  Bytes bytes = readBytes(tiny.path);
  bytes[size_t(sectionOf(bytes, SectionKind::Weights)->offset)] ^= 1;
  const std::string damaged = folder / "damaged.qmod";
  std::ofstream(damaged, std::ios::binary)
      .write(reinterpret_cast<const char *>(bytes.data()), std::streamsize(bytes.size()));
  Status status = replaceSection(damaged, to, SectionKind::Markers, "x");
  EXPECT_EQ(status.code(), StatusCode::InvalidModel);
  EXPECT_NE(status.message().find("R9 section-checksum"), std::string::npos) << status.message();
  EXPECT_FALSE(std::filesystem::exists(to));
}
