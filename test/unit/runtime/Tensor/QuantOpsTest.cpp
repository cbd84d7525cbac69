//===- QuantOpsTest.cpp - Codes, scales and zero points ---------------------------------------===//
#include "ModelFixture.h"

#include <cmath>

using namespace qrt;
using namespace qrt::tensor;

TEST(QuantOps, DequantizeLinearPerTensorAxisAndBlock) {
  Tensor x = make(DType::U8, {2, 4}, {0, 128, 255, 1, 2, 3, 4, 5});
  Tensor scale = floats({}, {0.5}), zero = make(DType::U8, {}, {128});
  expectNear(run("dequantize_linear", {&x, &scale, &zero}),
             {-64, 0, 63.5, -63.5, -63, -62.5, -62, -61.5}, 0);
  Tensor rows = floats({2}, {1, 10}), columns = floats({4}, {1, 2, 3, 4});
  expectNear(run("dequantize_linear", {&x, &rows}, {{"axis", int64_t(0)}}),
             {0, 128, 255, 1, 20, 30, 40, 50}, 0);
  expectNear(run("dequantize_linear", {&x, &columns, nullptr}), {0, 256, 765, 4, 2, 6, 12, 20}, 0);
  Tensor blocks = floats({2, 2}, {1, 2, 3, 4}), zeros = make(DType::U8, {2, 2}, {0, 1, 2, 3});
  expectNear(run("dequantize_linear", {&x, &blocks, &zeros}, {{"block_size", int64_t(3)}}),
             {0, 128, 255, 0, 0, 3, 6, 8}, 0);
  // Blocks along the first axis.
  Tensor tall = make(DType::I8, {3, 2}, {1, 2, 3, 4, 5, 6}),
         tallScales = floats({2, 2}, {1, 2, 3, 4});
  expectNear(run("dequantize_linear", {&tall, &tallScales},
                 {{"axis", int64_t(0)}, {"block_size", int64_t(2)}}),
             {1, 4, 3, 8, 15, 24}, 0);
}

TEST(QuantOps, DequantizeLinearTypesAndErrors) {
  Tensor x = make(DType::I32, {1, 1}, {-100000}), scale = make(DType::F16, {}, {0.5});
  Tensor y = run("dequantize_linear", {&x, &scale}, {{"to", std::string("f32")}});
  EXPECT_EQ(y.dtype, DType::F32);
  expectNear(y, {-50000}, 0);
  Tensor wrong = floats({3}, {1, 1, 1});
  EXPECT_NE(messageOf("dequantize_linear", {&x, &wrong}).find("shape [1]"), std::string::npos);
  Tensor zero = make(DType::U8, {}, {1});
  EXPECT_NE(messageOf("dequantize_linear", {&x, &scale, &zero}).find("zero point"),
            std::string::npos);
}

TEST(QuantOps, QuantizeLinearRoundsTiesToEvenAndSaturates) {
  Tensor x = floats({8}, {0.5, 1.5, 2.5, -0.5, 1e30, -1e30, INFINITY, NAN});
  Tensor one = floats({}, {1}), zero = make(DType::I8, {}, {3});
  Tensor y = run("quantize_linear", {&x, &one, &zero});
  EXPECT_EQ(y.dtype, DType::I8);
  expectNear(y, {3, 5, 5, 3, 127, -128, 127, 3}, 0);
  Tensor plain = run("quantize_linear", {&x, &one});
  EXPECT_EQ(plain.dtype, DType::U8);
  expectNear(plain, {0, 2, 2, 0, 255, 0, 255, 0}, 0);
  EXPECT_EQ(run("quantize_linear", {&x, &one}, {{"to", std::string("i16")}}).dtype, DType::I16);
}

