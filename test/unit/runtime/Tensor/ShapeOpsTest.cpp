//===- ShapeOpsTest.cpp - Shapes, rearrangement and indexing ----------------------------------===//
#include "ModelFixture.h"

#include <numeric>

using namespace qrt;
using namespace qrt::tensor;

using Values = std::vector<double>;
using Ints = std::vector<int64_t>;

static Tensor ints(Ints values) {
  Shape shape = {static_cast<int64_t>(values.size())};
  return pack(DType::I64, std::move(shape), std::move(values)).takeValue();
}
/// 0, 1, 2, ...
static Tensor counting(Shape shape, DType dtype = DType::F32) {
  Values values(static_cast<size_t>(countOf(shape)));
  std::iota(values.begin(), values.end(), 0.0);
  return make(dtype, std::move(shape), values);
}

TEST(ShapeOps, ShapeOfAndSizeOfNeedNoData) {
  Tensor x = abstractOf(DType::F16, {2, 0, 5});
  EXPECT_EQ(valuesOf(run("shape_of", {&x})), (Values{2, 0, 5}));
  EXPECT_EQ(valuesOf(run("shape_of", {&x}, {{"start", int64_t(-1)}})), (Values{5}));
  EXPECT_EQ(valuesOf(run("shape_of", {&x}, {{"start", int64_t(-9)}, {"end", int64_t(-1)}})),
            (Values{2, 0}));
  Tensor size = run("size_of", {&x});
  EXPECT_EQ(size.shape, Shape{});
  EXPECT_EQ(valuesOf(size), Values{0});
}

TEST(ShapeOps, Reshape) {
  Tensor x = counting({2, 3, 4});
  Tensor wanted = ints({0, -1});
  Tensor y = run("reshape", {&x, &wanted});
  EXPECT_EQ(y.shape, (Shape{2, 12}));
  EXPECT_EQ(y.data, x.data);
  Tensor empty = counting({0, 4}), some = ints({-1, 4}), none = ints({2, 0});
  EXPECT_EQ(run("reshape", {&empty, &some}).shape, (Shape{0, 4}));
  EXPECT_EQ(run("reshape", {&empty, &none}, {{"allowzero", int64_t(1)}}).shape, (Shape{2, 0}));
  Tensor odd = ints({5, -1}), twice = ints({-1, -1}), negative = ints({-2, -12});
  EXPECT_EQ(messageOf("reshape", {&x, &odd}), "reshape: shape [2, 3, 4] does not become [5, -1]");
  EXPECT_NE(messageOf("reshape", {&x, &twice}), "");
  EXPECT_NE(messageOf("reshape", {&x, &negative}), "");
  Tensor unknown = abstractOf(DType::I64, {2});
  EXPECT_EQ(messageOf("reshape", {&x, &unknown}),
            "reshape: the result depends on the values of 'shape', which are not known");
}

TEST(ShapeOps, FlattenSqueezeUnsqueeze) {
  Tensor x = counting({2, 1, 3, 1});
  EXPECT_EQ(run("flatten", {&x}, {{"axis", int64_t(0)}}).shape, (Shape{1, 6}));
  EXPECT_EQ(run("flatten", {&x}, {{"axis", int64_t(-2)}}).shape, (Shape{2, 3}));
  EXPECT_EQ(run("flatten", {&x}, {{"axis", int64_t(4)}}).shape, (Shape{6, 1}));
  EXPECT_EQ(run("squeeze", {&x}, {{"axes", Ints{}}}).shape, (Shape{2, 3}));
  EXPECT_EQ(run("squeeze", {&x}, {{"axes", Ints{-1}}}).shape, (Shape{2, 1, 3}));
  EXPECT_EQ(messageOf("squeeze", {&x}, {{"axes", Ints{2}}}),
            "squeeze: axis 2 of shape [2, 1, 3, 1] is not of size 1");
  EXPECT_EQ(run("unsqueeze", {&x}, {{"axes", Ints{-1, 0}}}).shape, (Shape{1, 2, 1, 3, 1, 1}));
  EXPECT_EQ(messageOf("unsqueeze", {&x}, {{"axes", Ints{7}}}),
            "unsqueeze: axis 7 is outside a tensor of rank 5");
}

