//===- ReductionOpsTest.cpp - Reductions, softmax, arg_max, top_k, cumsum ---------------------===//
#include "ModelFixture.h"

#include <cmath>

using namespace qrt;
using namespace qrt::tensor;

using Values = std::vector<double>;
using Ints = std::vector<int64_t>;

TEST(ReductionOps, AxesAndKeepDims) {
  Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  Tensor rows = run("reduce_sum", {&x}, {{"axes", Ints{-1}}});
  EXPECT_EQ(rows.shape, (Shape{2, 1}));
  EXPECT_EQ(valuesOf(rows), (Values{6, 15}));
  Tensor columns = run("reduce_sum", {&x}, {{"axes", Ints{0}}, {"keepdims", int64_t(0)}});
  EXPECT_EQ(columns.shape, Shape{3});
  EXPECT_EQ(valuesOf(columns), (Values{5, 7, 9}));
  Tensor all = run("reduce_sum", {&x}, {{"axes", Ints{}}, {"keepdims", int64_t(0)}});
  EXPECT_EQ(all.shape, Shape{});
  EXPECT_EQ(valuesOf(all), Values{21});
  Tensor cube = floats({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(valuesOf(run("reduce_sum", {&cube}, {{"axes", Ints{2, 0}}})), (Values{14, 22}));
  EXPECT_EQ(messageOf("reduce_sum", {&x}, {{"axes", Ints{2}}}),
            "reduce_sum: axis 2 is outside a tensor of rank 2");
}

TEST(ReductionOps, Kinds) {
  Tensor x = floats({4}, {3, -4, 1, 2});
  auto value = [&](const char *op) { return valuesOf(run(op, {&x}, {{"axes", Ints{0}}}))[0]; };
  EXPECT_EQ(value("reduce_mean"), 0.5);
  EXPECT_EQ(value("reduce_max"), 3);
  EXPECT_EQ(value("reduce_min"), -4);
  EXPECT_EQ(value("reduce_prod"), -24);
  EXPECT_NEAR(value("reduce_l2"), std::sqrt(30.0), 1e-6);
  Tensor flags = make(DType::Bool, {3}, {0, 1, 0});
  EXPECT_EQ(valuesOf(run("reduce_max", {&flags}, {{"axes", Ints{}}})), Values{1});
  EXPECT_EQ(valuesOf(run("reduce_min", {&flags}, {{"axes", Ints{}}})), Values{0});
  Tensor nan = floats({3}, {1, NAN, 2});
  EXPECT_TRUE(std::isnan(valuesOf(run("reduce_max", {&nan}, {{"axes", Ints{}}}))[0]));
  Tensor whole = make(DType::I64, {2}, {-3, -4});
  EXPECT_EQ(valuesOf(run("reduce_mean", {&whole}, {{"axes", Ints{}}})), Values{-3});
}

TEST(ReductionOps, AccumulatesBeyondTheElementType) {
  Values ones(5000, 1.0);
  Tensor half = make(DType::F16, {5000}, ones); // in f16 the sum would stop at 2048
  EXPECT_EQ(valuesOf(run("reduce_sum", {&half}, {{"axes", Ints{}}})), Values{5000});
  EXPECT_EQ(valuesOf(run("reduce_mean", {&half}, {{"axes", Ints{}}})), Values{1});
}

TEST(ReductionOps, EmptyDimensions) {
  Tensor none = floats({2, 0}, {});
  EXPECT_EQ(valuesOf(run("reduce_sum", {&none}, {{"axes", Ints{1}}})), (Values{0, 0}));
  EXPECT_EQ(valuesOf(run("reduce_prod", {&none}, {{"axes", Ints{1}}})), (Values{1, 1}));
  EXPECT_EQ(run("reduce_max", {&none}, {{"axes", Ints{0}}}).shape, (Shape{1, 0}));
  EXPECT_EQ(messageOf("reduce_max", {&none}, {{"axes", Ints{1}}}),
            "reduce_max: reduces nothing: a dimension of shape [2, 0] is 0");
  EXPECT_EQ(run("softmax", {&none}).shape, (Shape{2, 0}));
  EXPECT_EQ(run("cumsum", {&none}, {{"axis", int64_t(1)}}).shape, (Shape{2, 0}));
}

TEST(ReductionOps, SoftmaxAlongAnyAxis) {
  Tensor x = floats({2, 2}, {1000, 0, 1000, std::log(3.0)});
  expectNear(run("softmax", {&x}, {{"axis", int64_t(0)}}), {0.5, 0.25, 0.5, 0.75}, 1e-6);
  expectNear(run("softmax", {&x}), {1, 0, 1, 0}, 0);
  expectNear(run("log_softmax", {&x}, {{"axis", int64_t(0)}}),
             {std::log(0.5), std::log(0.25), std::log(0.5), std::log(0.75)}, 1e-6);
  Tensor masked = floats({1, 3}, {-INFINITY, 0, 0});
  expectNear(run("softmax", {&masked}), {0, 0.5, 0.5}, 0);
  Tensor half = make(DType::F16, {1, 3}, {1, 1, 1});
  expectNear(run("softmax", {&half}), {1 / 3.0, 1 / 3.0, 1 / 3.0}, 2e-4);
}

TEST(ReductionOps, ArgMaxTopKCumsum) {
  Tensor x = floats({2, 3}, {1, 5, 5, 7, 2, 7});
  EXPECT_EQ(valuesOf(run("arg_max", {&x}, {{"axis", int64_t(1)}})), (Values{1, 0}));
  Tensor last = run("arg_max", {&x},
                    {{"axis", int64_t(-1)}, {"keepdims", int64_t(0)}, {"select_last", int64_t(1)}});
  EXPECT_EQ(last.shape, Shape{2});
  EXPECT_EQ(valuesOf(last), (Values{2, 2}));

  Tensor two = make(DType::I64, {1}, {2}), four = make(DType::I64, {1}, {4});
  auto best = tryRun("top_k", {&x, &two});
  ASSERT_TRUE(best.isOk());
  EXPECT_EQ(valuesOf((*best)[0]), (Values{5, 5, 7, 7}));
  EXPECT_EQ(valuesOf((*best)[1]), (Values{1, 2, 0, 2}));
  Tensor one = make(DType::I64, {}, {1});
  auto least = tryRun("top_k", {&x, &one}, {{"axis", int64_t(0)}, {"largest", int64_t(0)}});
  EXPECT_EQ(valuesOf((*least)[0]), (Values{1, 2, 5}));
  EXPECT_EQ(messageOf("top_k", {&x, &four}), "top_k: k is 4 of 3 elements along axis 1");

  auto sums = [&](int64_t exclusive, int64_t reverse) {
    Tensor row = make(DType::I64, {3}, {1, 2, 3});
    return valuesOf(run("cumsum", {&row},
                        {{"axis", int64_t(0)}, {"exclusive", exclusive}, {"reverse", reverse}}));
  };
  EXPECT_EQ(sums(0, 0), (Values{1, 3, 6}));
  EXPECT_EQ(sums(1, 0), (Values{0, 1, 3}));
  EXPECT_EQ(sums(0, 1), (Values{6, 5, 3}));
  EXPECT_EQ(sums(1, 1), (Values{5, 3, 0}));
}
