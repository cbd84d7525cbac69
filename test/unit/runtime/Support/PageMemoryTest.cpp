//===- PageMemoryTest.cpp - Memory and files where huge pages can start ----------------------===//
#include "Support/PageMemory.h"
#include "Support/AtomicFile.h"
#include "Support/MappedFile.h"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace qrt;
namespace fs = std::filesystem;

static bool startsHugePage(const void *p) {
  return reinterpret_cast<uintptr_t>(p) % hugePageBytes == 0;
}

TEST(PageMemory, IsZeroWritableAndMoves) {
  for (size_t bytes : {size_t(1), size_t(5000), hugePageBytes, 3 * hugePageBytes + 17}) {
    PageMemory memory(bytes);
    ASSERT_NE(memory.data(), nullptr);
    EXPECT_EQ(memory.size(), bytes);
    EXPECT_TRUE(bytes < hugePageBytes || startsHugePage(memory.data()));
    EXPECT_TRUE(std::all_of(memory.data(), memory.data() + bytes, [](char c) { return c == 0; }));
    memory.data()[bytes - 1] = 7;
    char *base = memory.data();
    PageMemory moved = std::move(memory);
    EXPECT_EQ(moved.data(), base);
    EXPECT_EQ(moved.data()[bytes - 1], 7);
    EXPECT_EQ(memory.data(), nullptr);
  }
}

TEST(PageMemory, IsEmptyWhereTheSystemRefuses) {
  EXPECT_EQ(PageMemory().data(), nullptr);
  EXPECT_EQ(PageMemory(0).data(), nullptr);
  PageMemory refused(size_t(1) << 60);
  EXPECT_EQ(refused.data(), nullptr);
  EXPECT_EQ(refused.size(), 0u);
}

TEST(PageMemory, LargeFilesStartAtAHugePage) {
  const std::string path =
      (fs::temp_directory_path() / ("qrt-pages-" + std::to_string(getpid()))).string();
  std::string content(2 * hugePageBytes + 4097, '\0');
  for (size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<char>(i * 2654435761u >> 24);
  auto file = AtomicFile::create(path);
  ASSERT_TRUE(file) << file.status().message();
  ASSERT_TRUE(file->write(content.data(), content.size()));
  ASSERT_TRUE(file->commit());
  for (int i = 0; i < 3; ++i) { // the address space around a mapping is given back
    auto mapped = MappedFile::open(path);
    ASSERT_TRUE(mapped) << mapped.status().message();
    EXPECT_TRUE(startsHugePage(mapped->data()));
    EXPECT_TRUE(mapped->text() == content);
  }
  fs::remove(path);
}