TEST(ShapeOps, RangeAndFull) {
  Tensor two = make(DType::I64, {}, {2}), nine = make(DType::I64, {}, {9}),
         three = make(DType::I64, {}, {3}), minus = make(DType::I64, {}, {-4});
  EXPECT_EQ(valuesOf(run("range", {&two, &nine, &three})), (Values{2, 5, 8}));
  EXPECT_EQ(valuesOf(run("range", {&nine, &two, &minus})), (Values{9, 5}));
  EXPECT_EQ(run("range", {&nine, &two, &three}).shape, Shape{0});
  Tensor a = floats({}, {0}), b = floats({}, {1}), c = floats({}, {0.4});
  expectNear(run("range", {&a, &b, &c}), {0, 0.4, 0.8}, 1e-6);
  EXPECT_EQ(messageOf("range", {&a, &b, &a}), "range: 'delta' is 0");
  Tensor least = ints({INT64_MIN}), most = ints({INT64_MAX}), one = ints({1});
  EXPECT_EQ(tryRun("range", {&least, &most, &one}).status().code(), StatusCode::ResourceExhausted);
  Tensor shape = ints({2, 2}), value = make(DType::Bool, {1}, {1}), scalar = ints({});
  EXPECT_EQ(valuesOf(run("full", {&shape, &value})), (Values{1, 1, 1, 1}));
  EXPECT_EQ(run("full", {&scalar, &value}).shape, Shape{});
  Tensor negative = ints({-1}), huge = ints({INT64_MAX, INT64_MAX});
  EXPECT_NE(messageOf("full", {&negative, &value}), "");
  EXPECT_EQ(tryRun("full", {&huge, &value}).status().code(), StatusCode::ResourceExhausted);
}

TEST(ShapeOps, TransposeExpandTile) {
  Tensor x = counting({2, 3, 2}, DType::BF16);
  Tensor y = run("transpose", {&x}, {{"perm", Ints{2, 0, 1}}});
  EXPECT_EQ(y.shape, (Shape{2, 2, 3}));
  EXPECT_EQ(valuesOf(y), (Values{0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}));
  EXPECT_NE(messageOf("transpose", {&x}, {{"perm", Ints{0, 1}}}), "");
  EXPECT_EQ(messageOf("transpose", {&x}, {{"perm", Ints{0, 1, 1}}}),
            "transpose: axis 1 is given twice");
  Tensor column = counting({2, 1}), wanted = ints({2, 1, 3});
  Tensor wide = run("expand", {&column, &wanted});
  EXPECT_EQ(wide.shape, (Shape{2, 2, 3}));
  EXPECT_EQ(valuesOf(wide), (Values{0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1}));
  Tensor ones = ints({1, 1}), zero = ints({0, 2, 1});
  EXPECT_EQ(run("expand", {&column, &ones}).shape, (Shape{2, 1}));
  EXPECT_EQ(run("expand", {&column, &zero}).shape, (Shape{0, 2, 1}));
  Tensor repeats = ints({2, 3});
  EXPECT_EQ(valuesOf(run("tile", {&column, &repeats})),
            (Values{0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1}));
  Tensor row = counting({1, 2});
  EXPECT_EQ(valuesOf(run("tile", {&row, &repeats})), (Values{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}));
  Tensor negative = ints({-1, 1});
  EXPECT_NE(messageOf("tile", {&row, &negative}), "");
}

