//===- MomentSum.cpp - sum_t a_t b_t^T in f64 tiles -------------------------------------------===//
#include "MomentSum.h"

#include "MatrixKernels.h"
#include "MatrixProducts.h"

#include <algorithm>
#include <atomic>
#include <cmath>

namespace qopt::quantization {

namespace {

constexpr int width = tileColumns<float>;
constexpr int64_t tileSize = int64_t(tileRows) * width;
constexpr int64_t tilesDown = MomentSum::block / tileRows, tilesAcross = MomentSum::block / width;
constexpr int64_t blockSize = MomentSum::block * MomentSum::block;

int64_t blockCount(int64_t k) { return (k + MomentSum::block - 1) / MomentSum::block; }

int64_t storedBlocks(int64_t k, bool lowerOnly) {
  const int64_t blocks = blockCount(k);
  return lowerOnly ? blocks * (blocks + 1) / 2 : blocks * blocks;
}

/// Packs the columns of one block into panels of `panel` columns, one after another.
void packBlock(const float *x, int64_t k, int64_t tokens, int64_t first, int panel, float *out) {
  for (int64_t j = first; j < first + MomentSum::block; j += panel, out += tokens * panel) {
    const int64_t count = std::clamp<int64_t>(k - j, 0, panel);
    packPanel(x + (count ? j : 0), k, 1, tokens, count, panel, out);
  }
}

} // namespace

MomentSum::MomentSum(int64_t k, bool lowerOnly, ParallelFor parallel)
    : k(k), blocks(blockCount(k)), lowerOnly(lowerOnly), parallel(std::move(parallel)),
      sums(storedBlocks(k, lowerOnly) * blockSize, 0.0) {}

int64_t MomentSum::bytes(int64_t k, bool lowerOnly) {
  return storedBlocks(k, lowerOnly) * blockSize * int64_t(sizeof(double)) +
         2 * blockCount(k) * block * chunk * int64_t(sizeof(float));
}

int64_t MomentSum::blockOffset(int64_t row, int64_t column) const {
  return (lowerOnly ? row * (row + 1) / 2 + column : row * blocks + column) * blockSize;
}

void MomentSum::add(const float *a, const float *b, int64_t tokens) {
  const int64_t panelBytes = block * tokens; // floats of one packed block
  packedA.resize(std::max<size_t>(packedA.size(), blocks * panelBytes));
  packedB.resize(packedA.size());
  parallel(blocks, [&](int64_t i) {
    packBlock(a, k, tokens, i * block, tileRows, packedA.data() + i * panelBytes);
    packBlock(b, k, tokens, i * block, width, packedB.data() + i * panelBytes);
  });
  struct Pair {
    int64_t row, column;
  };
  std::vector<Pair> pairs;
  for (int64_t i = 0; i < blocks; ++i)
    for (int64_t j = 0; j < (lowerOnly ? i + 1 : blocks); ++j)
      pairs.push_back({i, j});
  parallel(int64_t(pairs.size()), [&](int64_t index) {
    const auto [i, j] = pairs[index];
    double *sum = sums.data() + blockOffset(i, j);
    for (int64_t across = 0; across < tilesAcross; ++across)
      for (int64_t down = 0; down < tilesDown; ++down, sum += tileSize)
        matrixKernels().momentTile(tokens,
                                   packedA.data() + i * panelBytes + down * tileRows * tokens,
                                   packedB.data() + j * panelBytes + across * width * tokens, sum);
  });
}

bool MomentSum::write(double factor, std::span<float> out) const {
  std::atomic<bool> finite = true;
  parallel(blocks, [&](int64_t i) {
    for (int64_t j = 0; j < (lowerOnly ? i + 1 : blocks); ++j)
      for (int64_t e = 0; e < blockSize; ++e) {
        const int64_t tile = e / tileSize, inside = e % tileSize;
        const int64_t row = i * block + tile % tilesDown * tileRows + inside / width;
        const int64_t column = j * block + tile / tilesDown * width + inside % width;
        if (row >= k || column >= k || (lowerOnly && column > row))
          continue;
        const float value = static_cast<float>(sums[blockOffset(i, j) + e] * factor);
        if (!std::isfinite(value))
          finite = false;
        out[row * k + column] = value;
        if (lowerOnly)
          out[column * k + row] = value;
      }
  });
  return finite;
}

} // namespace qopt::quantization
