//===- hadamard.cu - Walsh-Hadamard transform of blocks of features ------------------===//
//
// A line is `inner` consecutive outputs: those of one block and one column of the base matrix. The
// Walsh transform stays within a line, so lines are what thread blocks share out, and a row's lines
// run on many multiprocessors. In a thread block: outputs are mixed by the base matrix or loaded
// (eight consecutive ones per lane), butterflies at distances 1, 2, 4 in registers, 8 to 128 by
// shuffles, the wider ones three distances per pass over shared memory.
//
// The order of operations is that of kernels/cpu/hadamard, and nothing is contracted
// (lib/Cuda/CMakeLists.txt): with a base of +-1 the bits are the CPU's.
//
//===----------------------------------------------------------------------===//

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/layout/Fragments.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace qrt::cuda {

namespace {

struct HadamardKernel {
  struct Params {
    HadamardParams op;
    int32_t inner;         ///< outputs of a line
    int32_t linesPerBlock; ///< of a thread block
    float factor;
    uint32_t *faults;
  };
  static constexpr int threads = 256, minBlocks = 1, warps = threads / 32;
  static constexpr int perLane = 8, segment = perLane * 32;

  static QRT_DEVICE void butterfly(float &a, float &b) {
    const float sum = a + b;
    b = a - b;
    a = sum;
  }

  /// Outputs at .. at + 7 of the lines, before the transform.
  static QRT_DEVICE void load(const Params &p, int64_t row, int64_t firstLine, int at,
                              float (&x)[perLane]) {
    const Matrix &src = p.op.src;
    const int64_t from = row * src.stride + firstLine * p.inner + at;
    QRT_UNROLL
    for (int i = 0; i < perLane; ++i)
      x[i] = loadElement(src, from + i) * p.factor;
  }

  /// Mixes by the base: `columns` neighbouring columns of it share the loads of the input.
  template <int columns>
  static QRT_DEVICE void mix(const Params &p, int64_t row, int64_t firstLine, int lines,
                             float *buffer) {
    const int64_t order = p.op.baseOrder, inner = p.inner;
    QRT_NO_UNROLL
    for (int at = threadIndex(); at < lines / columns * p.inner; at += threads) {
      const int line = at / p.inner * columns, k = at % p.inner;
      const int64_t block = (firstLine + line) / order, column = (firstLine + line) % order;
      const int64_t from = row * p.op.src.stride + block * p.op.block + k;
      float sums[columns] = {};
      for (int64_t i = 0; i < order; ++i) {
        const float x = loadElement(p.op.src, from + i * inner);
        const float *base = p.op.base + i * order + column;
        if constexpr (columns == 4) {
          const Words4 b = loadConstant(reinterpret_cast<const Words4 *>(base));
          QRT_UNROLL
          for (int j = 0; j < columns; ++j)
            sums[j] += floatOfBits(b.w[j]) * x;
        } else {
          sums[0] += loadConstant(base) * x;
        }
      }
      QRT_UNROLL
      for (int j = 0; j < columns; ++j)
        storeShared(buffer + (line + j) * p.inner + k, sums[j] * p.factor);
    }
  }

  static QRT_DEVICE void run(const Params &p) {
    auto *buffer = reinterpret_cast<float *>(sharedMemory());
    const int64_t row = blockIndex().x, firstLine = int64_t(blockIndex().y) * p.linesPerBlock;
    const int64_t left = p.op.width / p.inner - firstLine;
    const int lines = left < p.linesPerBlock ? int(left) : p.linesPerBlock;
    const int length = lines * p.inner;
    const bool mixed = p.op.base != nullptr;
    if (mixed) {
      if (p.op.baseOrder % 4 == 0 && lines % 4 == 0)
        mix<4>(p, row, firstLine, lines, buffer);
      else
        mix<1>(p, row, firstLine, lines, buffer);
      syncThreads();
    }

    // Distances up to 128; a segment that the lines do not fill goes on with zeros.
    QRT_NO_UNROLL
    for (int start = warpIndex() * segment; start < length; start += warps * segment) {
      const int at = start + laneIndex() * perLane;
      float x[perLane] = {};
      if (at + perLane <= length && !mixed)
        load(p, row, firstLine, at, x);
      else
        QRT_UNROLL
      for (int i = 0; i < perLane; ++i)
        if (at + i < length)
          x[i] = mixed
                     ? loadShared(buffer + at + i)
                     : loadElement(p.op.src, row * p.op.src.stride + firstLine * p.inner + at + i) *
                           p.factor;
      QRT_UNROLL
      for (int distance = 1; distance < perLane; distance *= 2)
        if (distance < p.inner)
          QRT_UNROLL
      for (int i = 0; i < perLane; ++i)
        if ((i & distance) == 0)
          butterfly(x[i], x[i + distance]);
      QRT_UNROLL
      for (int distance = 1; distance < warpLanes; distance *= 2)
        if (distance * perLane < p.inner)
          QRT_UNROLL
      for (int i = 0; i < perLane; ++i) {
        const float other = shuffleXor(x[i], distance);
        x[i] = laneIndex() & distance ? other - x[i] : x[i] + other;
      }
      QRT_UNROLL
      for (int i = 0; i < perLane; ++i)
        if (at + i < length)
          storeShared(buffer + at + i, x[i]);
    }
    syncThreads();

    int distance = segment;
    for (; distance * 4 < p.inner; distance *= 8)
      pass<8>(buffer, length, distance);
    if (distance * 2 < p.inner)
      pass<4>(buffer, length, distance);
    else if (distance < p.inner)
      pass<2>(buffer, length, distance);

    const int64_t to = row * p.op.dst.stride + firstLine * p.inner;
    for (int at = threadIndex(); at < length; at += threads)
      storeElement(p.op.dst, to + at, loadShared(buffer + at), p.faults);
  }

  /// Butterflies at `distance`, twice it, ..., `radix` elements in a thread.
  template <int radix>
  static QRT_DEVICE void pass(float *buffer, int length, int distance) {
    QRT_NO_UNROLL
    for (int item = threadIndex(); item < length / radix; item += threads) {
      float *x = buffer + item / distance * distance * radix + item % distance;
      float v[radix];
      QRT_UNROLL
      for (int i = 0; i < radix; ++i)
        v[i] = loadShared(x + i * distance);
      QRT_UNROLL
      for (int bit = 1; bit < radix; bit *= 2) {
        QRT_UNROLL
        for (int i = 0; i < radix; ++i)
          if ((i & bit) == 0)
            butterfly(v[i], v[i + bit]);
      }
      QRT_UNROLL
      for (int i = 0; i < radix; ++i)
        storeShared(x + i * distance, v[i]);
    }
    syncThreads();
  }
};

} // namespace

int launchHadamard(const Launch &launch, const HadamardParams &params) {
  const int64_t order = params.base ? params.baseOrder : 1;
  if (params.block <= 0 || order <= 0 || params.block % order || params.width % params.block ||
      (order > 1 && reinterpret_cast<uintptr_t>(params.base) % 16) || params.rows > INT32_MAX)
    return invalidLaunch;
  const int64_t inner = params.block / order;
  if (!std::has_single_bit(uint64_t(inner)) || inner > maxWalshOrder)
    return invalidLaunch;
  const int64_t lines = std::max<int64_t>(params.base ? 4 : 1, 8 * HadamardKernel::segment / inner);
  // Wide lines under a base are mixed by fours only where the shared memory has room.
  const int64_t fit = std::max<int64_t>(1, std::min(lines, int64_t(64) * 1024 / (inner * 4)));
  const int64_t blocks = (params.width / inner + fit - 1) / fit;
  if (blocks > 65535)
    return invalidLaunch;
  return launchKernel<HadamardKernel>(
      launch, {int32_t(params.rows), int32_t(blocks), 1}, int(fit * inner * 4),
      {params, int32_t(inner), int32_t(fit), 1.0f / std::sqrt(float(params.block)), launch.faults});
}

} // namespace qrt::cuda
