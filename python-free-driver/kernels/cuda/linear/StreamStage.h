//===- StreamStage.h - the ring of StreamLinear's warps -----------------------------------===//
//
// K is cut in quanta of 128 (16-bit weights: 64), which are whole groups. A stage holds up to
// `quanta` of them of one or two panels, with the scales and zero points of their groups:
//
//   data [panel][quantum]     scales [panel][group][16], f16     zero points [panel][group][16]
//
// StreamCursor walks over a block's items and a warp's slice of K in each, run by run. A run is
// consecutive quanta; the quantum that K does not fill is one of its own, so that the others need
// no care.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMSTAGE_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMSTAGE_H

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/linear/LinearPlan.h"

namespace qrt::cuda {

struct StreamLinearParams {
  LinearParams op;
  LinearWork work;
  int32_t items = 0; ///< splits included
  /// The first sliceRest of the warps' slices of K have sliceQuanta + 1 quanta, the others
  /// sliceQuanta.
  int32_t sliceQuanta = 0, sliceRest = 0;
  int32_t fullQuanta = 0; ///< quanta that K fills
};

/// Quanta of one warp.
struct QuantumRange {
  int begin, end;
};
QRT_DEVICE QuantumRange sliceOf(const StreamLinearParams &p, int split) {
  const int at = split * streamWarps + warpIndex();
  const int begin = at * p.sliceQuanta + (at < p.sliceRest ? at : p.sliceRest);
  return {begin, begin + p.sliceQuanta + (at < p.sliceRest ? 1 : 0)};
}

template <WeightFormat format, int panels, int groupHalves>
struct StreamStage {
  static constexpr int quantumUnits = streamQuantumUnits(format);
  static constexpr int quanta = streamStageQuanta(format, panels);
  static constexpr int quantumBytes = quantumUnits * unitBytes(format);
  static constexpr int dataBytes = quanta * quantumBytes; ///< of a panel
  static constexpr int quantumGroups = groupHalves ? 2 * quantumUnits / groupHalves : 0;
  static constexpr int groups = quanta * quantumGroups;
  static constexpr int scaleStart = panels * dataBytes;
  static constexpr int zeroStart = scaleStart + panels * groups * kernels::panelRows * 2;
  static constexpr int bytes = zeroStart + panels * groups * kernels::panelRows;
  static_assert(groups * 2 <= warpLanes, "one copy per lane takes all scales");

  /// A lane's words of one unit.
  static QRT_DEVICE void words(const uint8_t *stage, int panel, int unit,
                               uint32_t (&words)[laneWords(format)]) {
    const uint8_t *from = stage + panel * dataBytes + unit * unitBytes(format);
    constexpr int v = vectorWords(format);
    QRT_UNROLL
    for (int word = 0; word < laneWords(format); word += v) {
      const auto *at =
          reinterpret_cast<const uint32_t *>(from) + wordOffset(format, laneIndex(), word);
      if constexpr (v == 4) {
        const Words4 got = loadShared(reinterpret_cast<const Words4 *>(at));
        QRT_UNROLL
        for (int i = 0; i < 4; ++i)
          words[word + i] = got.w[i];
      } else if constexpr (v == 2) {
        const Words2 got = loadShared(reinterpret_cast<const Words2 *>(at));
        words[word] = got.w[0];
        words[word + 1] = got.w[1];
      } else {
        words[word] = loadShared(at);
      }
    }
  }
  /// Row 0: p, 1: p + 8.
  static QRT_DEVICE float scale(const uint8_t *stage, int panel, int group, int row) {
    const int at = (panel * groups + group) * kernels::panelRows + laneIndex() / 4 + 8 * row;
    return floatOfF16(loadShared(reinterpret_cast<const uint16_t *>(stage + scaleStart) + at));
  }
  static QRT_DEVICE float zeroPoint(const uint8_t *stage, int panel, int group, int row) {
    const int at = (panel * groups + group) * kernels::panelRows + laneIndex() / 4 + 8 * row;
    return static_cast<float>(loadShared(stage + zeroStart + at));
  }
};

template <WeightFormat format, int panels, int groupHalves>
class StreamCursor {
  using Stage = StreamStage<format, panels, groupHalves>;

public:
  /// Items first .. end - 1 of the block.
  QRT_DEVICE StreamCursor(const StreamLinearParams &p, int firstItem, int endItem)
      : policy(streamPolicy()), itemsLeft(endItem - firstItem), item(firstItem / p.work.splits),
        split(firstItem % p.work.splits) {
    if (itemsLeft > 0)
      slice = sliceOf(p, split);
    runEnd = slice.begin;
    nextRun(p);
  }

