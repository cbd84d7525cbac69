//===- StreamStage.h - the ring of StreamLinear's warps -----------------------------------===//
//
// K is cut in quanta of 128 (16-bit weights: 64), which are whole groups. A stage holds one quantum
// of one or two panels, with the scales and zero points of its groups:
//
//   data [panel][units]     scales [panel][group][16], f16     zero points [panel][group][16]
//
// A warp's work is a run of quanta of its block; StreamWalk takes it apart into segments, the parts
// of it in one slice of one item, and StreamCursor fetches segment after segment.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMSTAGE_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMSTAGE_H

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/linear/LinearPlan.h"
#include "kernels/cuda/linear/UnitWords.h"

namespace qrt::cuda {

struct StreamLinearParams {
  Matrix src;
  LinearPart parts[3]; ///< alike but for n and values
  int32_t lastPanel[3] = {};
  int32_t endItem[3]; ///< of the parts up to this one; behind the last part as of the last
  int32_t rows = 0;
  const float *normWeight = nullptr; ///< LinearGroupParams
  float epsilon = 0;
  int32_t rowStride =
      0;              ///< elements of a row in shared memory, where rows are copied or normalised
  bool gated = false; ///< panel 0 of item i is panel i of parts[0], panel 1 that of parts[1]
  kernels::UnaryKind kind = kernels::UnaryKind::Silu;
  int32_t items = 0, splits = 1; ///< slices: items * splits
  /// Slices (ResidentLinear: items) of every block, and how many blocks have one more.
  int32_t blockSlices = 0, blockRest = 0;
  /// ResidentLinear: warps of an item, quanta of each, and how many have one more.
  int32_t runs = 0, runQuanta = 0, runRest = 0;
  int32_t quanta = 0, sliceQuanta = 0;
  int32_t fullQuanta = 0;             ///< that K fills
  int32_t panelUnits = 0, groups = 0; ///< of one panel
  float *partials = nullptr;          ///< [splits][rows][16 * itemPanels * items]
  uint32_t *counters = nullptr, *faults = nullptr;
};

/// Where an item's panel lies.
struct StreamPanel {
  int part, panel; ///< panel: of the part; may lie beyond its last
};
template <int panels>
QRT_DEVICE StreamPanel streamPanel(const StreamLinearParams &p, int item, int panel) {
  if (p.gated)
    return {panel, item};
  const int part = item < p.endItem[0] ? 0 : item < p.endItem[1] ? 1 : 2;
  return {part, (part ? item - p.endItem[part - 1] : item) * panels + panel};
}
/// The panel whose weights are read: beyond the part's last one that one again, for nobody.
QRT_DEVICE int heldPanel(const StreamLinearParams &p, const StreamPanel &place) {
  const int last = p.lastPanel[place.part];
  return place.panel < last ? place.panel : last;
}
QRT_DEVICE const LinearPart &streamPart(const StreamLinearParams &p, int part) {
  return part == 0 ? p.parts[0] : part == 1 ? p.parts[1] : p.parts[2];
}

/// Quanta of one slice of one item, numbered in the slice; those beyond K are of no account.
struct StreamSegment {
  int item, split, begin, end;
};
class StreamWalk {
public:
  /// Quanta begin .. end - 1 of those of the block, whose first slice is firstSlice.
  QRT_DEVICE StreamWalk(const StreamLinearParams &p, int firstSlice, int begin, int end)
      : left(end - begin) {
    const auto index = int(uint32_t(begin) / uint32_t(p.sliceQuanta)), slice = firstSlice + index;
    at = begin - index * p.sliceQuanta;
    item = p.splits == 1 ? slice : int(uint32_t(slice) / uint32_t(p.splits));
    split = slice - item * p.splits;
  }
  QRT_DEVICE explicit StreamWalk(const StreamSegment &only)
      : left(only.end - only.begin), at(only.begin), item(only.item), split(only.split) {}
  QRT_DEVICE bool take(const StreamLinearParams &p, StreamSegment &segment) {
    if (left <= 0)
      return false;
    const int rest = p.sliceQuanta - at, count = rest < left ? rest : left;
    segment = {item, split, at, at + count};
    left -= count;
    at = 0;
    if (++split == p.splits) {
      split = 0;
      ++item;
    }
    return true;
  }

private:
  int left, at, item, split;
};
/// The first of a segment's quanta in K, and how many of them K has.
QRT_DEVICE int firstQuantum(const StreamLinearParams &p, const StreamSegment &s) {
  return s.split * p.sliceQuanta + s.begin;
}
QRT_DEVICE int quantaOf(const StreamLinearParams &p, const StreamSegment &s) {
  const int count = s.end - s.begin, inside = p.quanta - firstQuantum(p, s);
  return count < inside ? count : inside;
}

template <WeightFormat format, int panels, int groupHalves>
struct StreamStage {
  static constexpr int quantumUnits = streamQuantumUnits(format);
  static constexpr int dataBytes = quantumUnits * unitBytes(format); ///< of a panel
  static constexpr int groups = groupHalves ? 2 * quantumUnits / groupHalves : 0;
  static constexpr int scaleStart = panels * dataBytes;
  static constexpr int zeroStart = scaleStart + panels * groups * kernels::panelRows * 2;
  static constexpr int bytes = zeroStart + panels * groups * kernels::panelRows;
  /// Pieces of 16 bytes: one copy per lane takes all scales and zero points.
  static constexpr int scalePieces = panels * groups * 2, zeroPieces = panels * groups;
  static_assert(scalePieces + zeroPieces <= warpLanes);

