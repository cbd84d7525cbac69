//===- product.cu - products of f32 matrices in f32 ----------------------------===//
//
// Tiles of 64 x 64 and 16 of the inner dimension in shared memory, 4 x 4 sums per thread. Every
// element is one chain of fused multiply-adds in the order of the inner index, so results depend
// on nothing else. Calibration only: no tensor cores, whose inputs would be rounded.
//
//===----------------------------------------------------------------------===//

#include "kernels/cuda/device/Launch.h"

#include <cmath>

namespace qrt::cuda {

namespace {

struct ProductKernel {
  using Params = ProductParams;
  static constexpr int threads = 256, minBlocks = 1;
  static constexpr int tile = 64, depth = 16, perThread = 4;
  static constexpr int stride = tile + 4; ///< of a row in shared memory: [depth][stride]
  static constexpr int sharedBytes = 2 * depth * stride * 4;

  /// One operand's tile, transposed: shared[t][i]. Outside of the matrix: zeros.
  static QRT_DEVICE void load(const float *from, int64_t rowStride, int64_t innerStride,
                              int64_t firstRow, int64_t rows, int64_t firstInner, int64_t inner,
                              float *shared) {
    for (int e = threadIndex(); e < tile * depth; e += threads) {
      // Neighbouring threads read neighbouring elements.
      const int i = innerStride == 1 ? e / depth : e % tile;
      const int t = innerStride == 1 ? e % depth : e / tile;
      const int64_t row = firstRow + i, at = firstInner + t;
      const bool inside = row < rows && at < inner;
      storeShared(shared + t * stride + i,
                  inside ? loadGlobal(from + row * rowStride + at * innerStride) : 0.0f);
    }
  }

  static QRT_DEVICE void run(const Params &p) {
    const int64_t firstRow = int64_t(blockIndex().y) * tile;
    const int64_t firstColumn = int64_t(blockIndex().x) * tile;
    if (p.lowerOnly && firstColumn > firstRow)
      return;
    auto *a = reinterpret_cast<float *>(sharedMemory()), *b = a + depth * stride;
    const int myRow = threadIndex() / 16 * perThread, myColumn = threadIndex() % 16 * perThread;
    float sums[perThread][perThread] = {};
    for (int64_t at = 0; at < p.inner; at += depth) {
      load(p.a, p.aRow, p.aInner, firstRow, p.rows, at, p.inner, a);
      load(p.b, p.bRow, p.bInner, firstColumn, p.columns, at, p.inner, b);
      syncThreads();
      QRT_UNROLL
      for (int t = 0; t < depth; ++t) {
        float left[perThread], right[perThread];
        QRT_UNROLL
        for (int i = 0; i < perThread; ++i) {
          left[i] = loadShared(a + t * stride + myRow + i);
          right[i] = loadShared(b + t * stride + myColumn + i);
        }
        QRT_UNROLL
        for (int i = 0; i < perThread; ++i)
          QRT_UNROLL
        for (int j = 0; j < perThread; ++j)
          sums[i][j] = fmaf(left[i], right[j], sums[i][j]);
      }
      syncThreads();
    }
    for (int i = 0; i < perThread; ++i)
      for (int j = 0; j < perThread; ++j) {
        const int64_t row = firstRow + myRow + i, column = firstColumn + myColumn + j;
        if (row >= p.rows || column >= p.columns)
          continue;
        if (p.sum) {
          double *to = p.sum + row * p.columns + column;
          storeGlobal(to, loadGlobal(to) + double(sums[i][j]));
        } else {
          const float bias = p.bias ? loadGlobal(p.bias + column) : 0.0f;
          storeGlobal(p.dst + row * p.dstStride + column, sums[i][j] + bias);
        }
      }
  }
};

} // namespace

int launchProduct(const Launch &launch, const ProductParams &params) {
  const int64_t down = (params.rows + ProductKernel::tile - 1) / ProductKernel::tile;
  const int64_t across = (params.columns + ProductKernel::tile - 1) / ProductKernel::tile;
  if (down > 65535 || across > INT32_MAX || !params.dst == !params.sum)
    return invalidLaunch;
  return launchKernel<ProductKernel>(launch, {int32_t(across), int32_t(down), 1},
                                     ProductKernel::sharedBytes, params);
}

} // namespace qrt::cuda
