//===- Rotation.h - elements of a head, rotated on the way ------------------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_ROTATION_H
#define QRT_KERNELS_CUDA_ATTENTION_ROTATION_H

#include "kernels/cuda/Ops.h"
#include "kernels/cuda/device/Vectors.h"

namespace qrt::cuda {

template <int n>
QRT_DEVICE void loadFloats(const float *p, float (&x)[n]) {
  static_assert(n == 2 || n == 4);
  if constexpr (n == 4) {
    const Float4 four = loadFour(p);
    QRT_UNROLL
    for (int i = 0; i < 4; ++i)
      x[i] = four.v[i];
  } else {
    const auto words = loadGlobal(reinterpret_cast<const Words2 *>(p));
    x[0] = floatOfBits(words.w[0]);
    x[1] = floatOfBits(words.w[1]);
  }
}

/// Columns `column` .. `column` + n - 1, a multiple of n, of a head that starts at `from`, rotated
/// by the angles of batch row `row` (RopeParams) if there are any. p.half is a multiple of 4.
template <int n>
QRT_DEVICE void loadRotated(const AttentionParams &p, int64_t row, const float *from, int column,
                            float (&x)[n]) {
  loadFloats(from + column, x);
  const auto half = int(p.half);
  if (!p.cos || column >= 2 * half)
    return;
  if (p.interleaved) {
    QRT_UNROLL
    for (int i = 0; i < n; i += 2) {
      const int64_t at = row * half + (column + i) / 2;
      const float c = loadGlobal(p.cos + at), s = loadGlobal(p.sin + at), a = x[i], b = x[i + 1];
      x[i] = a * c - b * s;
      x[i + 1] = b * c + a * s;
    }
    return;
  }
  const bool isSecond = column >= half;
  const int pair = isSecond ? column - half : column;
  float other[n], c[n], s[n];
  loadFloats(from + (isSecond ? pair : pair + half), other);
  loadFloats(p.cos + row * half + pair, c);
  loadFloats(p.sin + row * half + pair, s);
  QRT_UNROLL
  for (int i = 0; i < n; ++i)
    x[i] = isSecond ? x[i] * c[i] + other[i] * s[i] : x[i] * c[i] - other[i] * s[i];
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_ROTATION_H
