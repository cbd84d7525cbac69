//===- HadamardTest.cpp - Rotations against their dense matrices ------------------------------===//
#include "qopt/Quantization/Hadamard.h"

#include "Reference.h"

#include <gtest/gtest.h>

using namespace qopt::quantization;
using namespace qopt::quantization::test;

namespace {

/// R row by row, from unit vectors.
Doubles dense(const Rotation &rotation) {
  const int64_t n = rotation.size();
  Doubles r(n * n);
  for (int64_t i = 0; i < n; ++i) {
    Floats unit(n, 0.0f);
    unit[i] = 1;
    rotation.apply(unit.data());
    std::copy(unit.begin(), unit.end(), r.begin() + i * n);
  }
  return r;
}

Doubles product(const Doubles &a, const Doubles &b, int64_t n, int64_t k, int64_t m) {
  Doubles c(n * m, 0.0);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t p = 0; p < k; ++p)
      for (int64_t j = 0; j < m; ++j)
        c[i * m + j] += a[i * k + p] * b[p * m + j];
  return c;
}

} // namespace

TEST(Hadamard, IsOrthogonalAndFlatForEverySize) {
  struct Size {
    int64_t size, order;
  };
  for (Size s :
       {Size{1, 1}, {2, 2},     {8, 8},     {12, 12}, {20, 20}, {24, 24},   {28, 28},   {36, 36},
        {40, 40},   {44, 44},   {60, 60},   {64, 64}, {76, 76}, {140, 140}, {148, 148}, {152, 152},
        {192, 192}, {288, 288}, {576, 576}, {7, 1},   {10, 2},  {92, 4},    {172, 4}}) {
    Rotation rotation(s.size, 7);
    EXPECT_EQ(rotation.order(), s.order) << s.size;
    const Doubles r = dense(rotation);
    const double flat = 1 / std::sqrt(double(s.order));
    for (int64_t i = 0; i < s.size; ++i)
      for (int64_t j = 0; j < s.size; ++j) {
        const bool inside = i / s.order == j / s.order;
        ASSERT_NEAR(std::fabs(r[i * s.size + j]), inside ? flat : 0.0, 1e-6) << s.size;
        double dot = 0;
        for (int64_t p = 0; p < s.size; ++p)
          dot += r[i * s.size + p] * r[j * s.size + p];
        ASSERT_NEAR(dot, i == j ? 1.0 : 0.0, 1e-5) << s.size << ": " << i << ", " << j;
      }
  }
}

TEST(Hadamard, IsSignsAndTheProductThatTheInstructionComputes) {
  for (int64_t size : {1, 8, 12, 24, 92, 192, 304}) {
    const Rotation plain(size, 0), rotation(size, 5);
    ASSERT_TRUE(plain.randomSigns().empty());
    ASSERT_EQ(static_cast<int64_t>(rotation.randomSigns().size()), size);
    const int64_t m = plain.baseOrder(), block = plain.order(), inner = block / m;
    ASSERT_EQ(static_cast<int64_t>(plain.baseMatrix().size()), m > 1 ? m * m : 0);
    const Doubles without = dense(plain), with = dense(rotation);
    for (int64_t i = 0; i < size; ++i)
      for (int64_t j = 0; j < size; ++j) {
        const int64_t row = i % block, column = j % block;
        double want = 0;
        if (i / block == j / block) {
          want = m > 1 ? plain.baseMatrix()[row / inner * m + column / inner] : 1;
          if (__builtin_parityll(row % inner & column % inner))
            want = -want;
        }
        ASSERT_NEAR(without[i * size + j], want / std::sqrt(double(block)), 1e-6) << size;
        ASSERT_EQ(with[i * size + j], rotation.randomSigns()[i] * without[i * size + j]) << size;
      }
  }
}

TEST(Hadamard, CoversTheWidthsOfModels) {
  for (int64_t size :
       {576, 896, 1024, 1536, 2048, 2560, 3072, 3584, 4096, 4864, 5120, 8960, 9728, 14336, 18944})
    EXPECT_EQ(Rotation(size, 0).order(), size);
  EXPECT_EQ(Rotation(11008, 0).order(), 256); // 43 blocks
}

