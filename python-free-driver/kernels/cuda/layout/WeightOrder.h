//===- WeightOrder.h - weights in the order in which tensor cores take them ---===//
//
// The device's copy of a weight [n, k]: weights are operand A of mma (and of wgmma from registers),
// tokens are the n8 side. A unit is one panel of 16 rows x 64 of k; the stream is [panel][unit], so
// a panel is one sequential walk. Rows beyond n and k beyond the last group are padding.
//
// A unit is four k16 steps. Which k goes to which slot of the fragments is ours to choose, as long
// as the activations follow: in each half of a unit lane t (= lane % 4) takes the eight
// *consecutive* k of 8t .. 8t + 7, four per step, so that it loads its B fragments of two steps as
// one 16-byte piece of a natural row (and two steps cover one group of 32):
//
//   k in unit = 32 (step / 2) + 8 t + 4 (step % 2) + 2 (reg >> 1) + half
//   row in panel = p + 8 (reg & 1)
//
// Each lane keeps its weights of a unit in laneWords() 32-bit words:
//
//   16 bits  word 4 step + reg, half h in bits 16h ..                              16 words
//   U8       word 2 step + (reg & 1), byte 2 half + (reg >> 1)                      8 words
//   U4       word step, nibble 4 half + reg                                         4 words
//   U3       steps 0 to 2: word step, bits 3 reg of both 16-bit halves; step 3: bits 12 of words
//            0, 2, 1 for registers 0 to 2, and bit b of register 3 in bit 15 of word b   3 words
//   U2       word step / 2, bits 8 (reg >> 1) + 4 (step & 1) + 2 (reg & 1) of both halves  2 words
//
// (the nibble order is Marlin's, arXiv 2408.11743; splitting the odd bits of a 3-bit word is
// ExLlamaV2's idea). Two codes of one register sit 16 bits apart, so one mask extracts a pair, and
// after a shift that both rows share row p always lies in the same bits, row p + 8 in others
// (Dequantize.h); and the four k of one row sit in one byte each (U8, U4, U2), so one mask extracts
// a register of an int8 product, whose activations are stored with each four of k in the order 0,
// 2, 1, 3. A panel of codes has an even number of units: two are a group of 128.
//
// Words of the 32 lanes are interleaved so that a warp's loads of 16 bytes (U2: 8, U3: 4) per lane
// are consecutive. Scales and zero points are the streams of the file
// (kernels/cpu/linear/Layout.h). Codes are unsigned, as in the file. f32 weights have no device
// copy in this order.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LAYOUT_WEIGHTORDER_H
#define QRT_KERNELS_CUDA_LAYOUT_WEIGHTORDER_H

#include "kernels/cpu/linear/PanelCodes.h"
#include "kernels/cuda/layout/Fragments.h"

