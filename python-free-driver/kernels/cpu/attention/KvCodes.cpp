//===- KvCodes.cpp - keys and values of few bits in their pages ----------------===//
//
// Rounds as docs/semantics.md says. Writing is a token at a time, a few hundred elements per layer.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/attention/KvCodes.h"

#include "qrt/Half.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace qrt::kernels {

static int64_t alignUp(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

KvCodeLayout kvCodeLayout(int64_t dim, DType type, bool isKey) {
  KvCodeLayout layout;
  if ((type != DType::I8 && type != DType::I4) || dim <= 0)
    return layout;
  const int64_t preferred = type == DType::I8 ? 128 : 32;
  const bool divided = dim > preferred && dim % preferred == 0;
  if (!divided && dim > 256) // 32-bit sums of a group would overflow
    return layout;
  layout.bits = bitWidth(type);
  layout.unit = 32 / layout.bits;
  layout.symmetric = type == DType::I8;
  layout.dim = dim;
  layout.group = divided ? preferred : dim;
  layout.groups = dim / layout.group;
  layout.units = (dim + layout.unit - 1) / layout.unit;
  layout.rowUnits = alignUp(dim, 16);
  const int64_t units = isKey ? layout.units * kvPageTokens //
                              : kvPageTokens / layout.unit * layout.rowUnits;
  layout.codeBytes = units * 4;
  layout.scalesOffset = layout.codeBytes; // a multiple of 64
  layout.zeroPointsOffset = layout.scalesOffset + layout.groups * kvPageTokens * 2;
  layout.headBytes =
      layout.zeroPointsOffset + (layout.symmetric ? 0 : layout.groups * kvPageTokens);
  return layout;
}

KvGroupScale quantizeKvGroup(const float *x, int64_t count, int bits, bool symmetric,
                             uint8_t *codes) {
  float low = 0.0f, high = 0.0f;
  bool finite = true;
  for (int64_t i = 0; i < count; ++i) {
    finite &= std::isfinite(x[i]);
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
  }
  const int top = (1 << bits) - 1, middle = 1 << (bits - 1);
  if (!finite) {
    std::fill(codes, codes + count, static_cast<uint8_t>(middle));
    return {0x7e00, static_cast<uint8_t>(middle)};
  }
  float scale = symmetric ? std::max(-low, high) / static_cast<float>(middle - 1)
                          : (high - low) / static_cast<float>(top);
  const uint16_t half = f32ToF16(std::clamp(scale, 0x1p-14f, 65504.0f));
  scale = f16ToF32(half);
  float zero = static_cast<float>(middle);
  if (!symmetric)
    zero = std::clamp(std::nearbyint(-low / scale), 0.0f, static_cast<float>(top));
  for (int64_t i = 0; i < count; ++i)
    codes[i] = static_cast<uint8_t>(
        std::clamp(std::nearbyint(x[i] / scale) + zero, 0.0f, static_cast<float>(top)));
  return {half, static_cast<uint8_t>(zero)};
}

namespace {

/// Where one code lies: the byte of the page part and the shift inside it.
struct Place {
  int64_t byte;
  int shift;
};

Place placeOf(const KvCodeLayout &layout, bool isKey, int64_t slot, int64_t d) {
  const int64_t i = isKey ? d % layout.unit : slot % layout.unit;
  const int64_t word =
      isKey ? d / layout.unit * kvPageTokens + slot : slot / layout.unit * layout.rowUnits + d;
  const int64_t bit = i % 2 * 16 + i / 2 * layout.bits;
  return {word * 4 + bit / 8, static_cast<int>(bit % 8)};
}

} // namespace

void writeKvToken(const KvCodeLayout &layout, bool isKey, const float *x, const float *balance,
                  int64_t slot, void *head) {
  auto *bytes = static_cast<uint8_t *>(head);
  const auto mask = static_cast<uint8_t>((1 << layout.bits) - 1);
  uint8_t codes[256];
  float balanced[256];
  for (int64_t g = 0; g < layout.groups; ++g) {
    const float *values = x + g * layout.group;
    if (balance) {
      for (int64_t i = 0; i < layout.group; ++i)
        balanced[i] = values[i] / balance[g * layout.group + i];
      values = balanced;
    }
    const KvGroupScale scale =
        quantizeKvGroup(values, layout.group, layout.bits, layout.symmetric, codes);
    std::memcpy(bytes + layout.scalesOffset + (g * kvPageTokens + slot) * 2, &scale.scale, 2);
    if (!layout.symmetric)
      bytes[layout.zeroPointsOffset + g * kvPageTokens + slot] = scale.zeroPoint;
    for (int64_t i = 0; i < layout.group; ++i) {
      const Place at = placeOf(layout, isKey, slot, g * layout.group + i);
      uint8_t &byte = bytes[at.byte];
      byte = static_cast<uint8_t>((byte & ~(mask << at.shift)) | (codes[i] << at.shift));
    }
  }
}

float readKvElement(const KvCodeLayout &layout, bool isKey, const void *head, int64_t slot,
                    int64_t d) {
  const auto *bytes = static_cast<const uint8_t *>(head);
  const Place at = placeOf(layout, isKey, slot, d);
  const int code = bytes[at.byte] >> at.shift & ((1 << layout.bits) - 1);
  const int64_t entry = d / layout.group * kvPageTokens + slot;
  uint16_t scale;
  std::memcpy(&scale, bytes + layout.scalesOffset + entry * 2, 2);
  const int zero =
      layout.symmetric ? 1 << (layout.bits - 1) : bytes[layout.zeroPointsOffset + entry];
  return static_cast<float>(code - zero) * f16ToF32(scale);
}

} // namespace qrt::kernels
