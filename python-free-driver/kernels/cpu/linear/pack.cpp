//===- pack.cpp - codes, scales and dense rows into the packed layout --------===//
//
// Called by the compiler and by tests; the kernels read what is written here as it is,
// so loading a model repacks nothing.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/linear/Layout.h"

#include "qrt/Half.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace qrt::kernels {

/// Field f of line j holds step f * lines + j: the fields of four codes go into a word at once.
/// `codes`: a block of one row, of which bits `shift` and up count.
static void packFields(const uint8_t *codes, int block, int bits, int shift, uint8_t *out) {
  const uint32_t mask = ((1u << bits) - 1) * 0x01010101u;
  const int lines = block * bits / 32;
  for (int line = 0; line < lines; ++line) {
    uint32_t word = 0;
    for (int field = 0; field < 8 / bits; ++field) {
      uint32_t step;
      std::memcpy(&step, codes + 4 * (field * lines + line), 4);
      word |= (step >> shift & mask) << field * bits;
    }
    std::memcpy(out + line * lineBytes, &word, 4);
  }
}

static void packBlock(WeightFormat format, const uint8_t *codes, int block, int lane,
                      uint8_t *out) {
  out += 4 * lane;
  if (format != WeightFormat::U3)
    return packFields(codes, block, weightBits(format), 0, out);
  packFields(codes, block, 2, 0, out);
  packFields(codes, block, 1, 2, out + highPlane(block));
}

void packQuantized(const WeightDesc &desc, const uint8_t *codes, const float *scales,
                   const uint8_t *zeroPoints, void *data, void *scalesOut, uint8_t *zeroPointsOut) {
  PanelGeometry g = panelGeometry(desc);
  auto *out = static_cast<uint8_t *>(data);
  std::vector<uint8_t> padded(g.block);
  for (int64_t row = 0; row < g.panels * panelRows; ++row) {
    uint8_t *panel = out + row / panelRows * g.panelBytes;
    int lane = static_cast<int>(row % panelRows);
    bool padding = row >= desc.n;
    for (int64_t group = 0; group < g.groups; ++group) {
      int64_t index = (row / panelRows * g.groups + group) * panelRows + lane;
      float scale = padding ? 0.0f : scales[row * g.groups + group];
      if (desc.scaleType == ScaleType::F16)
        static_cast<uint16_t *>(scalesOut)[index] = f32ToF16(scale);
      else
        static_cast<float *>(scalesOut)[index] = scale;
      if (!desc.symmetric)
        zeroPointsOut[index] = padding ? 0 : zeroPoints[row * g.groups + group];
    }
    for (int64_t block = 0; block < g.blocks; ++block) {
      const int64_t first = block * g.block;
      const int64_t count = padding ? 0 : std::min<int64_t>(g.block, desc.k - first);
      const uint8_t *from = codes + row * desc.k + first;
      if (count < g.block) {
        uint8_t fill = symmetricZeroPoint(desc.format);
        if (!desc.symmetric)
          fill = padding ? 0 : zeroPoints[row * g.groups + (desc.groupSize ? block : 0)];
        std::fill(padded.begin(), padded.end(), fill);
        if (count > 0)
          std::copy_n(from, count, padded.begin());
        from = padded.data();
      }
      packBlock(desc.format, from, g.block, lane, panel + block * g.blockBytes);
    }
  }
}

void packDense(const WeightDesc &desc, const float *values, void *data) {
  int64_t rowBytes = denseRowBytes(desc);
  auto *out = static_cast<uint8_t *>(data);
  std::memset(out, 0, static_cast<size_t>(desc.n) * rowBytes);
  for (int64_t row = 0; row < desc.n; ++row) {
    const float *in = values + row * desc.k;
    if (desc.format == WeightFormat::F32) {
      std::memcpy(out + row * rowBytes, in, desc.k * sizeof(float));
      continue;
    }
    auto *half = reinterpret_cast<uint16_t *>(out + row * rowBytes);
    for (int64_t k = 0; k < desc.k; ++k)
      half[k] = desc.format == WeightFormat::F16 ? f32ToF16(in[k]) : f32ToBf16(in[k]);
  }
}

void unpackCodes(const WeightView &weight, uint8_t *codes) {
  const WeightDesc &desc = weight.desc;
  PanelGeometry g = panelGeometry(desc);
  for (int64_t row = 0; row < desc.n; ++row) {
    const uint8_t *panel =
        static_cast<const uint8_t *>(weight.data) + row / panelRows * g.panelBytes;
    for (int64_t k = 0; k < desc.k; ++k)
      codes[row * desc.k + k] =
          loadCode(desc.format, g.block, panel + k / g.block * g.blockBytes,
                   static_cast<int>(row % panelRows), static_cast<int>(k % g.block));
  }
}

void unpackScales(const WeightView &weight, float *scales, uint8_t *zeroPoints) {
  PanelGeometry g = panelGeometry(weight.desc);
  for (int64_t row = 0; row < weight.desc.n; ++row)
    for (int64_t group = 0; group < g.groups; ++group) {
      scales[row * g.groups + group] = loadScale(weight, g, row, group);
      if (zeroPoints)
        zeroPoints[row * g.groups + group] = loadZeroPoint(weight, g, row, group);
    }
}

static void dequantizeDenseRow(const WeightView &weight, int64_t row, float *out) {
  const WeightDesc &desc = weight.desc;
  const uint8_t *data = static_cast<const uint8_t *>(weight.data) + row * denseRowBytes(desc);
  if (desc.format == WeightFormat::F32) {
    std::memcpy(out, data, desc.k * sizeof(float));
    return;
  }
  const auto *half = reinterpret_cast<const uint16_t *>(data);
  for (int64_t k = 0; k < desc.k; ++k)
    out[k] = desc.format == WeightFormat::F16 ? f16ToF32(half[k]) : bf16ToF32(half[k]);
}

void dequantizeRow(const WeightView &weight, int64_t row, float *out) {
  const WeightDesc &desc = weight.desc;
  if (!isQuantized(desc.format))
    return dequantizeDenseRow(weight, row, out);
  PanelGeometry g = panelGeometry(desc);
  const uint8_t *panel = static_cast<const uint8_t *>(weight.data) + row / panelRows * g.panelBytes;
  int lane = static_cast<int>(row % panelRows);
  for (int64_t block = 0; block < g.blocks; ++block) {
    int64_t group = desc.groupSize ? block : 0;
    float scale = loadScale(weight, g, row, group);
    int zeroPoint = loadZeroPoint(weight, g, row, group);
    int64_t first = block * g.block;
    int count = static_cast<int>(std::min<int64_t>(g.block, desc.k - first));
    for (int k = 0; k < count; ++k) {
      int code = loadCode(desc.format, g.block, panel + block * g.blockBytes, lane, k);
      out[first + k] = static_cast<float>(code - zeroPoint) * scale;
    }
  }
}

} // namespace qrt::kernels
