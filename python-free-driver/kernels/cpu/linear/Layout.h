//===- Layout.h - where a packed weight lies ---------------------------------===//
//
// The layout of quantized weights, "P16": one copy that serves decode and prefill, int8 and
// 16-bit activations, AVX2 and AVX-512 (facts: the measurements in docs/add-a-kernel.md).
//
// A panel is 16 output rows; rows beyond n are padding. k is cut into blocks of `block` = group
// size elements, 128 for per-channel weights; the last block is padded with the zero point.
// The data stream is [panel][block][lines of 64 bytes]: reading a panel is one sequential walk.
//
// Within a block, four consecutive k form a step: step t holds k = 4t .. 4t+3. A line has 64
// byte positions (row r, kk) = 4r + kk, so that a 32-bit lane is one row: a dot product of
// bytes accumulates per row and needs no horizontal sums. Steps share a line by bit fields:
//
//   U8  line t                      : step t
//   U4  line j of block/8,  field f : step f*(block/8) + j,   bits 4f .. 4f+3
//   U2  line j of block/16, field f : step f*(block/16) + j,  bits 2f, 2f+1
//   U3  block/16 lines as U2 with the codes' low two bits, then block/32 lines with their high
//       bit: line j, field f: step f*(block/32) + j, bit f
//
// Scales: [panel][group][16] in f16 or f32; zero points: [panel][group][16] bytes; padding rows
// have scale 0. Dense formats: row-major, each row padded to 64 bytes with zeros.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_LINEAR_LAYOUT_H
#define QRT_KERNELS_CPU_LINEAR_LAYOUT_H

#include "kernels/cpu/linear/PanelCodes.h"

namespace qrt::kernels {

inline constexpr int channelBlock = 128;

// Functions in headers that variant files include have internal linkage: the linker must not pick a
// copy compiled for AVX-512 for everybody.

/// Sizes that follow from a valid quantized descriptor.
struct PanelGeometry {
  int64_t panels;     ///< ceil(n / 16)
  int32_t bits;       ///< of a code
  int32_t block;      ///< elements of k per block
  int64_t blocks;     ///< blocks per row
  int64_t groups;     ///< scales per row: blocks, or 1 per channel
  int64_t blockBytes; ///< bytes of one block of a panel
  int64_t panelBytes; ///< bytes of one panel
  int64_t paddedK;    ///< blocks * block
};

static constexpr PanelGeometry panelGeometry(const WeightDesc &desc) {
  PanelGeometry g = {};
  g.bits = weightBits(desc.format);
  g.panels = (desc.n + panelRows - 1) / panelRows;
  g.block = desc.groupSize ? desc.groupSize : channelBlock;
  g.blocks = (desc.k + g.block - 1) / g.block;
  g.groups = desc.groupSize ? g.blocks : 1;
  g.blockBytes = static_cast<int64_t>(g.block) * panelRows * g.bits / 8;
  g.panelBytes = g.blocks * g.blockBytes;
  g.paddedK = g.blocks * g.block;
  return g;
}

/// Bytes of one row of a dense weight.
static constexpr int64_t denseRowBytes(const WeightDesc &desc) {
  return (desc.k * (weightBits(desc.format) / 8) + lineBytes - 1) / lineBytes * lineBytes;
}

/// Zero point of symmetric codes.
static constexpr uint8_t symmetricZeroPoint(WeightFormat format) {
  return static_cast<uint8_t>(1u << (weightBits(format) - 1));
}

/// The scale and zero point of (row, group), read from the streams.
float loadScale(const WeightView &weight, const PanelGeometry &g, int64_t row, int64_t group);
uint8_t loadZeroPoint(const WeightView &weight, const PanelGeometry &g, int64_t row, int64_t group);

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_LINEAR_LAYOUT_H
