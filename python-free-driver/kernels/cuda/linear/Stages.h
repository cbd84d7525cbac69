//===- Stages.h - a stage of the weight pipeline in shared memory ----------------------------===//
//
// A stage holds `units` consecutive units of `panels` panels, with the scales and zero points of
// the groups that they touch (at most two per unit), each panel's streams after one another:
//
//   data [panel][unit]     scales [panel][group][16], f16 or f32     zero points [panel][group][16]
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STAGES_H
#define QRT_KERNELS_CUDA_LINEAR_STAGES_H

#include "kernels/cuda/linear/LinearPlan.h"
#include "kernels/cuda/linear/UnitWords.h"
#include "kernels/cuda/linear/WeightElement.h"

namespace qrt::cuda {

template <WeightFormat format>
inline constexpr int symmetricCode = 1 << (laneWords(format) - 1);

/// Of the two rows that a lane has of a panel: p and p + 8.
struct RowScales {
  float row, row8;
};
struct RowZeroPoints {
  int row, row8;
};

template <WeightFormat format, int panels, int stageUnits>
struct WeightStage {
  static constexpr int units = stageUnits;
  static constexpr bool quantized = kernels::isQuantized(format);
  static constexpr int maxGroups = quantized ? 2 * units : 0;
  static constexpr int dataBytes = panels * units * unitBytes(format);
  /// f16 scales of all groups; f32 ones too, but of groups of 32 only for half of the units.
  static constexpr int panelScaleBytes = !quantized ? 0 : maxGroups < 4 ? 128 : maxGroups * 32;
  static constexpr int panelZeroBytes = maxGroups * 16;
  static constexpr int scaleStart = dataBytes, zeroStart = dataBytes + panels * panelScaleBytes;
  static constexpr int bytes = zeroStart + panels * panelZeroBytes;

  /// Units that the scales leave room for.
  static QRT_DEVICE int unitsOf(const kernels::WeightView &w) {
    return units > 1 && w.desc.scaleType == kernels::ScaleType::F32 && w.desc.groupSize == 32
               ? units / 2
               : units;
  }

  /// Starts the copies of one warp: units first .. end - 1 of the panels from firstPanel on; panels
  /// beyond the matrix are copies of its last one, whose results nobody takes.
  static QRT_DEVICE void fetch(const kernels::WeightView &w, const LinearWork &work, uint8_t *stage,
                               int firstPanel, int first, int end) {
    const int lane = laneIndex();
    QRT_UNROLL
    for (int i = 0; i < panels; ++i) {
      const int64_t panel = firstPanel + i < work.panels ? firstPanel + i : work.panels - 1;
      const auto *data = static_cast<const uint8_t *>(w.data) +
                         (panel * work.panelUnits + first) * unitBytes(format);
      const int bytes = (end - first) * unitBytes(format);
      uint8_t *to = stage + i * units * unitBytes(format);
      QRT_UNROLL
      for (int at = 0; at < units * unitBytes(format); at += warpLanes * 16)
        if (at + lane * 16 < bytes)
          copyAsync16(to + at + lane * 16, data + at + lane * 16);
      if constexpr (quantized) {
        static_assert(panelScaleBytes <= warpLanes * 16, "one copy per lane takes all scales");
        const int group = firstGroupOf(work.groupShift, first);
        int groups = ((end * unitK - 1) >> work.groupShift) - group + 1;
        groups = groups < work.groups - group ? groups : work.groups - group;
        const int scaleBytes = w.desc.scaleType == kernels::ScaleType::F32 ? 64 : 32;
        const int64_t at = panel * work.groups + group;
        if (lane * 16 < groups * scaleBytes)
          copyAsync16(stage + scaleStart + i * panelScaleBytes + lane * 16,
                      static_cast<const uint8_t *>(w.scales) + at * scaleBytes + lane * 16);
        if (!w.desc.symmetric && lane < groups)
          copyAsync16(stage + zeroStart + i * panelZeroBytes + lane * 16,
                      w.zeroPoints + (at + lane) * 16);
      }
    }
  }

  /// A lane's words of one unit.
  static QRT_DEVICE void words(const uint8_t *stage, int panel, int unit,
                               uint32_t (&words)[laneWords(format)]) {
    loadUnitWords<format>(stage + (panel * units + unit) * unitBytes(format), words);
  }

  /// `group` counts from the stage's first.
  static QRT_DEVICE RowScales scales(kernels::ScaleType type, const uint8_t *stage, int panel,
                                     int group) {
    const uint8_t *from = stage + scaleStart + panel * panelScaleBytes;
    const int at = group * kernels::panelRows + laneIndex() / 4;
    if (type == kernels::ScaleType::F32) {
      const auto *s = reinterpret_cast<const float *>(from) + at;
      return {loadShared(s), loadShared(s + 8)};
    }
    const auto *s = reinterpret_cast<const uint16_t *>(from) + at;
    return {floatOfF16(loadShared(s)), floatOfF16(loadShared(s + 8))};
  }
  static QRT_DEVICE RowZeroPoints zeroPoints(const uint8_t *stage, int panel, int group) {
    const uint8_t *from =
        stage + zeroStart + panel * panelZeroBytes + group * kernels::panelRows + laneIndex() / 4;
    return {loadShared(from), loadShared(from + 8)};
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_STAGES_H