TEST(QuantOps, DynamicQuantizeLinear) {
  Tensor x = floats({6}, {0, 2, -3, -2.5, 1.34, 0.5}); // the example of the ONNX documentation
  auto results = tryRun("dynamic_quantize_linear", {&x});
  ASSERT_TRUE(results.isOk());
  expectNear((*results)[0], {153, 255, 0, 26, 221, 179}, 0);
  expectNear((*results)[1], {5.0 / 255}, 1e-8);
  expectNear((*results)[2], {153}, 0);
  Tensor zeros = floats({2}, {0, 0});
  expectNear((*tryRun("dynamic_quantize_linear", {&zeros}))[0], {0, 0}, 0);
  Tensor unknown = abstractOf(DType::F32, {5});
  EXPECT_EQ((*tryRun("dynamic_quantize_linear", {&unknown}))[0].data, nullptr);
}

TEST(QuantOps, MatmulIntegerSubtractsZeroPoints) {
  Tensor a = make(DType::U8, {4, 3}, {11, 7, 3, 10, 6, 2, 9, 5, 1, 8, 4, 0});
  Tensor b = make(DType::U8, {3, 2}, {1, 4, 2, 5, 3, 6});
  Tensor zeroA = make(DType::U8, {1}, {12}), zeroB = make(DType::U8, {1}, {0});
  Tensor y = run("matmul_integer", {&a, &b, &zeroA, &zeroB}); // the example of ONNX
  EXPECT_EQ(y.dtype, DType::I32);
  expectNear(y, {-38, -83, -44, -98, -50, -113, -56, -128}, 0);
  Tensor perColumn = make(DType::U8, {2}, {1, 4});
  expectNear(run("matmul_integer", {&a, &b, nullptr, &perColumn}),
             {0 + 7 + 6, 0 + 7 + 6, 6 + 4, 6 + 4, 5 + 2, 5 + 2, 4, 4}, 0);
  Tensor large = make(DType::I32, {1, 1}, {65536});
  expectNear(run("matmul_integer", {&large, &large}), {0}, 0); // 2^32 wraps
  Tensor three = make(DType::U8, {3}, {0, 0, 0});
  EXPECT_NE(messageOf("matmul_integer", {&a, &b, &three, nullptr}).find("zero points"),
            std::string::npos);
}

/// The definition of docs/semantics.md, element by element.
static std::vector<double> dequantized(const Tensor &codes, const Tensor &scales,
                                       const Tensor *zeros, int bits, int64_t group) {
  const std::vector<double> q = valuesOf(codes), s = valuesOf(scales);
  const std::vector<double> z = zeros ? valuesOf(*zeros) : std::vector<double>();
  const int64_t rows = codes.shape[0], width = codes.shape[1], groups = scales.shape[1];
  std::vector<double> result;
  for (int64_t n = 0; n < rows; ++n)
    for (int64_t k = 0; k < width; ++k) {
      const int64_t g = n * groups + (group ? k / group : 0);
      const double zero = zeros ? z[g] : 1 << (bits - 1);
      result.push_back(static_cast<float>(q[n * width + k] - zero) * static_cast<float>(s[g]));
    }
  return result;
}

TEST(QuantOps, DequantizeInGroupsOfEveryWidth) {
  for (int bits : {2, 3, 4, 8})
    for (int64_t group : {0, 32, 64, 128}) {
      const int64_t width = 150, groups = group ? (width + group - 1) / group : 1;
      Tensor codes = randomIntegers(DType::U8, {3, width}, 0, (1 << bits) - 1, 30);
      Tensor scales = randomTensor(DType::F16, {3, groups}, 31);
      Tensor zeros = randomIntegers(DType::U8, {3, groups}, 0, (1 << bits) - 1, 32);
      Attrs attrs{{"bits", int64_t(bits)}, {"group_size", group}};
      expectNear(run("dequantize", {&codes, &scales}, attrs),
                 dequantized(codes, scales, nullptr, bits, group), 0);
      Tensor x = run("dequantize", {&codes, &scales, &zeros}, attrs);
      expectNear(x, dequantized(codes, scales, &zeros, bits, group), 0);
      EXPECT_EQ(valuesOf(run("quantize", {&x, &scales, &zeros}, attrs)), valuesOf(codes));
    }
}

