//===- PanelCodes.h - the codes of one block of a packed panel ----------------===//
//
// Element access to the layout that Layout.h describes; constexpr, so that the device's repacking
// kernel reads a file's weights through the same definition.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_LINEAR_PANELCODES_H
#define QRT_KERNELS_CPU_LINEAR_PANELCODES_H

#include "kernels/cpu/linear/linear.h"

namespace qrt::kernels {

inline constexpr int panelRows = 16;
inline constexpr int lineBytes = 64;

/// A bit field of one byte.
struct CodeField {
  int32_t byte;
  int32_t shift;
};

/// Where step k / 4 of a stream of `bits`-bit fields lies: `lines` lines hold the block.
static constexpr CodeField codeField(int bits, int block, int row, int k) {
  int lines = block * bits / 32;
  int step = k / 4;
  return {step % lines * lineBytes + row * 4 + k % 4, step / lines * bits};
}

/// U3 keeps its high bits behind the low pairs.
static constexpr int highPlane(int block) { return block / 16 * lineBytes; }

/// Reads or writes the code of (row in panel, k in block) of one block.
static constexpr uint8_t loadCode(WeightFormat format, int block, const uint8_t *data, int row,
                                  int k) {
  if (format == WeightFormat::U3) {
    CodeField low = codeField(2, block, row, k), high = codeField(1, block, row, k);
    return static_cast<uint8_t>((data[low.byte] >> low.shift & 3) |
                                (data[highPlane(block) + high.byte] >> high.shift & 1) << 2);
  }
  CodeField at = codeField(weightBits(format), block, row, k);
  return static_cast<uint8_t>(data[at.byte] >> at.shift & ((1 << weightBits(format)) - 1));
}

static constexpr void storeField(uint8_t *data, int bits, CodeField at, int value) {
  int mask = ((1 << bits) - 1) << at.shift;
  data[at.byte] = static_cast<uint8_t>((data[at.byte] & ~mask) | (value << at.shift & mask));
}

static constexpr void storeCode(WeightFormat format, int block, uint8_t *data, int row, int k,
                                uint8_t code) {
  if (format == WeightFormat::U3) {
    storeField(data, 2, codeField(2, block, row, k), code & 3);
    storeField(data + highPlane(block), 1, codeField(1, block, row, k), code >> 2);
    return;
  }
  storeField(data, weightBits(format), codeField(weightBits(format), block, row, k), code);
}

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_LINEAR_PANELCODES_H
