//===- CalibrationDataTest.cpp - Token ids from files of every kind --------------------------===//
#include "qopt/Calibration/CalibrationData.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <unistd.h>

using namespace qopt::calibration;
using qrt::StatusCode;

namespace {

struct File {
  std::string path;
  File(const std::string &extension, const std::string &bytes)
      : path(testing::TempDir() + "calib-" + std::to_string(getpid()) + "-" +
             std::to_string(counter++) + extension) {
    FILE *file = std::fopen(path.c_str(), "w");
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
  }
  ~File() { std::remove(path.c_str()); }
  static inline int counter = 0;
};

template <typename T>
std::string npy(const std::string &type, const std::string &shape, std::vector<T> values,
                const std::string &order = "False") {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  header.resize(118, ' ');
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  bytes += header;
  bytes.append(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
  return bytes;
}

qrt::Result<TokenTable> read(const File &file, CalibrationOptions options = {}) {
  options.file = file.path;
  if (options.vocabulary == 0)
    options.vocabulary = 100;
  TextEncoder encoder;
  encoder.encodeText = [](std::string_view text) -> qrt::Result<std::vector<int32_t>> {
    return std::vector<int32_t>(text.size(), 7);
  };
  return readCalibration(options, encoder);
}

std::vector<int64_t> lengths(const TokenTable &table) {
  std::vector<int64_t> result;
  for (const auto &sequence : table.sequences)
    result.push_back(sequence.tokens);
  return result;
}

void expectBad(const qrt::Result<TokenTable> &result, const std::string &part) {
  ASSERT_FALSE(result.isOk());
  EXPECT_EQ(result.status().code(), StatusCode::BadCalibration) << result.status().message();
  EXPECT_NE(result.status().message().find(part), std::string::npos) << result.status().message();
}

} // namespace

TEST(CalibrationData, ReadsIdArrays) {
  std::vector<int32_t> ids = {1, 2, 3, 4, 5, 6};
  auto table = read(File(".npy", npy("<i4", "(2, 3)", ids)));
  ASSERT_TRUE(table.isOk()) << table.status().message();
  EXPECT_EQ(table->ids, ids);
  EXPECT_EQ(lengths(*table), (std::vector<int64_t>{3, 3}));
  auto flat = read(File(".npy", npy<int64_t>("<i8", "(4,)", {9, 8, 7, 6})));
  ASSERT_TRUE(flat.isOk());
  EXPECT_EQ(flat->ids, (std::vector<int32_t>{9, 8, 7, 6}));
}

TEST(CalibrationData, ReadsJsonAndText) {
  auto json = read(File(".json", "[[1,2],[3]]"));
  ASSERT_TRUE(json.isOk()) << json.status().message();
  EXPECT_EQ(lengths(*json), (std::vector<int64_t>{2, 1}));
  auto named = read(File(".json", R"({"input_ids": [[5]]})"));
  ASSERT_TRUE(named.isOk());
  EXPECT_EQ(named->ids, std::vector<int32_t>{5});
  auto lines = read(File(".jsonl", "[1]\n\n{\"ids\": [2, 3]}\r\n{\"text\": \"abcd\"}\n"));
  ASSERT_TRUE(lines.isOk()) << lines.status().message();
  EXPECT_EQ(lengths(*lines), (std::vector<int64_t>{1, 2, 4}));
  auto text = read(File(".txt", "hello"));
  ASSERT_TRUE(text.isOk());
  EXPECT_EQ(text->tokens(), 5);
}

TEST(CalibrationData, CutsLongSamplesInTurnsAndDropsShortRests) {
  CalibrationOptions options;
  options.length = 16;
  File file(".jsonl", "{\"text\": \"" + std::string(49, 'x') + "\"}\n{\"text\": \"" +
                          std::string(20, 'x') + "\"}\n[1]\n");
  auto table = read(file, options);
  ASSERT_TRUE(table.isOk());
  EXPECT_EQ(lengths(*table), (std::vector<int64_t>{16, 16, 1, 16, 4, 16})); // the rest of 1 is gone
  options.samples = 4;
  table = read(file, options);
  ASSERT_TRUE(table.isOk());
  EXPECT_EQ(lengths(*table), (std::vector<int64_t>{16, 16, 1, 16}));
}

TEST(CalibrationData, SeedsShuffleAndRepeat) {
  std::vector<int32_t> ids(64);
  for (int i = 0; i < 64; ++i)
    ids[i] = i;
  File file(".npy", npy("<i4", "(64, 1)", ids));
  CalibrationOptions options;
  options.samples = 8;
  auto first = read(file, options);
  options.seed = 3;
  auto shuffled = read(file, options), again = read(file, options);
  ASSERT_TRUE(first.isOk() && shuffled.isOk() && again.isOk());
  EXPECT_EQ(first->ids, (std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_NE(shuffled->ids, first->ids);
  EXPECT_EQ(shuffled->ids, again->ids);
}

TEST(CalibrationData, MasksAreWeights) {
  File ids(".npy", npy<int32_t>("<i4", "(2, 2)", {1, 2, 3, 4}));
  File mask(".npy", npy<uint8_t>("|u1", "(2, 2)", {0, 1, 1, 0}));
  CalibrationOptions options;
  options.maskFile = mask.path;
  auto table = read(ids, options);
  ASSERT_TRUE(table.isOk()) << table.status().message();
  EXPECT_EQ(table->weights, (std::vector<float>{0, 1, 1, 0}));
  File other(".npy", npy<uint8_t>("|u1", "(4,)", {0, 1, 1, 0}));
  options.maskFile = other.path;
  expectBad(read(ids, options), "shape");
  File zero(".npy", npy<uint8_t>("|u1", "(2, 2)", {0, 0, 0, 0}));
  options.maskFile = zero.path;
  expectBad(read(ids, options), "all weights are 0");
}

TEST(CalibrationData, SaysWhatIsWrong) {
  expectBad(read(File(".npy", npy<int32_t>("<i4", "(1, 2)", {1, 100}))), "row 0, column 1");
  expectBad(read(File(".npy", npy<int32_t>("<i4", "(1, 2)", {1, -1}))), "token id -1");
  expectBad(read(File(".npy", npy<float>("<f4", "(1, 2)", {1, 2}))), "'<f4'");
  expectBad(read(File(".npy", npy<int32_t>("<i4", "(1, 3)", {1, 2}))), "bytes");
  expectBad(read(File(".npy", npy<int32_t>(">i4", "(1, 2)", {1, 2}))), "'>i4'");
  expectBad(read(File(".npy", npy<int32_t>("<i4", "(1, 2)", {1, 2}, "True"))), "Fortran");
  expectBad(read(File(".npy", npy<int32_t>("<i4", "(0, 2)", {}))), "no tokens");
  expectBad(read(File(".npy", "NUMPY")), "no .npy file");
  expectBad(read(File(".jsonl", "[1]\n{\"messages\": []}\n")), "line 2");
  expectBad(read(File(".jsonl", "[1]\n[\"a\"]\n")), "line 2");
  expectBad(read(File(".jsonl", "{")), "line 1");
  expectBad(read(File(".jsonl", "")), "no tokens");
  expectBad(read(File(".json", "{\"x\": 1}")), "list of lists");
  expectBad(read(File(".bin", "x")), ".npy, .json, .jsonl or .txt");
  CalibrationOptions missing;
  missing.file = "/nonexistent/calib.npy";
  EXPECT_EQ(readCalibration(missing, {}).status().code(), StatusCode::CannotRead);
}

TEST(CalibrationData, TruncatedArraysNeverCrash) {
  std::string whole = npy<int32_t>("<i4", "(2, 3)", {1, 2, 3, 4, 5, 6});
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read(File(".npy", whole.substr(0, size))).isOk()) << size;
}
