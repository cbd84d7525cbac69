//===- layout.cpp - the one definition of the packed layout ------------------===//
//
// Sizes and scales; PanelCodes.h has the access to codes. Written for clarity: packing, unpacking
// and the scalar reference go through these functions; vector kernels are tested against them.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/linear/Layout.h"

#include "qrt/Half.h"

#include <cstring>
#include <string>

namespace qrt::kernels {

int64_t groupsPerRow(const WeightDesc &desc) {
  return desc.groupSize ? (desc.k + desc.groupSize - 1) / desc.groupSize : 1;
}

Result<PackedSizes> packedSizes(const WeightDesc &desc) {
  auto bad = [](const std::string &what) {
    return Status::error(StatusCode::InvalidArgument, "packed weight: " + what);
  };
  int bits = weightBits(desc.format);
  if (bits == 0)
    return bad("unknown format " + std::to_string(static_cast<int>(desc.format)));
  // The limit keeps every product below 2^63: n * k * 4 bytes.
  constexpr int64_t maxExtent = int64_t(1) << 30;
  if (desc.n <= 0 || desc.k <= 0 || desc.n > maxExtent || desc.k > maxExtent)
    return bad("size " + std::to_string(desc.n) + " x " + std::to_string(desc.k) +
               " is outside 1 .. 2^30");
  PackedSizes sizes;
  if (!isQuantized(desc.format)) {
    if (desc.groupSize != 0)
      return bad("a dense format has no groups");
    sizes.data = static_cast<size_t>(desc.n) * denseRowBytes(desc);
    return sizes;
  }
  if (desc.groupSize != 0 && desc.groupSize != 32 && desc.groupSize != 64 && desc.groupSize != 128)
    return bad("group size " + std::to_string(desc.groupSize) + " is not 0, 32, 64 or 128");
  if (desc.scaleType != ScaleType::F16 && desc.scaleType != ScaleType::F32)
    return bad("unknown scale type " + std::to_string(static_cast<int>(desc.scaleType)));
  PanelGeometry g = panelGeometry(desc);
  size_t groups = static_cast<size_t>(g.panels) * g.groups * panelRows;
  sizes.data = static_cast<size_t>(g.panels) * g.panelBytes;
  sizes.scales = groups * (desc.scaleType == ScaleType::F16 ? 2 : 4);
  sizes.zeroPoints = desc.symmetric ? 0 : groups;
  return sizes;
}

float loadScale(const WeightView &weight, const PanelGeometry &g, int64_t row, int64_t group) {
  int64_t index = (row / panelRows * g.groups + group) * panelRows + row % panelRows;
  if (weight.desc.scaleType == ScaleType::F32)
    return static_cast<const float *>(weight.scales)[index];
  return f16ToF32(static_cast<const uint16_t *>(weight.scales)[index]);
}

uint8_t loadZeroPoint(const WeightView &weight, const PanelGeometry &g, int64_t row,
                      int64_t group) {
  if (weight.desc.symmetric)
    return symmetricZeroPoint(weight.desc.format);
  return weight.zeroPoints[(row / panelRows * g.groups + group) * panelRows + row % panelRows];
}

} // namespace qrt::kernels