  /// Starts the copies of the next stage, if there is one.
  QRT_DEVICE void fetch(const StreamLinearParams &p, uint8_t *stage) {
    if (left == 0)
      nextRun(p);
    if (left == 0)
      return;
    const int lane = laneIndex() * 16;
    const bool whole = left >= Stage::quanta;
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel) {
      uint8_t *to = stage + panel * Stage::dataBytes;
      QRT_UNROLL
      for (int at = 0; at < Stage::dataBytes; at += warpLanes * 16) {
        // Of less than a stage there is one quantum.
        constexpr int piece = warpLanes * 16;
        const bool inside =
            at + piece <= Stage::quantumBytes || at + lane < Stage::quantumBytes ||
            (whole && (at + piece <= Stage::dataBytes || at + lane < Stage::dataBytes));
        if (inside)
          copyAsyncStream16(to + at + lane, data[panel] + at, policy);
      }
      if constexpr (groupHalves != 0) {
        if (scalesLeft > 0)
          copyAsync16(stage + Stage::scaleStart + panel * Stage::groups * kernels::panelRows * 2 +
                          lane,
                      scales[panel]);
        if (zerosLeft > 0)
          copyAsync16(stage + Stage::zeroStart + panel * Stage::groups * kernels::panelRows + lane,
                      zeros[panel]);
        scales[panel] += Stage::groups * kernels::panelRows * 2;
        zeros[panel] += Stage::groups * kernels::panelRows;
      }
      data[panel] += Stage::dataBytes;
    }
    scalesLeft -= 2 * Stage::groups;
    zerosLeft -= Stage::groups;
    left = whole ? left - Stage::quanta : 0;
  }

private:
  /// Cold: once per run. Leaves `left` 0 where nothing follows.
  QRT_DEVICE void nextRun(const StreamLinearParams &p) {
    while (runEnd >= slice.end) {
      if (itemsLeft <= 1)
        return;
      --itemsLeft;
      if (++split == p.work.splits) {
        split = 0;
        ++item;
      }
      slice = sliceOf(p, split);
      runEnd = slice.begin;
    }
    const int first = runEnd;
    runEnd = first < p.fullQuanta && slice.end > p.fullQuanta ? p.fullQuanta : slice.end;
    left = runEnd - first;
    const LinearWork &work = p.work;
    const kernels::WeightView &w = p.op.weight;
    const int group = first * Stage::quantumGroups;
    QRT_UNROLL
    for (int i = 0; i < panels; ++i) {
      // Panels beyond the matrix are copies of its last one, whose results nobody takes.
      const int wanted = item * panels + i;
      const int64_t panel = wanted < work.panels ? wanted : work.panels - 1;
      data[i] = static_cast<const uint8_t *>(w.data) +
                (panel * work.panelUnits + first * Stage::quantumUnits) * unitBytes(format) +
                laneIndex() * 16;
      if constexpr (groupHalves != 0) {
        const int64_t at = (panel * work.groups + group) * kernels::panelRows;
        scales[i] = static_cast<const uint8_t *>(w.scales) + at * 2 + laneIndex() * 16;
        zeros[i] = w.zeroPoints + at + laneIndex() * 16;
      }
    }
    // A lane copies half of a group's scales, another one all of its zero points.
    constexpr int none = -(1 << 30);
    scalesLeft = laneIndex() < 2 * Stage::groups ? 2 * (work.groups - group) - laneIndex() : none;
    zerosLeft =
        laneIndex() < Stage::groups && !w.desc.symmetric ? work.groups - group - laneIndex() : none;
  }

  const uint8_t *data[panels], *scales[panels], *zeros[panels];
  uint64_t policy;
  int itemsLeft, item, split; ///< item: without splits
  int runEnd = 0, left = 0;
  int scalesLeft = 0, zerosLeft = 0; ///< of the panel, from this lane's piece on
  QuantumRange slice = {0, 0};
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMSTAGE_H
