//===- TileFinish.h - the end of a tile of many tokens ----------------------------------------===//
//
// Eight warps, four along 128 outputs (two panels each) and two along the tokens, hold the sums of
// a tile as mma's C. They are brought into rows through shared memory, so that consecutive threads
// finish consecutive outputs; partial sums of several splits are added in order by the block that
// arrives last.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_TILEFINISH_H
#define QRT_KERNELS_CUDA_LINEAR_TILEFINISH_H

#include "kernels/cuda/linear/Epilogue.h"

namespace qrt::cuda {

inline constexpr int tileWarpPanels = 2;

template <int tokens>
struct TileFinish {
  static constexpr int threads = 256, warpTokens = tokens / 2, tiles = warpTokens / 8;
  /// Rows of tokens in shared memory, padded against bank conflicts.
  static constexpr int outputs = tilePanels * kernels::panelRows, rowFloats = outputs + 4;
  static constexpr int bytes = tokens * rowFloats * 4;

  /// The ring's stages must be free once all threads are here. sum(panel, tile, i): register i.
  template <class Sum>
  static QRT_DEVICE void run(const LinearParams &op, const LinearWork &work, int64_t firstPanel,
                             int64_t firstToken, int split, uint32_t *flag, const Sum &sumOf) {
    auto *rows = reinterpret_cast<float *>(sharedMemory());
    syncThreads();
    QRT_UNROLL
    for (int panel = 0; panel < tileWarpPanels; ++panel) {
      QRT_UNROLL
      for (int tile = 0; tile < tiles; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i) {
          const FragmentPlace at = fragmentC(laneIndex(), i);
          const int n = (warpIndex() % 4 * tileWarpPanels + panel) * kernels::panelRows + at.row;
          const int token = warpIndex() / 4 * warpTokens + tile * 8 + at.col;
          storeShared(rows + token * rowFloats + n, sumOf(panel, tile, i));
        }
      }
    }
    syncThreads();
    const int64_t firstN = firstPanel * kernels::panelRows;
    auto forOutputs = [&](const auto &body) {
      QRT_NO_UNROLL
      for (int at = threadIndex(); at < tokens * outputs; at += threads) {
        const int64_t row = firstToken + at / outputs, n = firstN + at % outputs;
        if (row < op.rows && n < op.weight.desc.n)
          body(row, n, rows + at / outputs * rowFloats + at % outputs);
      }
    };
    if (work.splits == 1) {
      forOutputs([&](int64_t row, int64_t n, const float *sum) {
        finishOutput(op, row, n, loadShared(sum), work.faults);
      });
      return;
    }
    forOutputs([&](int64_t row, int64_t n, const float *sum) {
      storeGlobal(partialSum(work, op.rows, split, row, n), loadShared(sum));
    });
    const int64_t item = int64_t(blockIndex().y) * gridSize().x + blockIndex().x;
    if (arriveLast(work, item, flag))
      forOutputs([&](int64_t row, int64_t n, const float *) {
        float sum = 0.0f;
        QRT_NO_UNROLL
        for (int i = 0; i < work.splits; ++i)
          sum += loadCoherent(partialSum(work, op.rows, i, row, n));
        finishOutput(op, row, n, sum, work.faults);
      });
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_TILEFINISH_H