  /// A lane's words of one unit.
  static QRT_DEVICE void words(const uint8_t *stage, int panel, int unit,
                               uint32_t (&words)[laneWords(format)]) {
    loadUnitWords<format>(stage + panel * dataBytes + unit * unitBytes(format), words);
  }
  /// Row 0: p, 1: p + 8.
  static QRT_DEVICE float scale(const uint8_t *stage, int panel, int group, int row) {
    const int at = (panel * groups + group) * kernels::panelRows + laneIndex() / 4 + 8 * row;
    return floatOfF16(loadShared(reinterpret_cast<const uint16_t *>(stage + scaleStart) + at));
  }
  static QRT_DEVICE int zeroCode(const uint8_t *stage, int panel, int group, int row) {
    const int at = (panel * groups + group) * kernels::panelRows + laneIndex() / 4 + 8 * row;
    return loadShared(stage + zeroStart + at);
  }
  static QRT_DEVICE float zeroPoint(const uint8_t *stage, int panel, int group, int row) {
    return static_cast<float>(zeroCode(stage, panel, group, row));
  }
};

template <WeightFormat format, int panels, int groupHalves>
class StreamCursor {
  using Stage = StreamStage<format, panels, groupHalves>;

public:
  QRT_DEVICE explicit StreamCursor(const StreamWalk &walk) : walk(walk) {}

  /// Starts the copies of the next stage, if there is one.
  QRT_DEVICE void fetch(const StreamLinearParams &p, uint8_t *stage) {
    if (left <= 0)
      nextSegment(p);
    if (left <= 0)
      return;
    const int lane = laneIndex() * 16;
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel) {
      QRT_UNROLL
      for (int at = 0; at < Stage::dataBytes; at += warpLanes * 16) {
        if (at + warpLanes * 16 <= Stage::dataBytes || at + lane < Stage::dataBytes)
          copyAsync16(stage + panel * Stage::dataBytes + at + lane, data[panel] + at);
      }
      data[panel] += Stage::dataBytes;
    }
    if constexpr (groupHalves != 0) {
      if (groupsLeft > 0)
        copyAsync16(stage + Stage::scaleStart + lane, piece);
      constexpr int step = Stage::groups * kernels::panelRows; // zero points are bytes, scales f16
      piece += laneIndex() >= Stage::scalePieces ? step : 2 * step;
      groupsLeft -= Stage::groups;
    }
    --left;
  }

private:
  /// Cold: once per segment. Leaves `left` 0 where nothing follows.
  QRT_DEVICE void nextSegment(const StreamLinearParams &p) {
    StreamSegment segment;
    do {
      if (!walk.take(p, segment))
        return;
      left = quantaOf(p, segment);
    } while (left <= 0);
    const int quantum = firstQuantum(p, segment);
    // This lane's piece of scales or zero points: one of panel minePanel, of group mineGroup.
    constexpr int groups = Stage::groups ? Stage::groups : 1;
    const int lane = laneIndex();
    const bool isZero = lane >= Stage::scalePieces;
    const int index = isZero ? lane - Stage::scalePieces : lane / 2;
    const int minePanel = index / groups, mineGroup = index % groups;
    groupsLeft = 0;
    QRT_UNROLL
    for (int i = 0; i < panels; ++i) {
      const StreamPanel at = streamPanel<panels>(p, segment.item, i);
      const kernels::WeightView &w = streamPart(p, at.part).weight;
      const int panel = heldPanel(p, at);
      data[i] = static_cast<const uint8_t *>(w.data) +
                int64_t(panel * p.panelUnits + quantum * Stage::quantumUnits) * unitBytes(format) +
                lane * 16;
      if constexpr (groupHalves != 0) {
        if (i != minePanel || (isZero && w.desc.symmetric))
          continue;
        const int64_t first =
            int64_t(panel * p.groups + quantum * groups + mineGroup) * kernels::panelRows;
        piece = isZero ? w.zeroPoints + first
                       : static_cast<const uint8_t *>(w.scales) + first * 2 + lane % 2 * 16;
        groupsLeft = p.groups - quantum * groups - mineGroup;
      }
    }
  }

  StreamWalk walk;
  const uint8_t *data[panels], *piece = nullptr;
  int left = 0;
  int groupsLeft = 0; ///< of this lane's piece, from its group on
};

/// A warp's ring of `stages` stages, which copies of a walk's quanta keep full.
template <WeightFormat format, int panels, int groupHalves, int stages>
class StreamRing {
  using Stage = StreamStage<format, panels, groupHalves>;

public:
  static constexpr int bytes = stages * Stage::bytes;

  /// Starts the first copies: of weights, which no kernel writes.
  QRT_DEVICE StreamRing(const StreamLinearParams &p, uint8_t *ring, const StreamWalk &walk)
      : ahead(walk), ring(ring) {
    QRT_NO_UNROLL
    for (int slot = 0; slot < stages - 1; ++slot) {
      ahead.fetch(p, ring + slot * Stage::bytes);
      commitAsync();
    }
  }
  /// The next stage, when it has arrived. All lanes have left the one before.
  QRT_DEVICE const uint8_t *next(const StreamLinearParams &p) {
    waitAsync<stages - 2>();
    syncWarp();
    ahead.fetch(p, ring + (at == 0 ? bytes : at) - Stage::bytes);
    commitAsync();
    const uint8_t *stage = ring + at;
    at = at + Stage::bytes == bytes ? 0 : at + Stage::bytes;
    return stage;
  }

private:
  StreamCursor<format, panels, groupHalves> ahead;
  uint8_t *ring;
  int at = 0; ///< of the next stage
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMSTAGE_H
