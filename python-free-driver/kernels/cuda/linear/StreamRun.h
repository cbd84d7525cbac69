//===- StreamRun.h - the run of a block that streams weights --------------------------------===//
//
// An item is itemPanels panels; a block, one per multiprocessor, has a run of items (or of slices
// of them, where there are few), and its warps have even runs of the block's quanta, each streaming
// its own through a private ring in shared memory (StreamStage.h). No barrier until all have ended;
// then the sums of items that lie in several warps' runs are added in order (StreamFinish.h).
// Weights are fetched before the kernel before has ended.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_STREAMRUN_H
#define QRT_KERNELS_CUDA_LINEAR_STREAMRUN_H

#include "kernels/cuda/linear/StreamFinish.h"

namespace qrt::cuda {

template <WeightFormat format, int tokenTiles, int groupHalves>
struct StreamRun {
  static constexpr int panels = streamItemPanels(format);
  using Stage = StreamStage<format, panels, groupHalves>;
  using Finish = StreamFinish<panels, tokenTiles>;
  using Sums = typename Finish::Sums;
  static constexpr int maxWarps = maxStreamWarps(format);
  static constexpr int fitting = 104 * 1024 / maxWarps / Stage::bytes;
  static constexpr int stages = fitting < 3 ? 3 : fitting > 6 ? 6 : fitting;
  using Ring = StreamRing<format, panels, groupHalves, stages>;
  static_assert(Finish::slotFloats(8 * tokenTiles) * 4 <= Ring::bytes,
                "the last sums take its place");

  /// Of shared memory: rings, two slots of sums per warp, a flag.
  static constexpr int bytes(int warps, int rows) {
    return warps * (Ring::bytes + 2 * Finish::slotFloats(rows) * 4) + 16;
  }

  /// `input()`: what a warp knows of the activations, once the kernel before has ended;
  /// `sum(ring, segment, input, sums)`: the sums of a segment, whose stages come next.
  template <class Input, class Sum>
  static QRT_DEVICE void run(const StreamLinearParams &p, const Input &input, const Sum &sum) {
    const int warpBits = blockThreads() == 512 ? 4 : blockThreads() == 256 ? 3 : 2;
    const StreamBlock block(p, warpBits);
    const int begin = block.firstOf(warpIndex()), end = block.firstOf(warpIndex() + 1);
    Ring ring(p, sharedMemory() + warpIndex() * Ring::bytes,
              StreamWalk(p, block.firstSlice, begin, end));
    waitForKernelBefore();
    const auto activations = input();
    const Finish finish{p, 1 << warpBits, reinterpret_cast<float *>(sharedMemory()),
                        Ring::bytes / 4};
    StreamWalk walk(p, block.firstSlice, begin, end);
    StreamSegment segment;
    QRT_NO_UNROLL
    while (walk.take(p, segment)) {
      const bool begins = segment.begin == 0, ends = segment.end == p.sliceQuanta;
      Sums total;
      sum(ring, segment, activations, total);
      if (begins && !ends) { // the last: no copy is on its way to the ring
        waitAsync<0>();
        syncWarp();
      }
      finish.store(!begins ? finish.headSlot(warpIndex())
                   : ends  ? finish.ownSlot(warpIndex())
                           : finish.tailSlot(warpIndex()),
                   total);
      if (begins && ends)
        finish.emitOwn(segment.item, segment.split);
    }
    waitAsync<0>();
    syncThreads();
    finish.addWarps(block);
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_STREAMRUN_H
