//===- quantize.cu - activations to 8 bits ----------------------------------------------------===//
//
// A warp per (row, pair of units): its 128 features are one, two or four blocks. The arithmetic is
// that of kernels/cpu/linear/QuantizeInput.h, operation for operation and uncontracted
// (lib/Cuda/CMakeLists.txt), so that codes, scales and sums are the CPU's.
//
//===----------------------------------------------------------------------===//

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/layout/Int8Layout.h"

namespace qrt::cuda {

namespace {

struct QuantizeKernel {
  using Params = QuantizeParams;
  static constexpr int threads = 128, minBlocks = 1, warps = threads / 32;
  static constexpr int perLane = 4; ///< consecutive features

  /// Over the lanes of a block of `lanes`.
  static QRT_DEVICE uint32_t maximum(uint32_t value, int lanes) {
    QRT_UNROLL
    for (int mask = 1; mask < warpLanes; mask *= 2) {
      const uint32_t other = shuffleXor(value, mask);
      value = mask < lanes && other > value ? other : value;
    }
    return value;
  }
  static QRT_DEVICE uint32_t sum(uint32_t value, int lanes) {
    QRT_UNROLL
    for (int mask = 1; mask < warpLanes; mask *= 2) {
      const uint32_t other = shuffleXor(value, mask);
      value += mask < lanes ? other : 0;
    }
    return value;
  }

  static QRT_DEVICE void run(const Params &p) {
    const Int8Geometry g = int8Geometry(p.rows, p.width, p.block);
    const int64_t row = blockIndex().x, pair = int64_t(blockIndex().y) * warps + warpIndex();
    const int64_t first = pair * 2 * unitK;
    if (first >= g.rowBytes)
      return;
    const int lanes = p.block / perLane, lane = laneIndex();
    float x[perLane];
    uint32_t top = 0;
    QRT_UNROLL
    for (int i = 0; i < perLane; ++i) {
      const int64_t k = first + lane * perLane + i;
      x[i] = k < p.width ? loadElement(p.src, row * p.src.stride + k) : 0.0f;
      const uint32_t bits = bitsOfFloat(x[i]) & 0x7fffffffu; // a NaN then wins
      top = bits > top ? bits : top;
    }
    top = maximum(top, lanes);
    const int feature = lane * perLane; // of the pair
    const int64_t block = (first + feature) / p.block;
    const float magnitude = floatOfBits(top);
    const bool finite = top < 0x7f800000u;
    float scale = magnitude / 127.0f, inverse;
    if (p.staticScales) {
      scale = block < g.blocks ? loadConstant(p.staticScales + block) : 1.0f;
      inverse = 1.0f / scale;
    } else {
      const bool zero = scale < 1.17549435e-38f; // so small that its scale is denormal
      inverse = zero ? 0.0f : 127.0f / magnitude;
      scale = zero ? 0.0f : scale;
    }
    scale = finite ? scale : floatOfBits(0x7fc00000u);
    uint32_t codes = 0, total = 0;
    QRT_UNROLL
    for (int i = 0; i < perLane; ++i) {
      float scaled = x[i] * inverse;
      scaled = scaled > 127.0f ? 127.0f : scaled < -127.0f ? -127.0f : scaled; // static scales
      const float shifted = scaled + 12582912.0f; // 1.5 * 2^23: rounds to nearest even
      const uint32_t q = finite ? bitsOfFloat(shifted) - 0x4b400000u : 0u;
      codes |= (q & 255u) << (8 * int8Place(i));
      total += q;
    }
    total = sum(total, lanes);
    auto *out = static_cast<uint8_t *>(p.dst);
    storeGlobal(reinterpret_cast<uint32_t *>(out + row * g.rowBytes + first +
                                             feature / unitK * unitK + int8Place(feature % unitK)),
                codes);
    if (lane % lanes == 0 && block < g.blocks) {
      const int64_t at = block * g.planeRows + row;
      storeGlobal(reinterpret_cast<float *>(out + g.scaleStart) + at, scale);
      storeGlobal(reinterpret_cast<uint32_t *>(out + g.sumStart) + at, total);
    }
  }
};

} // namespace

int64_t int8Bytes(int64_t rows, int64_t width, int32_t block) {
  if (rows < 0 || width <= 0 || (block != 32 && block != 64 && block != 128))
    return -1;
  return int8Geometry(rows, width, block).bytes;
}

int launchQuantize(const Launch &launch, const QuantizeParams &params) {
  const int64_t pairs = (params.width + 2 * unitK - 1) / (2 * unitK);
  const int64_t blocks = (pairs + QuantizeKernel::warps - 1) / QuantizeKernel::warps;
  if (int8Bytes(params.rows, params.width, params.block) < 0 || params.rows > INT32_MAX ||
      blocks > 65535 || reinterpret_cast<uintptr_t>(params.dst) % 16)
    return invalidLaunch;
  return launchKernel<QuantizeKernel>(launch, {int32_t(params.rows), int32_t(blocks), 1}, 0,
                                      params);
}

} // namespace qrt::cuda
