//===- Int8Layout.h - activations of 8 bits as tensor cores take them -----------------===//
//
// What Quantize writes and products of I8 activations read, for `rows` rows of k features in blocks
// of `block` (the weight's group; 128 with one scale per row), as kernels/cpu/linear/linear.h
// defines A8:
//
//   codes   [row][unit][64], signed bytes; k is padded with zeros to whole pairs of units
//   scales  [block][row], f32, rows padded to four
//   sums    [block][row], int32: of a block's codes
//
// Of each unit lane t (= lane % 4) takes 16 consecutive bytes: the eight k of 8t .. 8t + 7 of both
// halves, each four of k in the order 0, 2, 1, 3 in which a mask finds the weights (WeightOrder.h).
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LAYOUT_INT8LAYOUT_H
#define QRT_KERNELS_CUDA_LAYOUT_INT8LAYOUT_H

#include "kernels/cpu/linear/Layout.h"
#include "kernels/cuda/layout/WeightOrder.h"

namespace qrt::cuda {

/// Features that share a scale in a product with this weight.
constexpr int int8Block(const WeightDesc &desc) {
  return desc.groupSize ? desc.groupSize : kernels::channelBlock;
}
/// Place of feature k of a unit in its 64 bytes.
constexpr int int8Place(int k) {
  return k % 32 / 8 * 16 + k / 32 * 8 + k % 8 / 4 * 4 + k % 2 * 2 + k % 4 / 2;
}

struct Int8Geometry {
  int64_t rowBytes; ///< of codes
  int64_t blocks, planeRows;
  int64_t scaleStart, sumStart, bytes;
};
constexpr Int8Geometry int8Geometry(int64_t rows, int64_t k, int block) {
  Int8Geometry g = {};
  g.rowBytes = (k + 2 * unitK - 1) / (2 * unitK) * (2 * unitK);
  g.blocks = (k + block - 1) / block;
  g.planeRows = (rows + 3) / 4 * 4;
  g.scaleStart = rows * g.rowBytes;
  g.sumStart = g.scaleStart + g.blocks * g.planeRows * 4;
  g.bytes = g.sumStart + g.blocks * g.planeRows * 4;
  return g;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LAYOUT_INT8LAYOUT_H
