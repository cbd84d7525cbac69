//===- TokenRowsTest.cpp - Token ids and masks from files -------------------------------------===//
#include "Eval/TokenRows.h"
#include "Support/Npy.h"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace qrt;

namespace {

class Files : public testing::Test {
protected:
  std::string write(const std::string &name, const std::string &bytes) {
    std::string path = testing::TempDir() + "qrt_rows_" + std::to_string(getpid()) + "_" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    paths.push_back(path);
    return path;
  }
  template <class T>
  std::string npy(const std::string &name, const char *type, const std::string &shape,
                  const std::vector<T> &values) {
    std::string header =
        std::string("{'descr': '") + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
    header.resize(117, ' ');
    header += '\n';
    std::string bytes = "\x93NUMPY";
    bytes += '\1';
    bytes += '\0';
    bytes += char(header.size());
    bytes += '\0';
    bytes += header;
    bytes.append(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
    return write(name, bytes);
  }
  void TearDown() override {
    for (const std::string &path : paths)
      std::remove(path.c_str());
  }
  std::vector<std::string> paths;
};

} // namespace

TEST_F(Files, NpyWithMask) {
  auto ids = npy<int32_t>("ids.npy", "<i4", "(2, 3)", {1, 2, 3, 4, 5, 6});
  auto mask = npy<uint8_t>("mask.npy", "|b1", "(2, 3)", {0, 1, 0, 0, 0, 1});
  auto rows = readTokenRows(ids, mask, 10);
  ASSERT_TRUE(rows) << rows.status().message();
  EXPECT_EQ((*rows)[1].ids, (std::vector<int32_t>{4, 5, 6}));
  EXPECT_EQ((*rows)[0].scored, (std::vector<bool>{false, true, false}));
  EXPECT_NE(readTokenRows(ids, mask, 6).status().message().find("sequence 1, token 2"),
            std::string::npos);
  auto other = npy<uint8_t>("other.npy", "|b1", "(3, 2)", {0, 1, 0, 0, 0, 1});
  EXPECT_NE(readTokenRows(ids, other, 10).status().message().find("the mask is [3, 2]"),
            std::string::npos);
  auto none = npy<uint8_t>("none.npy", "|b1", "(2, 3)", {1, 0, 0, 1, 0, 0});
  EXPECT_FALSE(readTokenRows(ids, none, 10)); // only first tokens
}

TEST_F(Files, Json) {
  auto rows = readTokenRows(write("a.json", "[[1, 2], [3, 4, 5]]"), "", 10);
  ASSERT_TRUE(rows) << rows.status().message();
  EXPECT_EQ((*rows)[1].ids.size(), 3u);
  for (const char *bad : {"[[1]]", "[]", "{}", "[1, 2]", "[[1, -2]]", "[[1, 2.5]]", "[[1, 99]]"})
    EXPECT_FALSE(readTokenRows(write("b.json", bad), "", 10)) << bad;
}

TEST_F(Files, HostileNpy) {
  EXPECT_FALSE(readNpyIntegers(write("c.npy", "no")));
  EXPECT_FALSE(readNpyIntegers(npy<int32_t>("d.npy", "<i4", "(1000000000, 1000000000)", {1})));
  EXPECT_FALSE(readNpyIntegers(npy<int32_t>("e.npy", "<i4", "(2, 2, 1)", {1, 2, 3, 4})));
  EXPECT_FALSE(readNpyIntegers(npy<float>("f.npy", "<f4", "(2,)", {1, 2})));
  EXPECT_FALSE(readNpyIntegers(npy<int64_t>("g.npy", "<i8", "(1,)", {int64_t(1) << 40})));
  EXPECT_TRUE(readNpyIntegers(npy<int64_t>("h.npy", "<i8", "(1,)", {7})));
  // Every truncation of a good file is an error, none a crash.
  auto good = npy<int32_t>("i.npy", "<i4", "(2, 3)", {1, 2, 3, 4, 5, 6});
  std::ifstream in(good, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(readNpyIntegers(write("j.npy", bytes.substr(0, length)))) << length;
}