TEST(ShapeOps, ConcatAndSplit) {
  Tensor a = counting({2, 1}), b = counting({2, 2}), empty = counting({2, 0});
  EXPECT_EQ(valuesOf(run("concat", {&a, &empty, &b}, {{"axis", int64_t(-1)}})),
            (Values{0, 0, 1, 1, 2, 3}));
  EXPECT_EQ(messageOf("concat", {&a, &b}, {{"axis", int64_t(0)}}),
            "concat: f32 [2, 2] cannot be joined with f32 [2, 1] along axis 0");
  Tensor unknown = abstractOf(DType::F32, {2, 5});
  EXPECT_EQ(tryRun("concat", {&a, &unknown}, {{"axis", int64_t(1)}})->front().shape, (Shape{2, 6}));
  Tensor x = counting({2, 5});
  auto parts = tryRun("split", {&x}, {{"axis", int64_t(1)}, {"sizes", Ints{2, 0, 3}}});
  ASSERT_TRUE(parts.isOk());
  ASSERT_EQ(parts->size(), 3u);
  EXPECT_EQ(valuesOf((*parts)[0]), (Values{0, 1, 5, 6}));
  EXPECT_EQ((*parts)[1].shape, (Shape{2, 0}));
  EXPECT_EQ(valuesOf((*parts)[2]), (Values{2, 3, 4, 7, 8, 9}));
  EXPECT_EQ(messageOf("split", {&x}, {{"axis", int64_t(1)}, {"sizes", Ints{2, 4}}}),
            "split: sizes [2, 4] do not cut axis 1 of shape [2, 5]");
}

static Values sliced(const Tensor &x, Ints starts, Ints ends, Ints axes, Ints steps) {
  Tensor from = ints(std::move(starts)), to = ints(std::move(ends));
  return valuesOf(run("slice", {&x, &from, &to}, {{"axes", axes}, {"steps", steps}}));
}

TEST(ShapeOps, SliceCountsFromTheEndAndClamps) {
  Tensor x = counting({5});
  EXPECT_EQ(sliced(x, {1}, {4}, {0}, {2}), (Values{1, 3}));
  EXPECT_EQ(sliced(x, {-2}, {INT64_MAX}, {0}, {1}), (Values{3, 4}));
  EXPECT_EQ(sliced(x, {INT64_MIN}, {-1}, {0}, {3}), (Values{0, 3}));
  EXPECT_EQ(sliced(x, {-1}, {INT64_MIN}, {0}, {-1}), (Values{4, 3, 2, 1, 0}));
  EXPECT_EQ(sliced(x, {99}, {1}, {0}, {-2}), (Values{4, 2}));
  EXPECT_EQ(sliced(x, {4}, {INT64_MIN}, {0}, {INT64_MIN}), (Values{4}));
  EXPECT_EQ(sliced(x, {0}, {INT64_MAX}, {0}, {INT64_MAX}), (Values{0}));
  EXPECT_EQ(sliced(x, {3}, {3}, {0}, {1}), Values{});
  EXPECT_EQ(sliced(x, {9}, {12}, {0}, {1}), Values{});
  Tensor matrix = counting({3, 4});
  EXPECT_EQ(sliced(matrix, {1, -1}, {3, 0}, {-2, 1}, {1, -2}), (Values{7, 5, 11, 9}));
  Tensor empty = counting({0, 2});
  EXPECT_EQ(sliced(empty, {0}, {1}, {0}, {1}), Values{});
  EXPECT_EQ(sliced(empty, {-1}, {-5}, {0}, {-1}), Values{});
  Tensor one = ints({0});
  EXPECT_EQ(messageOf("slice", {&x, &one, &one}, {{"axes", Ints{0}}, {"steps", Ints{0}}}),
            "slice: a step is 0");
}

TEST(IndexingOps, GatherAndGatherElements) {
  Tensor x = counting({2, 3});
  Tensor places = make(DType::I32, {2, 1}, {-1, 0});
  Tensor y = run("gather", {&x, &places}, {{"axis", int64_t(1)}});
  EXPECT_EQ(y.shape, (Shape{2, 2, 1}));
  EXPECT_EQ(valuesOf(y), (Values{2, 0, 5, 3}));
  Tensor outside = ints({3});
  EXPECT_EQ(messageOf("gather", {&x, &outside}, {{"axis", int64_t(1)}}),
            "gather: index 3 is outside a dimension of 3");
  Tensor scalar = make(DType::I64, {}, {1}), unknown = abstractOf(DType::I64, {4});
  EXPECT_EQ(valuesOf(run("gather", {&x, &scalar})), (Values{3, 4, 5}));
  EXPECT_EQ(tryRun("gather", {&x, &unknown})->front().shape, (Shape{4, 3}));
  Tensor each = make(DType::I64, {2, 2}, {0, -1, 1, 1});
  EXPECT_EQ(valuesOf(run("gather_elements", {&x, &each}, {{"axis", int64_t(-1)}})),
            (Values{0, 2, 4, 4}));
  EXPECT_NE(messageOf("gather_elements", {&x, &outside}), "");
}

