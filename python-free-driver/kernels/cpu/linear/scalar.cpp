//===- scalar.cpp - the scalar variant, which defines the result -------------===//
//
// Obvious loops over the element access of Layout.h. Vector variants are tested against
// this file: equal bits for integer activations, a rounding bound for f32.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/linear/QuantizeInput.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace qrt::kernels::scalar {

static InputForm inputForm(WeightFormat, Activation activation, int64_t) {
  return {1, activation == Activation::A8 ? 1 : 2, false};
}

/// The integer activation of one token, k relative to its first block.
static int32_t activationAt(const IntegerInput &input, const int32_t *token, int64_t k) {
  int words = input.form.words;
  const int32_t *step = token + k / 4 * words;
  auto byte = [&](int word) { return reinterpret_cast<const int8_t *>(step + word)[k % 4]; };
  return words == 1 ? byte(0) : 256 * byte(0) + byte(1);
}

static void panels(const PanelArgs &args, int64_t begin, int64_t end) {
  const LinearArgs &linear = *args.linear;
  const WeightView &weight = linear.weight;
  const WeightDesc &desc = weight.desc;
  const PanelGeometry &g = args.geometry;
  const IntegerInput &input = args.input;
  uint8_t codes[channelBlock];
  for (int64_t row = begin * panelRows; row < std::min(desc.n, end * panelRows); ++row) {
    const uint8_t *panel =
        static_cast<const uint8_t *>(weight.data) + row / panelRows * g.panelBytes;
    for (int64_t m = 0; m < linear.m; ++m)
      linear.dst[m * linear.dstStride + row] = 0.0f;
    for (int64_t block = 0; block < g.blocks; ++block) {
      int64_t group = desc.groupSize ? block : 0;
      float scale = loadScale(weight, g, row, group);
      int32_t zeroPoint = loadZeroPoint(weight, g, row, group);
      for (int k = 0; k < g.block; ++k)
        codes[k] = loadCode(desc.format, g.block, panel + block * g.blockBytes,
                            static_cast<int>(row % panelRows), k);
      for (int64_t m = 0; m < linear.m; ++m) {
        const int32_t *token = input.values + m * (g.paddedK / 4) * input.form.words;
        int64_t dot = 0;
        for (int k = 0; k < g.block; ++k)
          dot += codes[k] * activationAt(input, token, block * g.block + k);
        int64_t inputSum = input.sums[m * g.blocks + block];
        int64_t exact = desc.symmetric ? dot + inputSum : dot - int64_t(zeroPoint) * inputSum;
        float factor = scale * input.scales[m * g.blocks + block];
        float &sum = linear.dst[m * linear.dstStride + row];
        sum = std::fma(static_cast<float>(exact), factor, sum);
      }
    }
    if (linear.bias)
      for (int64_t m = 0; m < linear.m; ++m)
        linear.dst[m * linear.dstStride + row] += linear.bias[row];
  }
}

/// Dot products of one dequantized row with every token.
static void rowTimesTokens(const LinearArgs &linear, int64_t row, const float *w) {
  for (int64_t m = 0; m < linear.m; ++m) {
    const float *x = linear.src + m * linear.srcStride;
    float sum = 0.0f;
    for (int64_t k = 0; k < linear.weight.desc.k; ++k)
      sum = std::fma(x[k], w[k], sum);
    linear.dst[m * linear.dstStride + row] = sum + (linear.bias ? linear.bias[row] : 0.0f);
  }
}

static void dense(const LinearArgs &args, int64_t begin, int64_t end) {
  std::vector<float> row(args.weight.desc.k);
  for (int64_t n = begin; n < end; ++n) {
    dequantizeRow(args.weight, n, row.data());
    rowTimesTokens(args, n, row.data());
  }
}

static void panelsF32(const PanelArgs &args, int64_t begin, int64_t end) {
  dense(*args.linear, begin * panelRows, std::min(args.linear->weight.desc.n, end * panelRows));
}

extern const LinearKernels linearKernels;
const LinearKernels linearKernels = {
    .name = "scalar",
    .isa = Isa::Scalar,
    .inputForm = inputForm,
    .quantizeInput = quantizeInputGeneric,
    .panels = panels,
    .panelsF32 = panelsF32,
    .dense = dense,
    .roundBf16 = nullptr,
    .denseBf16 = nullptr,
    .widenRow = dequantizeRow,
};

} // namespace qrt::kernels::scalar
