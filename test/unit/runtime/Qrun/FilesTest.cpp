//===- FilesTest.cpp - Files of ids and arrays -----------------------------------------------===//
#include "IdsFile.h"
#include "NpyWriter.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <unistd.h>

using namespace qrt;

namespace {

class FilesTest : public testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / ("qrun-files-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string &text) {
    std::string path = folder / "ids.json";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  void expectIdsError(const std::string &text, const std::string &words) {
    auto ids = readIdsFile(write(text), 10);
    ASSERT_FALSE(ids.isOk()) << text;
    EXPECT_EQ(ids.status().code(), StatusCode::InvalidArgument);
    EXPECT_NE(ids.status().message().find(words), std::string::npos) << ids.status().message();
  }
  std::string bytes(const std::string &name) {
    std::ifstream in(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  size_t filesInFolder() {
    return size_t(std::distance(std::filesystem::directory_iterator(folder), {}));
  }

  std::filesystem::path folder;
};

} // namespace

TEST_F(FilesTest, ReadsListsOfIds) {
  auto ids = readIdsFile(write("[[1, 2, 9], [0]]"), 10);
  ASSERT_TRUE(ids.isOk());
  EXPECT_EQ(*ids, (std::vector<std::vector<int32_t>>{{1, 2, 9}, {0}}));
}

TEST_F(FilesTest, NamesListAndElementOfBadIds) {
  expectIdsError("[]", "lists of token ids");
  expectIdsError("{}", "lists of token ids");
  expectIdsError("[1, 2]", "list 0: expects a list");
  expectIdsError("[[1], []]", "list 1: is empty");
  expectIdsError("[[1], [2, 10]]",
                 "list 1, element 1: token id 10 is outside the vocabulary of 10");
  expectIdsError("[[-1]]", "token id -1");
  expectIdsError("[[18446744073709551615]]", "18446744073709551615");
  expectIdsError("[[1.5]]", "expects an integer, got 1.5");
  expectIdsError("[[\"1\"]]", "expects an integer");
  expectIdsError("[[1, 2", "line 1");
  EXPECT_EQ(readIdsFile(folder / "none", 10).status().code(), StatusCode::CannotRead);
}

TEST_F(FilesTest, WritesNpyInAnyOrder) {
  const int64_t shape[] = {2, 3};
  auto writer = NpyWriter::create(folder / "a.npy", shape);
  ASSERT_TRUE(writer.isOk());
  const float second[] = {4, 5, 6}, first[] = {1, 2, 3};
  ASSERT_TRUE(writer->writeAt(3, second).isOk());
  ASSERT_TRUE(writer->writeAt(0, first).isOk());
  EXPECT_FALSE(std::filesystem::exists(folder / "a.npy"));
  ASSERT_TRUE(writer->commit().isOk());

  std::string file = bytes("a.npy");
  const size_t header = 10 + uint8_t(file[8]) + 256 * uint8_t(file[9]);
  EXPECT_EQ(file.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(header % 64, 0u);
  EXPECT_EQ(file[header - 1], '\n');
  EXPECT_NE(file.find("'descr': '<f4', 'fortran_order': False, 'shape': (2,3,)"),
            std::string::npos);
  ASSERT_EQ(file.size(), header + 24);
  float values[6];
  std::memcpy(values, file.data() + header, sizeof values);
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(values[i], float(i + 1));
}

TEST_F(FilesTest, LeavesNothingOfAnUnfinishedArray) {
  {
    const int64_t shape[] = {1000};
    auto writer = NpyWriter::create(folder / "a.npy", shape);
    ASSERT_TRUE(writer.isOk());
    EXPECT_EQ(filesInFolder(), 1u);
  }
  EXPECT_EQ(filesInFolder(), 0u);
  const int64_t huge[] = {int64_t(1) << 40, int64_t(1) << 40};
  EXPECT_EQ(NpyWriter::create(folder / "b.npy", huge).status().code(), StatusCode::InvalidArgument);
  const int64_t small[] = {1};
  EXPECT_EQ(NpyWriter::create(folder / "no/such/b.npy", small).status().code(),
            StatusCode::CannotWrite);
  EXPECT_EQ(filesInFolder(), 0u);
}