namespace qrt::cuda {

using kernels::WeightDesc;
using kernels::WeightFormat;

inline constexpr int unitK = 64;
inline constexpr int unitSteps = 4; ///< of k16

/// 32-bit words of one lane in one unit: 16 x 64 codes of 32 lanes, so as many as a code has bits.
constexpr int laneWords(WeightFormat format) { return kernels::weightBits(format); }
constexpr int unitBytes(WeightFormat format) { return laneWords(format) * warpLanes * 4; }
/// Words that a lane loads at once.
constexpr int vectorWords(WeightFormat format) {
  return format == WeightFormat::U3 ? 1 : format == WeightFormat::U2 ? 2 : 4;
}
/// Index in the unit, in words, of one lane's word.
constexpr int wordOffset(WeightFormat format, int lane, int word) {
  int v = vectorWords(format);
  return word / v * v * warpLanes + lane * v + word % v;
}

/// A weight's place in the fragments of a unit.
struct Slot {
  int lane, step, reg, half;
  constexpr bool operator==(const Slot &) const = default;
};
constexpr Slot slotOf(int row, int k) {
  return {row % 8 * 4 + k % 32 / 8, k / 32 * 2 + k % 8 / 4, k % 4 / 2 * 2 + row / 8, k % 2};
}
constexpr FragmentPlace placeOf(const Slot &slot) {
  return {slot.lane / 4 + 8 * (slot.reg & 1), slot.step / 2 * 32 + slot.lane % 4 * 8 +
                                                  slot.step % 2 * 4 + 2 * (slot.reg >> 1) +
                                                  slot.half};
}

/// Where a code lies in its lane's words; U3's last pair is spread, see storeSlot.
struct WordField {
  int word, shift;
};
constexpr WordField wordField(WeightFormat format, int step, int reg, int half) {
  switch (format) {
  case WeightFormat::U8:
    return {2 * step + (reg & 1), 8 * (2 * half + (reg >> 1))};
  case WeightFormat::U4:
    return {step, 4 * (4 * half + reg)};
  case WeightFormat::U3:
    return step < 3 ? WordField{step, 3 * reg + 16 * half}
                    : WordField{reg == 1 ? 2 : reg / 2, 12 + 16 * half};
  case WeightFormat::U2:
    return {step / 2, 8 * (reg >> 1) + 4 * (step & 1) + 2 * (reg & 1) + 16 * half};
  default:
    return {4 * step + reg, 16 * half};
  }
}
/// The pair of U3 whose bits lie in three words.
constexpr bool isSplitPair(WeightFormat format, int step, int reg) {
  return format == WeightFormat::U3 && step == 3 && reg == 3;
}

/// Ors a code (or the 16 bits of a dense weight) into a lane's words, which began as zeros.
constexpr void storeSlot(WeightFormat format, uint32_t *words, int step, int reg, int half,
                         uint32_t code) {
  if (isSplitPair(format, step, reg)) {
    for (int bit = 0; bit < 3; ++bit)
      words[bit] |= (code >> bit & 1u) << (15 + 16 * half);
    return;
  }
  WordField at = wordField(format, step, reg, half);
  words[at.word] |= code << at.shift;
}
constexpr uint32_t loadSlot(WeightFormat format, const uint32_t *words, int step, int reg,
                            int half) {
  if (isSplitPair(format, step, reg)) {
    uint32_t code = 0;
    for (int bit = 0; bit < 3; ++bit)
      code |= (words[bit] >> (15 + 16 * half) & 1u) << bit;
    return code;
  }
  WordField at = wordField(format, step, reg, half);
  return words[at.word] >> at.shift & ((1u << laneWords(format)) - 1u);
}

/// Sizes of a weight's copy.
struct UnitGeometry {
  int64_t panels;     ///< ceil(n / 16)
  int64_t units;      ///< that k touches
  int64_t panelUnits; ///< stored per panel: of codes an even number
  int64_t groups;     ///< scales per row
  int64_t bytes;      ///< of the data stream
};
constexpr int64_t unitsOfPanel(const WeightDesc &desc) {
  const int64_t units = (desc.k + unitK - 1) / unitK;
  return kernels::isQuantized(desc.format) ? (units + 1) / 2 * 2 : units;
}
constexpr UnitGeometry unitGeometry(const WeightDesc &desc) {
  UnitGeometry g = {};
  g.panels = (desc.n + kernels::panelRows - 1) / kernels::panelRows;
  g.units = (desc.k + unitK - 1) / unitK;
  g.panelUnits = unitsOfPanel(desc);
  g.groups = desc.groupSize ? (desc.k + desc.groupSize - 1) / desc.groupSize : 1;
  g.bytes = g.panels * g.panelUnits * unitBytes(desc.format);
  return g;
}

/// The code of (row, k) of a weight's copy: embedding lookup.
constexpr uint32_t loadUnitCode(const WeightDesc &desc, const uint32_t *data, int64_t row,
                                int64_t k) {
  const uint32_t *unit = data + (row / kernels::panelRows * unitsOfPanel(desc) + k / unitK) *
                                    (unitBytes(desc.format) / 4);
  Slot slot = slotOf(static_cast<int>(row % kernels::panelRows), static_cast<int>(k % unitK));
  if (isSplitPair(desc.format, slot.step, slot.reg)) {
    uint32_t code = 0;
    for (int bit = 0; bit < 3; ++bit)
      code |= (unit[wordOffset(desc.format, slot.lane, bit)] >> (15 + 16 * slot.half) & 1u) << bit;
    return code;
  }
  WordField at = wordField(desc.format, slot.step, slot.reg, slot.half);
  return unit[wordOffset(desc.format, slot.lane, at.word)] >> at.shift &
         ((1u << laneWords(desc.format)) - 1u);
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LAYOUT_WEIGHTORDER_H
