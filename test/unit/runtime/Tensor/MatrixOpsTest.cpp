//===- MatrixOpsTest.cpp - matmul, linear, einsum ---------------------------------------------===//
#include "ModelFixture.h"

using namespace qrt;
using namespace qrt::tensor;

/// a [rows, depth] b [depth, columns]
static std::vector<double> product(const std::vector<double> &a, const std::vector<double> &b,
                                   int64_t rows, int64_t depth, int64_t columns) {
  std::vector<double> y(static_cast<size_t>(rows * columns), 0.0);
  for (int64_t m = 0; m < rows; ++m)
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t n = 0; n < columns; ++n)
        y[m * columns + n] += a[m * depth + k] * b[k * columns + n];
  return y;
}

TEST(MatrixOps, MatmulOfOddSizesAndEveryFloatType) {
  for (DType dtype : {DType::F32, DType::F16, DType::BF16, DType::F64}) {
    Tensor a = randomTensor(dtype, {37, 19}, 1), b = randomTensor(dtype, {19, 21}, 2);
    Tensor y = run("matmul", {&a, &b});
    EXPECT_EQ(y.dtype, dtype);
    EXPECT_EQ(y.shape, (Shape{37, 21}));
    const double tolerance = dtype == DType::BF16 ? 0.1 : dtype == DType::F16 ? 1e-2 : 1e-5;
    expectNear(y, product(valuesOf(a), valuesOf(b), 37, 19, 21), tolerance);
  }
}

TEST(MatrixOps, MatmulAccumulatesBeyondF32) {
  // In f32 the ones would be lost beside 2^24.
  Tensor a = floats({1, 4}, {16777216, 1, 1, -16777216}), b = floats({4, 1}, {1, 1, 1, 1});
  EXPECT_EQ(valuesOf(run("matmul", {&a, &b})), std::vector<double>{2});
}

TEST(MatrixOps, MatmulBroadcastsStacksAndTakesVectors) {
  Tensor a = randomTensor(DType::F32, {2, 1, 3, 4}, 3), b = randomTensor(DType::F32, {5, 4, 6}, 4);
  Tensor y = run("matmul", {&a, &b});
  ASSERT_EQ(y.shape, (Shape{2, 5, 3, 6}));
  const std::vector<double> left = valuesOf(a), right = valuesOf(b), all = valuesOf(y);
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 0; j < 5; ++j) {
      std::vector<double> part =
          product({left.begin() + i * 12, left.begin() + (i + 1) * 12},
                  {right.begin() + j * 24, right.begin() + (j + 1) * 24}, 3, 4, 6);
      for (int64_t e = 0; e < 18; ++e)
        ASSERT_NEAR(all[(i * 5 + j) * 18 + e], part[e], 1e-6);
    }
  Tensor row = floats({2}, {1, 2}), matrix = floats({2, 2}, {3, 4, 5, 6});
  EXPECT_EQ(run("matmul", {&row, &matrix}).shape, (Shape{2}));
  EXPECT_EQ(valuesOf(run("matmul", {&row, &matrix})), (std::vector<double>{13, 16}));
  EXPECT_EQ(valuesOf(run("matmul", {&matrix, &row})), (std::vector<double>{11, 17}));
  EXPECT_EQ(run("matmul", {&row, &row}).shape, Shape{});
}

TEST(MatrixOps, IntegerProductsWrap) {
  Tensor a = pack(DType::I64, {1, 2}, std::vector<int64_t>{INT64_MAX, 3}).takeValue();
  Tensor b = pack(DType::I64, {2, 1}, std::vector<int64_t>{2, 1}).takeValue();
  auto y = tryRun("matmul", {&a, &b});
  ASSERT_TRUE(y.isOk());
  EXPECT_EQ(*static_cast<const int64_t *>((*y)[0].data.get()), 1); // -2 + 3
}

TEST(MatrixOps, EmptyDimensions) {
  Tensor a = floats({2, 0}, {}), b = floats({0, 3}, {});
  EXPECT_EQ(valuesOf(run("matmul", {&a, &b})), std::vector<double>(6, 0.0));
  Tensor none = floats({0, 3}, {}), w = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(run("linear", {&none, &w}).shape, (Shape{0, 2}));
}

TEST(MatrixOps, LinearMixesTypesAndAddsItsBias) {
  Tensor x = randomTensor(DType::F32, {2, 3, 33}, 5), w = randomTensor(DType::F16, {11, 33}, 6);
  Tensor bias = randomTensor(DType::BF16, {11}, 7);
  Tensor y = run("linear", {&x, &w, &bias});
  EXPECT_EQ(y.dtype, DType::F32);
  EXPECT_EQ(y.shape, (Shape{2, 3, 11}));
  const std::vector<double> xs = valuesOf(x), ws = valuesOf(w), bs = valuesOf(bias);
  std::vector<double> want;
  for (int m = 0; m < 6; ++m)
    for (int n = 0; n < 11; ++n) {
      double sum = bs[n];
      for (int k = 0; k < 33; ++k)
        sum += xs[m * 33 + k] * ws[n * 33 + k];
      want.push_back(sum);
    }
  expectNear(y, want, 1e-5);
  EXPECT_EQ(run("linear", {&x, &w, nullptr}, {{"to", std::string("f16")}}).dtype, DType::F16);
}

