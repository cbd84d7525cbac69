//===- Panel.cpp - Codes of a few rows while they are being found -----------------------------===//
#include "Panel.h"

#include "qrt/Half.h"

#include <algorithm>

namespace qopt::quantization {

Panel::Panel(int64_t rows, int64_t k, const GroupFormat &format)
    : rows(rows), padded((rows + lanes - 1) / lanes * lanes), k(k), groups(groupsPerRow(format, k)),
      groupSize(format.groupSize ? format.groupSize : k), codes(padded * k, 0.0f),
      scales(padded * groups, 0x1p-14f), zeros(padded * groups, 0.0f) {}

void Panel::residual(const float *target, float *e) const {
  for (int64_t r = 0; r < padded; ++r)
    residualRow(target, r, e + r * k);
}

void Panel::residualRow(const float *target, int64_t r, float *e) const {
  for (int64_t g = 0; g < groups; ++g) {
    const float scale = scales[r * groups + g], zero = zeros[r * groups + g];
    for (int64_t j = g * groupSize; j < std::min(k, (g + 1) * groupSize); ++j)
      e[j] = target[r * k + j] - (codes[r * k + j] - zero) * scale;
  }
}

void Panel::setScales(int64_t firstRow, int64_t group, const LaneScales &from) {
  for (int64_t l = 0; l < lanes; ++l) {
    scales[(firstRow + l) * groups + group] = from.scale[l];
    zeros[(firstRow + l) * groups + group] = from.zero[l];
  }
}

LaneScales Panel::laneScales(int64_t firstRow, int64_t group) const {
  LaneScales out;
  for (int64_t l = 0; l < lanes; ++l) {
    out.scale[l] = scales[(firstRow + l) * groups + group];
    out.zero[l] = zeros[(firstRow + l) * groups + group];
  }
  return out;
}

void Panel::copyRow(const Panel &from, int64_t row) {
  std::copy_n(from.codes.data() + row * k, k, codes.data() + row * k);
  std::copy_n(from.scales.data() + row * groups, groups, scales.data() + row * groups);
  std::copy_n(from.zeros.data() + row * groups, groups, zeros.data() + row * groups);
}

void Panel::store(int64_t row, QuantizedMatrix &matrix, int64_t at) const {
  for (int64_t j = 0; j < k; ++j)
    matrix.codes[at * k + j] = static_cast<uint8_t>(codes[row * k + j]);
  for (int64_t g = 0; g < groups; ++g) {
    matrix.scales[at * groups + g] = qrt::f32ToF16(scales[row * groups + g]);
    if (!matrix.format.symmetric)
      matrix.zeroPoints[at * groups + g] = static_cast<uint8_t>(zeros[row * groups + g]);
  }
}

void Panel::load(int64_t row, const QuantizedMatrix &matrix, int64_t at) {
  for (int64_t j = 0; j < k; ++j)
    codes[row * k + j] = matrix.codes[at * k + j];
  for (int64_t g = 0; g < groups; ++g) {
    scales[row * groups + g] = qrt::f16ToF32(matrix.scales[at * groups + g]);
    zeros[row * groups + g] = static_cast<float>(matrix.zeroPoint(at, g));
  }
}

std::vector<Block> planBlocks(std::span<const int32_t> order, int64_t k, int64_t groupSize) {
  constexpr int64_t largest = positionsPerBlock;
  auto groupAt = [&](int64_t position) {
    return (order.empty() ? position : int64_t(order[position])) / groupSize;
  };
  std::vector<Block> blocks;
  auto open = [&](int64_t first) { blocks.push_back({first, first, {}}); };
  open(0);
  for (int64_t first = 0; first < k;) {
    int64_t last = first + 1;
    while (last < k && groupAt(last) == groupAt(first))
      ++last;
    if (blocks.back().last > blocks.back().first && last - blocks.back().first > largest)
      open(first);
    for (int64_t piece = first; piece < last; piece += largest) {
      const int64_t end = std::min(last, piece + largest);
      if (piece > first)
        open(piece);
      blocks.back().segments.push_back({piece, end, groupAt(first), piece == first});
      blocks.back().last = end;
    }
    first = last;
  }
  return blocks;
}

void toLanes(const float *x, int64_t ld, int64_t count, float *out) {
  laneKernels().toLanes(x, ld, count, out);
}

void fromLanes(const float *in, int64_t count, float *x, int64_t ld) {
  laneKernels().fromLanes(in, count, x, ld);
}

} // namespace qopt::quantization
