//===- FilesTest.cpp - Mapping files and replacing them atomically ---------------------------===//
#include "Support/AtomicFile.h"
#include "Support/MappedFile.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace qrt;
namespace fs = std::filesystem;

class Files : public ::testing::Test {
protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / ("qrt-files-" + std::to_string(getpid()));
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(folder); }
  std::string path(const char *name) { return (folder / name).string(); }
  size_t entries() {
    return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
  }
  fs::path folder;
};

TEST_F(Files, CommitReplacesTheTarget) {
  for (const char *text : {"first", "second, longer"}) {
    auto file = AtomicFile::create(path("a"));
    ASSERT_TRUE(file) << file.status().message();
    ASSERT_TRUE(file->write(text, strlen(text)));
    ASSERT_TRUE(file->rewrite(0, "F", 1));
    ASSERT_TRUE(file->padTo(32));
    EXPECT_EQ(file->position(), 32u);
    ASSERT_TRUE(file->commit());
  }
  std::string expected = "Fecond, longer";
  expected.resize(32, '\0');
  EXPECT_EQ(*readFile(path("a")), expected);
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, WithoutCommitNothingIsLeft) {
  {
    auto file = AtomicFile::create(path("a"));
    ASSERT_TRUE(file->write("x", 1));
  }
  EXPECT_EQ(entries(), 0u);
}

TEST_F(Files, ErrorsNameThePath) {
  EXPECT_EQ(AtomicFile::create(path("no/such/file")).status().code(), StatusCode::CannotWrite);
  EXPECT_EQ(AtomicFile::create(folder.string()).status().code(), StatusCode::CannotWrite);
  auto missing = MappedFile::open(path("missing"));
  EXPECT_EQ(missing.status().code(), StatusCode::CannotRead);
  EXPECT_EQ(missing.status().message(), path("missing") + ": No such file or directory");
  EXPECT_EQ(MappedFile::open(folder.string()).status().message(),
            folder.string() + ": is a directory");
}

TEST_F(Files, EmptyAndLimitedFiles) {
  auto file = AtomicFile::create(path("empty"));
  ASSERT_TRUE(file->commit());
  auto mapped = MappedFile::open(path("empty"));
  ASSERT_TRUE(mapped);
  EXPECT_EQ(mapped->size(), 0u);
  auto big = AtomicFile::create(path("big"));
  ASSERT_TRUE(big->padTo(64));
  ASSERT_TRUE(big->write("123", 3));
  ASSERT_TRUE(big->commit());
  EXPECT_EQ(readFile(path("big"), 2).status().code(), StatusCode::InvalidArgument);
  MappedFile moved = MappedFile::open(path("big")).takeValue();
  MappedFile again = std::move(moved);
  EXPECT_EQ(again.text(), "123");
  EXPECT_EQ(moved.size(), 0u);
}