TEST(MatrixOps, RowsDoNotDependOnTheirNeighbours) {
  Tensor x = randomTensor(DType::F32, {7, 100}, 8), w = randomTensor(DType::F32, {9, 100}, 9);
  const std::vector<double> all = valuesOf(run("linear", {&x, &w}));
  const std::vector<double> xs = valuesOf(x);
  for (int m = 0; m < 7; ++m) {
    Tensor row = floats({1, 100}, {xs.begin() + m * 100, xs.begin() + (m + 1) * 100});
    EXPECT_EQ(valuesOf(run("linear", {&row, &w})),
              std::vector<double>(all.begin() + m * 9, all.begin() + (m + 1) * 9));
  }
}

TEST(MatrixOps, EinsumForms) {
  Tensor a = randomTensor(DType::F32, {2, 3, 4}, 10), b = randomTensor(DType::F32, {2, 5, 4}, 11);
  const std::vector<double> as = valuesOf(a), bs = valuesOf(b);
  auto einsum = [](const char *equation, const std::vector<const Tensor *> &operands) {
    return run("einsum", operands, {{"equation", std::string(equation)}});
  };
  Tensor y = einsum("bik, bjk -> bji", {&a, &b});
  ASSERT_EQ(y.shape, (Shape{2, 5, 3}));
  std::vector<double> want;
  for (int s = 0; s < 2; ++s)
    for (int j = 0; j < 5; ++j)
      for (int i = 0; i < 3; ++i) {
        double sum = 0;
        for (int k = 0; k < 4; ++k)
          sum += as[(s * 3 + i) * 4 + k] * bs[(s * 5 + j) * 4 + k];
        want.push_back(sum);
      }
  expectNear(y, want, 1e-6);
  expectNear(einsum("...ik,...jk->...ji", {&a, &b}), want, 1e-6);

  // An outer product, a transposition, a trace, a sum, and labels summed in one operand only.
  Tensor u = floats({2}, {1, 2}), v = floats({3}, {3, 4, 5}), m = floats({2, 2}, {1, 2, 3, 4});
  expectNear(einsum("i,j->ij", {&u, &v}), {3, 4, 5, 6, 8, 10}, 0);
  expectNear(einsum("ij->ji", {&m}), {1, 3, 2, 4}, 0);
  expectNear(einsum("ii->", {&m}), {5}, 0);
  expectNear(einsum("ij->j", {&m}), {4, 6}, 0);
  expectNear(einsum("i,j->i", {&u, &v}), {12, 24}, 0);
  // Three operands.
  expectNear(einsum("i,ij,j->", {&u, &m, &u}), {27}, 0);
}

TEST(MatrixOps, AbstractOperandsGiveShapes) {
  Tensor a = abstractOf(DType::F32, {3, 1 << 20}), b = abstractOf(DType::F32, {1 << 20, 7});
  auto y = tryRun("matmul", {&a, &b});
  ASSERT_TRUE(y.isOk()) << y.status().message();
  EXPECT_EQ((*y)[0].shape, (Shape{3, 7}));
  EXPECT_EQ((*y)[0].data, nullptr);
  Tensor x = floats({1, 2}, {1, 2}), w = abstractOf(DType::F16, {5, 2});
  EXPECT_EQ((*tryRun("linear", {&x, &w}))[0].data, nullptr);
  auto e = tryRun("einsum", {&a, &b}, {{"equation", std::string("ij,jk->ki")}});
  EXPECT_EQ((*e)[0].shape, (Shape{7, 3}));
}

TEST(MatrixOps, ErrorsNameTheOpAndTheShapes) {
  Tensor a = floats({2, 3}, std::vector<double>(6)), b = floats({2, 3}, std::vector<double>(6));
  EXPECT_EQ(messageOf("matmul", {&a, &b}),
            "matmul: expects operands that agree in K, got f32 [2, 3], f32 [2, 3]");
  Tensor bias = floats({2}, {1, 2}), w = floats({3, 3}, std::vector<double>(9));
  EXPECT_NE(messageOf("linear", {&a, &w, &bias}).find("a bias of 3 elements"), std::string::npos);
  for (const char *equation :
       {"", "ij", "ij->k", "ij,jk->ik", "i->", "i!->i", "ij->ii", "......->"})
    EXPECT_EQ(messageOf("einsum", {&a}, {{"equation", std::string(equation)}}).rfind("einsum: ", 0),
              0u);
  Tensor half = make(DType::F16, {3, 2}, std::vector<double>(6));
  EXPECT_NE(messageOf("matmul", {&a, &half}).find("of one type"), std::string::npos);
  Tensor wide = abstractOf(DType::F32, {int64_t(1) << 30, 1}),
         high = abstractOf(DType::F32, {1, int64_t(1) << 30});
  EXPECT_EQ(tryRun("matmul", {&wide, &high}).status().code(), StatusCode::ResourceExhausted);
}
