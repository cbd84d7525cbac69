//===- WeightStoreTest.cpp - Ownership, sizes and contents of weight blobs -------------------===//
#include "qopt/Support/WeightStore.h"
#include "qopt/Support/FloatElements.h"
#include "qopt/Support/SpillPolicy.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <numeric>

using namespace mlir;
using qopt::WeightStore;

namespace {

class WeightStoreTest : public testing::Test {
protected:
  WeightStoreTest() : builder(&context) { context.loadDialect<qopt::qir::QIRDialect>(); }

  RankedTensorType floats(std::initializer_list<int64_t> shape) {
    return RankedTensorType::get(shape, builder.getF32Type());
  }
  template <typename T>
  static ArrayRef<char> bytesOf(const std::vector<T> &values) {
    return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
  }

  MLIRContext context;
  OpBuilder builder;
};

} // namespace

TEST_F(WeightStoreTest, BorrowedBytesAreReadInPlaceAndKeepTheirOwner) {
  auto owner = std::make_shared<std::vector<float>>(100);
  std::iota(owner->begin(), owner->end(), 0.0f);
  std::weak_ptr<std::vector<float>> watch = owner;
  ElementsAttr value = WeightStore::insertBorrowed(floats({10, 10}), "w", bytesOf(*owner), owner);
  const void *address = owner->data();
  owner.reset();
  ASSERT_FALSE(watch.expired());
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(value, scratch);
  ASSERT_TRUE(succeeded(bytes));
  EXPECT_EQ(static_cast<const void *>(bytes->data()), address);
  WeightStore::release(value);
  EXPECT_TRUE(watch.expired());
  EXPECT_TRUE(failed(WeightStore::bytes(value, scratch)));
}

TEST_F(WeightStoreTest, BlobsPastTheLimitAreFilesWithTheSameContents) {
  const qopt::SpillPolicy before = qopt::spillPolicy();
  qopt::SpillPolicy policy;
  policy.heapBytes = 3 << 20;
  policy.residentBytes = 5 << 20;
  policy.directory = testing::TempDir() + "spill";
  qopt::setSpillPolicy(policy);
  EXPECT_EQ(qopt::blobGrowth(4 << 20), 4 << 20); // 3 on the heap, 1 in files
  std::vector<ElementsAttr> values;
  SmallVector<char> scratch;
  for (int i = 0; i < 8; ++i) { // 2 MiB each: the first stays on the heap, the next ones do not
    MutableArrayRef<char> data;
    values.push_back(WeightStore::allocate(floats({512, 1024}), "w" + std::to_string(i), data));
    ASSERT_TRUE(values.back());
    ASSERT_EQ(data.size(), size_t(2) << 20);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(data.data()) % 64, 0u);
    ASSERT_TRUE(llvm::all_of(data, [](char byte) { return byte == 0; }));
    auto *elements = reinterpret_cast<float *>(data.data());
    std::iota(elements, elements + 512 * 1024, float(i));
  }
  EXPECT_EQ(qopt::blobGrowth(0), 5 << 20);       // of 14 in files
  EXPECT_EQ(qopt::blobGrowth(2 << 20), 6 << 20); // 1 on the heap
  int mapped = 0;                                // pages of spilled blobs belong to a deleted file
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    mapped += line.find("qopt-weights-") != std::string::npos;
  EXPECT_GE(mapped, 1); // neighbours of one file system need not be one line
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 8; ++i) {
      FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(values[i], scratch);
      ASSERT_TRUE(succeeded(bytes));
      auto *elements = reinterpret_cast<const float *>(bytes->data());
      for (int at : {0, 1000, 512 * 1024 - 1})
        ASSERT_EQ(elements[at], float(i + at)) << i;
    }
  for (ElementsAttr value : values)
    WeightStore::release(value);
  std::ifstream after("/proc/self/maps");
  for (std::string line; std::getline(after, line);)
    EXPECT_EQ(line.find("qopt-weights-"), std::string::npos);
  // A directory that cannot be made: the heap it is.
  policy.heapBytes = 0;
  policy.directory = "/proc/no/such";
  qopt::setSpillPolicy(policy);
  MutableArrayRef<char> data;
  EXPECT_TRUE(WeightStore::allocate(floats({512, 1024}), "w", data));
  qopt::setSpillPolicy(before);
}

