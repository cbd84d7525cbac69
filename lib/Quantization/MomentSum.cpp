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
static_assert(MomentSum::block % tileRows == 0 && MomentSum::block % width == 0 &&
              MomentSum::block == 6 * byteColumns);
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
      sums(new double[storedBlocks(k, lowerOnly) * blockSize]) {
  this->parallel(storedBlocks(k, lowerOnly),
                 [&](int64_t i) { std::fill_n(sums.get() + i * blockSize, blockSize, 0.0); });
}

int64_t MomentSum::bytes(int64_t k, bool lowerOnly) {
  return storedBlocks(k, lowerOnly) * blockSize * int64_t(sizeof(double)) +
         2 * blockCount(k) * block * chunk * int64_t(sizeof(float));
}

int64_t MomentSum::blockOffset(int64_t row, int64_t column) const {
  return (lowerOnly ? row * (row + 1) / 2 + column : row * blocks + column) * blockSize;
}

std::vector<MomentSum::Pair> MomentSum::pairs() const {
  std::vector<Pair> pairs;
  for (int64_t i = 0; i < blocks; ++i)
    for (int64_t j = 0; j < (lowerOnly ? i + 1 : blocks); ++j)
      pairs.push_back({i, j});
  return pairs;
}

void MomentSum::pack(const float *a, const float *b, int64_t tokens) {
  const int64_t panelFloats = block * tokens; // of one packed block
  packedA.resize(std::max<size_t>(packedA.size(), blocks * panelFloats));
  packedB.resize(packedA.size());
  parallel(blocks, [&](int64_t i) {
    packBlock(a, k, tokens, i * block, tileRows, packedA.data() + i * panelFloats);
    packBlock(b, k, tokens, i * block, width, packedB.data() + i * panelFloats);
  });
}

void MomentSum::addPair(Pair pair, int64_t tokens) {
  const float *a = packedA.data() + pair.row * block * tokens;
  const float *b = packedB.data() + pair.column * block * tokens;
  double *sum = sums.get() + blockOffset(pair.row, pair.column);
  for (int64_t j = 0; j < block; j += width)
    for (int64_t i = 0; i < block; i += tileRows)
      matrixKernels().momentTile(tokens, a + i * tokens, b + j * tokens, sum + i * block + j,
                                 block);
}

void MomentSum::add(const float *a, const float *b, int64_t tokens) {
  pack(a, b, tokens);
  const std::vector<Pair> list = pairs();
  parallel(int64_t(list.size()), [&](int64_t index) { addPair(list[index], tokens); });
}

/// Scales and bytes of one block of channels.
void MomentSum::roundBlock(const float *x, int64_t tokens, int64_t index) {
  const int64_t first = index * block, count = std::min(block, k - first);
  float largest[block] = {}, squares[block] = {}, inverse[block] = {};
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t j = 0; j < count; ++j) {
      const float value = x[t * k + first + j];
      largest[j] = std::max(largest[j], std::fabs(value));
      squares[j] += value * value;
    }
  bool fine = true;
  for (int64_t j = 0; j < count; ++j) {
    const float scale = largest[j] / 127;
    inverse[j] = largest[j] > 0 ? 127 / largest[j] : 0.0f;
    scales[first + j] = scale;
    fine &= scale * scale / 12 * float(tokens) <= byteNoise * squares[j] &&
            std::isfinite(inverse[j]); // false for NaN
  }
  rough[index] = !fine;
  const int64_t line = (tokens + byteTokens - 1) / byteTokens * byteTokens * byteColumns;
  for (int64_t j = 0; j < block; j += byteColumns) {
    int8_t *out = packedBytes.data() + (first + j) / byteColumns * line;
    if (j < count)
      matrixKernels().roundToBytes(tokens, x + first + j, k, inverse + j, out,
                                   byteSums.data() + first + j);
    else
      std::fill_n(out, line, int8_t(0));
  }
}

void MomentSum::addBytePair(Pair pair, int64_t quads) {
  constexpr int64_t half = block / 2;
  const int64_t line = quads * byteTokens; // bytes of a channel
  double *sum = sums.get() + blockOffset(pair.row, pair.column);
  for (int64_t i = pair.row * block; i < (pair.row + 1) * block; i += half)
    for (int64_t j = pair.column * block; j < (pair.column + 1) * block; j += half)
      if (!lowerOnly || j <= i)
        matrixKernels().byteProducts(quads, packedBytes.data() + i * line,
                                     packedBytes.data() + j * line, byteSums.data() + j,
                                     scales.data() + i, scales.data() + j,
                                     sum + (i % block) * block + j % block, block);
}

void MomentSum::addBytes(const float *x, int64_t tokens) {
  const int64_t quads = (tokens + byteTokens - 1) / byteTokens;
  packedBytes.resize(std::max<size_t>(packedBytes.size(), blocks * block * quads * byteTokens));
  scales.resize(blocks * block, 0.0f);
  byteSums.resize(blocks * block, 0);
  rough.resize(blocks);
  parallel(blocks, [&](int64_t i) { roundBlock(x, tokens, i); });
  std::vector<Pair> fine, other;
  for (Pair pair : pairs())
    (rough[pair.row] || rough[pair.column] ? other : fine).push_back(pair);
  parallel(int64_t(fine.size()), [&](int64_t index) { addBytePair(fine[index], quads); });
  for (int64_t t = 0; t < tokens && !other.empty(); t += chunk) {
    const int64_t count = std::min(chunk, tokens - t);
    pack(x + t * k, x + t * k, count);
    parallel(int64_t(other.size()), [&](int64_t index) { addPair(other[index], count); });
  }
}

bool MomentSum::write(double factor, std::span<float> out) {
  std::atomic<bool> finite = true;
  // Rows of a triangle from both ends in turn: static shares are then as large.
  parallel(blocks, [&](int64_t index) {
    const int64_t i = index % 2 ? blocks - 1 - index / 2 : index / 2;
    for (int64_t j = 0; j < (lowerOnly ? i + 1 : blocks); ++j)
      for (int64_t e = 0; e < blockSize; ++e) {
        const int64_t row = i * block + e / block, column = j * block + e % block;
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