TEST(QuantOps, QuantizedLinearIsLinearOfTheDequantizedWeight) {
  const int64_t width = 160, rows = 300; // more rows than are dequantized at once
  Tensor codes = randomIntegers(DType::U8, {rows, width}, 0, 15, 33);
  Tensor scales = randomTensor(DType::F32, {rows, 3}, 34),
         bias = randomTensor(DType::F32, {rows}, 35);
  Tensor x = randomTensor(DType::F32, {2, 2, width}, 36);
  Attrs attrs{{"bits", int64_t(4)}, {"group_size", int64_t(64)}};
  Tensor w = run("dequantize", {&codes, &scales}, attrs);
  Tensor want = run("linear", {&x, &w, &bias});
  for (const char *activation : {"f32", "a16"}) {
    attrs["activation"] = std::string(activation);
    EXPECT_EQ(valuesOf(run("quantized_linear", {&x, &codes, &scales, nullptr, &bias}, attrs)),
              valuesOf(want));
  }
  attrs["activation"] = std::string("a4");
  EXPECT_NE(messageOf("quantized_linear", {&x, &codes, &scales}, attrs).find("'a4'"),
            std::string::npos);
}

TEST(QuantOps, A8RoundsTokensPerBlock) {
  // 127 is exact, 63.4 becomes 63; a second group with a scale of its own; codes of 1 * 1.
  Tensor x = floats({1, 64}, std::vector<double>(64, 0.0));
  std::vector<double> values(64, 0.0);
  values[0] = 127;
  values[1] = 63.4;
  values[32] = 1;
  values[33] = 0.004; // rounds to 1 / 127
  x = floats({1, 64}, values);
  Tensor codes = make(DType::U8, {1, 64}, std::vector<double>(64, 129));
  Tensor scales = floats({1, 2}, {1, 1});
  Attrs attrs{{"bits", int64_t(8)}, {"group_size", int64_t(32)}, {"activation", std::string("a8")}};
  expectNear(run("quantized_linear", {&x, &codes, &scales}, attrs), {190 + 1 + 1.0 / 127}, 1e-5);
  values[2] = INFINITY;
  Tensor infinite = floats({1, 64}, values);
  EXPECT_TRUE(
      std::isnan(valuesOf(run("quantized_linear", {&infinite, &codes, &scales}, attrs))[0]));
}

TEST(QuantOps, QuantizedEmbedding) {
  Tensor codes = make(DType::U8, {2, 3}, {0, 1, 2, 3, 2, 1}), scales = floats({2, 1}, {1, 0.5});
  Tensor ids = make(DType::I64, {1, 2}, {1, 0});
  Attrs attrs{{"bits", int64_t(2)}};
  Tensor y = run("quantized_embedding", {&codes, &scales, nullptr, &ids}, attrs);
  EXPECT_EQ(y.shape, (Shape{1, 2, 3}));
  expectNear(y, {0.5, 0, -0.5, -2, -1, 0}, 0);
  attrs["offset"] = int64_t(1);
  EXPECT_NE(messageOf("quantized_embedding", {&codes, &scales, nullptr, &ids}, attrs).find("id 1"),
            std::string::npos);
  EXPECT_NE(messageOf("quantized_embedding", {&codes, &scales}, attrs).find("ids"),
            std::string::npos);
}

TEST(QuantOps, GroupErrors) {
  Tensor codes = make(DType::U8, {2, 64}, std::vector<double>(128)),
         scales = floats({2, 1}, {1, 1});
  EXPECT_NE(messageOf("dequantize", {&codes, &scales}).find("'bits'"), std::string::npos);
  EXPECT_NE(messageOf("dequantize", {&codes, &scales}, {{"bits", int64_t(5)}}).find("5"),
            std::string::npos);
  EXPECT_NE(messageOf("dequantize", {&codes, &scales},
                      {{"bits", int64_t(4)}, {"group_size", int64_t(32)}})
                .find("shape [2, 2]"),
            std::string::npos);
}