TEST(IndexingOps, GatherNdAndScatterNd) {
  Tensor x = counting({2, 2, 2});
  Tensor pairs = make(DType::I64, {2, 2}, {0, 1, 1, 0});
  EXPECT_EQ(valuesOf(run("gather_nd", {&x, &pairs})), (Values{2, 3, 4, 5}));
  Tensor batched = make(DType::I64, {2, 1}, {1, 0});
  EXPECT_EQ(valuesOf(run("gather_nd", {&x, &batched}, {{"batch_dims", int64_t(1)}})),
            (Values{2, 3, 4, 5}));
  Tensor updates = floats({2, 2}, {10, 20, 30, 40});
  EXPECT_EQ(valuesOf(run("scatter_nd", {&x, &pairs, &updates})),
            (Values{0, 1, 10, 20, 30, 40, 6, 7}));
  Tensor twice = make(DType::I64, {2, 2}, {0, 0, 0, 0});
  EXPECT_EQ(
      valuesOf(run("scatter_nd", {&x, &twice, &updates}, {{"reduction", std::string("add")}})),
      (Values{40, 61, 2, 3, 4, 5, 6, 7}));
  Tensor deep = make(DType::I64, {1, 4}, {0, 0, 0, 0});
  EXPECT_EQ(messageOf("gather_nd", {&x, &deep}),
            "gather_nd: indices of shape [1, 4] do not fit shape [2, 2, 2]");
  Tensor none = pack(DType::I64, {0, 2}, Ints{}).takeValue(), nothing = floats({0, 2}, {});
  EXPECT_EQ(valuesOf(run("scatter_nd", {&x, &none, &nothing})), valuesOf(x));
}

TEST(IndexingOps, PadTriluNonZero) {
  Tensor x = counting({2, 3}), pads = ints({0, 1, 1, 2});
  Tensor value = floats({}, {9});
  Tensor y = run("pad", {&x, &pads, &value}, {{"axes", Ints{}}});
  EXPECT_EQ(y.shape, (Shape{3, 6}));
  EXPECT_EQ(valuesOf(y), (Values{9, 0, 1, 2, 9, 9, 9, 3, 4, 5, 9, 9, 9, 9, 9, 9, 9, 9}));
  Tensor row = counting({3}), both = ints({2, 2});
  auto padded = [&](const char *mode) {
    return valuesOf(run("pad", {&row, &both}, {{"axes", Ints{0}}, {"mode", std::string(mode)}}));
  };
  EXPECT_EQ(padded("reflect"), (Values{2, 1, 0, 1, 2, 1, 0}));
  EXPECT_EQ(padded("edge"), (Values{0, 0, 0, 1, 2, 2, 2}));
  EXPECT_EQ(padded("wrap"), (Values{1, 2, 0, 1, 2, 0, 1}));
  EXPECT_EQ(padded("constant"), (Values{0, 0, 0, 1, 2, 0, 0}));
  Tensor cut = ints({-1, -1});
  EXPECT_EQ(valuesOf(run("pad", {&row, &cut}, {{"axes", Ints{0}}})), Values{1});

  Tensor square = make(DType::I32, {3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(valuesOf(run("trilu", {&square})), (Values{1, 2, 3, 0, 5, 6, 0, 0, 9}));
  Tensor k = ints({-1}), far = ints({INT64_MAX});
  EXPECT_EQ(valuesOf(run("trilu", {&square, &k}, {{"upper", int64_t(0)}})),
            (Values{0, 0, 0, 4, 0, 0, 7, 8, 0}));
  EXPECT_EQ(valuesOf(run("trilu", {&square, &far})), Values(9, 0.0));
  Tensor holes = make(DType::F32, {2, 2}, {0, 5, -1, 0});
  Tensor found = run("non_zero", {&holes});
  EXPECT_EQ(found.shape, (Shape{2, 2}));
  EXPECT_EQ(valuesOf(found), (Values{0, 1, 1, 0}));
}
