//===- ResidentLinear.h - products of 9 to 16 tokens, whose activations stay -----------------===//
//
// What StreamLinear computes (items, rings, the product of a quantum: StreamStage.h,
// StreamProduct.h), for blocks that copy the activations of their slice of K into shared memory
// once (ResidentPlan.h). A block of (x, y) has a run of items and slice y; warp i the run i / items
// of the quanta of item i % items. When all have ended, the block adds the runs of each item in
// order; where K has several slices, the blocks of the same items add them through memory.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_RESIDENTLINEAR_H
#define QRT_KERNELS_CUDA_LINEAR_RESIDENTLINEAR_H

#include "kernels/cuda/linear/ResidentPlan.h"
#include "kernels/cuda/linear/StreamProduct.h"

namespace qrt::cuda {

template <WeightFormat format, int groupHalves>
struct ResidentLinear {
  using Params = StreamLinearParams;
  static constexpr int panels = streamItemPanels(format), tokenTiles = maxStreamRows / 8;
  using Stage = StreamStage<format, panels, groupHalves>;
  using Ring = StreamRing<format, panels, groupHalves, residentStages>;
  using Product = StreamProduct<format, F16, tokenTiles, groupHalves, true>;
  using Finish = StreamFinish<panels, tokenTiles>;
  static constexpr int threads = 32 * maxResidentWarps, minBlocks = 1;
  static constexpr bool waitsItself = true;
  static_assert(Finish::slotFloats(maxStreamRows) * 4 <= Ring::bytes, "sums take its place");
  static_assert(residentStages * residentStageBytes({format, 0, 0, groupHalves * 32}) ==
                    Ring::bytes,
                "what the plan counts");

  /// Rings, rows, a word.
  static constexpr int sharedBytes(const ResidentPlan &plan, int64_t rows) {
    return plan.warps * Ring::bytes + residentRowBytes(rows, plan.sliceQuanta);
  }

  static QRT_DEVICE void run(const Params &p) {
    const int block = blockIndex().x, split = blockIndex().y, more = p.blockRest;
    const int firstItem = block * p.blockSlices + (block < more ? block : more);
    const int items = p.blockSlices + (block < more ? 1 : 0);
    const auto run = int(uint32_t(warpIndex()) / uint32_t(items));
    const StreamSegment segment = {firstItem + warpIndex() - run * items, split, firstOf(p, run),
                                   run < p.runs ? firstOf(p, run + 1) : firstOf(p, run)};
    Ring ring(p, sharedMemory() + warpIndex() * Ring::bytes, StreamWalk(segment));
    waitForKernelBefore();
    auto *rows = reinterpret_cast<uint16_t *>(sharedMemory() + blockThreads() / 32 * Ring::bytes);
    copyRows(p, split, rows);

    // Rows begin with the slice's first k.
    typename Product::Rows from(p, rows, uint32_t(p.rowStride));
    QRT_UNROLL
    for (int tile = 0; tile < tokenTiles; ++tile)
      from.at[tile] -= uint32_t(split * p.sliceQuanta * Stage::quantumUnits * unitK);
    typename Product::Sums total;
    Product::sumSegment(p, ring, segment, from, total);
    waitAsync<0>(); // no copy is on its way to the ring
    syncWarp();
    const Finish finish{p, int(blockThreads() / 32), reinterpret_cast<float *>(sharedMemory()),
                        Ring::bytes / 4};
    finish.store(finish.tailSlot(warpIndex()), total);
    syncThreads();
    finish.addRuns(firstItem, items, split,
                   reinterpret_cast<uint32_t *>(rows + p.rows * p.rowStride));
  }

private:
  /// The first of a run's quanta; those of the runs behind the last are none.
  static QRT_DEVICE int firstOf(const Params &p, int run) {
    return run >= p.runs ? p.sliceQuanta : run * p.runQuanta + (run < p.runRest ? run : p.runRest);
  }

  /// The slice's k of all rows, zeros behind K.
  static QRT_DEVICE void copyRows(const Params &p, int split, uint16_t *rows) {
    const int pieces = p.sliceQuanta * (Stage::quantumUnits * unitK / 8); // of a row
    const int64_t first = int64_t(split) * pieces * 8, k = p.parts[0].weight.desc.k;
    QRT_NO_UNROLL
    for (int row = warpIndex(); row < p.rows; row += blockThreads() / 32) {
      const uint16_t *src = static_cast<const uint16_t *>(p.src.data) + row * p.src.stride;
      QRT_UNROLL_4
      for (int piece = laneIndex(); piece < pieces; piece += warpLanes) {
        const int64_t at = first + piece * 8, left = (k - at) * 2;
        const int bytes = left < 0 ? 0 : left > 16 ? 16 : int(left);
        copyAsync16(rows + row * p.rowStride + piece * 8, bytes ? src + at : src, bytes);
      }
    }
    commitAsync();
    waitAsync<0>();
    syncThreads();
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_RESIDENTLINEAR_H