TEST(Hadamard, UndoesItself) {
  for (int64_t size : {64, 36, 576, 92}) {
    Rotation rotation(size, 3);
    Floats x = normals(size, 5), y = x;
    rotation.apply(y.data());
    rotation.applyTransposed(y.data());
    for (int64_t i = 0; i < size; ++i)
      EXPECT_NEAR(y[i], x[i], 1e-5);
  }
}

TEST(Hadamard, SignsComeFromTheSeed) {
  EXPECT_EQ(dense(Rotation(32, 5)), dense(Rotation(32, 5)));
  EXPECT_NE(dense(Rotation(32, 5)), dense(Rotation(32, 6)));
  EXPECT_EQ(dense(Rotation(4, 0))[0], 0.5);
}

TEST(Hadamard, FoldsIntoWeightsWithoutChangingTheFunction) {
  // x -> W1 -> rotated by R -> W2, per head of 12 channels in the middle; x rotated by S.
  const int64_t in = 20, middle = 36, out = 9;
  Rotation outer(in, 3), head(12, 4);
  Floats w1 = normals(middle * in, 1), w2 = normals(out * middle, 2), x = normals(in, 3);
  auto forward = [&](const Floats &a, const Floats &b, const Floats &v) {
    Doubles hidden(middle, 0.0), y(out, 0.0);
    for (int64_t i = 0; i < middle; ++i)
      for (int64_t j = 0; j < in; ++j)
        hidden[i] += double(a[i * in + j]) * v[j];
    for (int64_t i = 0; i < out; ++i)
      for (int64_t j = 0; j < middle; ++j)
        y[i] += b[i * middle + j] * hidden[j];
    return y;
  };
  const Doubles before = forward(w1, w2, x);
  const Doubles expected = product(Doubles(w1.begin(), w1.end()), dense(outer), middle, in, in);
  rotateColumns(x, 1, in, outer, serialFor);
  rotateColumns(w1, middle, in, outer, threads(2));
  for (size_t i = 0; i < w1.size(); ++i)
    EXPECT_NEAR(w1[i], expected[i], 1e-5);
  rotateRows(w1, middle, in, head, threads(2));
  rotateColumns(w2, out, middle, head, threads(2));
  const Doubles after = forward(w1, w2, x);
  for (int64_t i = 0; i < out; ++i)
    EXPECT_NEAR(after[i], before[i], 1e-4);
}

TEST(Hadamard, FlattensOutliers) {
  const int64_t k = 896;
  Floats row(k, 0.01f);
  row[17] = 10;
  Rotation rotation(k, 1);
  rotation.apply(row.data());
  float largest = 0;
  for (float v : row)
    largest = std::max(largest, std::fabs(v));
  EXPECT_LT(largest, 0.5f);
}

TEST(Hadamard, NormsFoldIntoWhatReadsThem) {
  // A layer norm and a linear = an RMS norm without weights of centred inputs and another linear.
  const int64_t k = 70, n = 11, inner = 5;
  Floats gain = normals(k, 1), shift = normals(k, 2), w = normals(n * k, 3), bias = normals(n, 4),
         writer = normals(k * inner, 5), writerBias = normals(k, 6), h = normals(inner, 7);
  auto forward = [&](bool layer) {
    Doubles x(k), y(n);
    double mean = 0, square = 0;
    for (int64_t i = 0; i < k; ++i) {
      x[i] = writerBias[i];
      for (int64_t j = 0; j < inner; ++j)
        x[i] += double(writer[i * inner + j]) * h[j];
      mean += x[i] / k;
    }
    for (double &v : x) {
      v -= layer ? mean : 0;
      square += v * v / k;
    }
    for (int64_t i = 0; i < n; ++i) {
      y[i] = bias[i];
      for (int64_t j = 0; j < k; ++j)
        y[i] += w[i * k + j] *
                (x[j] / std::sqrt(square + 1e-5) * (layer ? gain[j] : 1) + (layer ? shift[j] : 0));
    }
    return y;
  };
  const Doubles before = forward(true);
  foldNormBias(w, n, k, shift, bias, threads(2));
  foldNormWeight(w, n, k, gain, threads(2));
  centerColumns(writer, k, inner, threads(2));
  centerRows(writerBias, 1, k, threads(2));
  const Doubles after = forward(false);
  for (int64_t i = 0; i < n; ++i)
    EXPECT_NEAR(after[i], before[i], 2e-5);
}
