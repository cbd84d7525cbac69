//===- GroupSums.h - sums of products of codes, scaled group by group ---------------------===//
//
// Codes are multiplied as exact integers; when a group of k ends its sums are scaled in f32 and
// added to the total. Scaling sums costs four multiply-adds per eight tokens and group, and is
// exact, where scaled weights would be rounded to 16 bits.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_GROUPSUMS_H
#define QRT_KERNELS_CUDA_LINEAR_GROUPSUMS_H

#include "kernels/cuda/linear/Dequantize.h"
#include "kernels/cuda/linear/Stages.h"

namespace qrt::cuda {

/// Of a warp that has `panels` panels and 8 * tiles tokens; registers as mma's C.
template <WeightFormat format, class T, class Stage, int panels, int tiles>
struct GroupSums {
  using Codes = ExactCodes<format, T>;
  using Sums = float[panels][tiles][4];

  static QRT_DEVICE void clear(Sums &sums) {
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel) {
      QRT_UNROLL
      for (int tile = 0; tile < tiles; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i)
          sums[panel][tile][i] = 0.0f;
      }
    }
  }

  /// total += sums * scale of the stage's group; sums begin again.
  static QRT_DEVICE void endGroup(const kernels::WeightView &weight, const uint8_t *stage,
                                  int group, Sums &sums, Sums &total) {
    QRT_UNROLL
    for (int panel = 0; panel < panels; ++panel) {
      const RowScales s = Stage::scales(weight.desc.scaleType, stage, panel, group);
      QRT_UNROLL
      for (int tile = 0; tile < tiles; ++tile) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i)
          total[panel][tile][i] += sums[panel][tile][i] * (i < 2 ? s.row : s.row8);
      }
    }
    clear(sums);
  }

  static QRT_DEVICE void readZeroPoints(const kernels::WeightView &weight, const uint8_t *stage,
                                        int group, Codes (&codes)[panels]) {
    if constexpr (kernels::isQuantized(format)) {
      QRT_UNROLL
      for (int panel = 0; panel < panels; ++panel) {
        const RowZeroPoints z = weight.desc.symmetric
                                    ? RowZeroPoints{symmetricCode<format>, symmetricCode<format>}
                                    : Stage::zeroPoints(stage, panel, group);
        codes[panel] = Codes(z.row, z.row8);
      }
    }
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_GROUPSUMS_H
