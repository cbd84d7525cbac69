//===- WeightStoreTest.cpp - Ownership, sizes and contents of weight blobs -------------------===//
#include "qopt/Support/WeightStore.h"
#include "qopt/Support/FloatElements.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

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
