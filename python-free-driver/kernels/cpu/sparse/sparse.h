//===- sparse.h - products with a sparse f16 matrix --------------------------===//
//
// dst[t, row] += sum over the row's entries e of values[e] * src[t, columns[e]]
//
// The outliers of a quantized linear (SpQR, arXiv 2306.03078, section 4; SqueezeLLM, arXiv
// 2306.07629, section 4.2): the matrix is stored by rows, entries of one row by ascending column.
// f32 arithmetic: the sum starts at 0 and takes the entries in their order, one fused multiply-add
// each; then it is added to dst. So the result has the same bits on every instruction set, for any
// number of threads and of tokens. Rows are not changed where they have no entries.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_SPARSE_SPARSE_H
#define QRT_KERNELS_CPU_SPARSE_SPARSE_H

#include "kernels/cpu/Workspace.h"
#include "kernels/cpu/threading/ThreadPool.h"
#include "qrt/Status.h"

#include <cstddef>
#include <cstdint>

namespace qrt::kernels {

/// As it lies in the mapped file. Row r has the entries rows[r] to rows[r + 1].
struct SparseMatrix {
  const int32_t *rows = nullptr;     ///< [n + 1], from 0, never falling; null: no matrix
  const uint16_t *columns = nullptr; ///< below k, ascending in a row
  const uint16_t *values = nullptr;  ///< f16 bits

  explicit operator bool() const { return rows != nullptr; }
};

struct SparseArgs {
  float *dst = nullptr; ///< [tokens, n], row stride dstStride floats
  int64_t dstStride = 0;
  const float *src = nullptr; ///< [tokens, k], row stride srcStride floats; must not overlap dst
  int64_t srcStride = 0;
  int64_t tokens = 0;
  int64_t n = 0, k = 0;
  SparseMatrix matrix;
};

/// Adds the product. Indices are trusted (a file's are verified when it is opened). Grows the
/// workspace if sparseWorkspaceBytes() was not reserved. InvalidArgument: null pointers, strides
/// too small.
Status sparseAdd(ThreadPool &pool, const SparseArgs &args, Workspace &workspace);

/// Scratch bytes for products of up to `tokens` tokens.
size_t sparseWorkspaceBytes(int64_t k, int64_t tokens);

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_SPARSE_SPARSE_H
