//===- storedWeights.cpp - a file's weights in the order of tensor cores ------===//

#include "kernels/cuda/layout/StoredWeights.h"

#include "kernels/cuda/layout/FileCode.h"

#include <algorithm>
#include <cstring>

namespace qrt::cuda {

int64_t storedFragmentBytes(const WeightDesc &desc) {
  return desc.format == WeightFormat::F32 ? -1 : unitGeometry(desc).bytes;
}

void storeAsFragments(const WeightDesc &desc, const void *data, void *fragments) {
  const UnitGeometry g = unitGeometry(desc);
  const auto *from = static_cast<const uint8_t *>(data);
  auto *to = static_cast<uint8_t *>(fragments);
  for (int64_t unit = 0; unit < g.panels * g.panelUnits; ++unit, to += unitBytes(desc.format))
    for (int lane = 0; lane < warpLanes; ++lane) {
      uint32_t words[16] = {};
      for (int step = 0; step < unitSteps; ++step)
        for (int reg = 0; reg < 4; ++reg)
          for (int half = 0; half < 2; ++half) {
            const FragmentPlace at = placeOf({lane, step, reg, half});
            storeSlot(desc.format, words, step, reg, half,
                      fileCode(desc, from, unit / g.panelUnits * kernels::panelRows + at.row,
                               unit % g.panelUnits * unitK + at.col));
          }
      for (int word = 0; word < laneWords(desc.format); ++word)
        std::memcpy(to + wordOffset(desc.format, lane, word) * 4, words + word, 4);
    }
}

void loadFromFragments(const WeightDesc &desc, const void *fragments, void *data) {
  const auto *from = static_cast<const uint32_t *>(fragments);
  auto *to = static_cast<uint8_t *>(data);
  if (!kernels::isQuantized(desc.format)) {
    const int64_t rowBytes = kernels::denseRowBytes(desc);
    std::memset(to, 0, size_t(desc.n * rowBytes));
    for (int64_t row = 0; row < desc.n; ++row)
      for (int64_t k = 0; k < desc.k; ++k) {
        const auto bits = uint16_t(loadUnitCode(desc, from, row, k));
        std::memcpy(to + row * rowBytes + 2 * k, &bits, 2);
      }
    return;
  }
  const UnitGeometry g = unitGeometry(desc);
  const int32_t block = desc.groupSize ? desc.groupSize : kernels::channelBlock;
  const int64_t blocks = (desc.k + block - 1) / block;
  const int64_t blockBytes = int64_t(block) * kernels::panelRows * laneWords(desc.format) / 8;
  std::memset(to, 0, size_t(g.panels * blocks * blockBytes));
  for (int64_t row = 0; row < g.panels * kernels::panelRows; ++row)
    for (int64_t k = 0; k < std::min(blocks * block, g.panelUnits * unitK); ++k)
      kernels::storeCode(
          desc.format, block, to + (row / kernels::panelRows * blocks + k / block) * blockBytes,
          int(row % kernels::panelRows), int(k % block), uint8_t(loadUnitCode(desc, from, row, k)));
}

} // namespace qrt::cuda