TEST_F(WeightStoreTest, MisalignedBytesAreCopied) {
  auto owner = std::make_shared<std::vector<char>>(401, char(1));
  const char *misaligned = owner->data() + 1;
  ElementsAttr value = WeightStore::insertBorrowed(floats({100}), "w", {misaligned, 400}, owner);
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(value, scratch);
  ASSERT_TRUE(succeeded(bytes));
  EXPECT_NE(bytes->data(), misaligned);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes->data()) % 64, 0u);
}

TEST_F(WeightStoreTest, WrongSizesAreRefused) {
  std::vector<float> values(99);
  EXPECT_FALSE(WeightStore::insertCopy(floats({10, 10}), "w", bytesOf(values)));
  EXPECT_FALSE(WeightStore::insertBorrowed(floats({10, 10}), "w", bytesOf(values), nullptr));
  EXPECT_TRUE(failed(WeightStore::byteSize(floats({ShapedType::kDynamic}))));
  constexpr int64_t huge = std::numeric_limits<int64_t>::max() / 2;
  EXPECT_TRUE(failed(WeightStore::byteSize(floats({huge, 4}))));
}

TEST_F(WeightStoreTest, SmallConstantsAreDenseAndSplatsExpand) {
  std::vector<float> values(64, 2.5f);
  ElementsAttr value = WeightStore::insertCopy(floats({64}), "w", bytesOf(values));
  EXPECT_TRUE(isa<DenseElementsAttr>(value));
  ElementsAttr splat = DenseElementsAttr::get(floats({3, 5}), 2.5f);
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(splat, scratch);
  ASSERT_TRUE(succeeded(bytes));
  ASSERT_EQ(bytes->size(), 15 * sizeof(float));
  for (int i = 0; i < 15; ++i)
    EXPECT_EQ(reinterpret_cast<const float *>(bytes->data())[i], 2.5f);
}

TEST_F(WeightStoreTest, BooleansAreBytes) {
  auto type = RankedTensorType::get({5}, builder.getI1Type());
  std::vector<char> values = {1, 0, 0, 1, 1};
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes =
      WeightStore::bytes(WeightStore::insertCopy(type, "b", values), scratch);
  ASSERT_TRUE(succeeded(bytes));
  EXPECT_EQ(*bytes, ArrayRef<char>(values));
}

TEST_F(WeightStoreTest, EveryFloatTypeReadsAsFloat) {
  std::vector<float> expected = {0.0f, -1.5f, 0.25f, 65504.0f};
  for (Type element : {Type(builder.getF32Type()), Type(builder.getF16Type()),
                       Type(builder.getBF16Type()), Type(builder.getF64Type())}) {
    auto type = RankedTensorType::get({4}, element);
    SmallVector<APFloat> values;
    for (float value : expected) {
      APFloat converted(value);
      bool inexact = false;
      converted.convert(cast<FloatType>(element).getFloatSemantics(), APFloat::rmNearestTiesToEven,
                        &inexact);
      values.push_back(converted);
    }
    FailureOr<std::vector<float>> floats = qopt::readFloats(DenseElementsAttr::get(type, values));
    ASSERT_TRUE(succeeded(floats));
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ((*floats)[i], element.isBF16() && i == 3 ? 65536.0f : expected[i]);
  }
  auto integers = DenseElementsAttr::get(RankedTensorType::get({1}, builder.getI64Type()),
                                         ArrayRef<int64_t>{1});
  EXPECT_TRUE(failed(qopt::readFloats(integers)));
}
