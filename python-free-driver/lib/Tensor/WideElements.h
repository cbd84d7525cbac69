//===- WideElements.h - Runs of elements as doubles or 64-bit integers ------------------------===//
// How the products, model ops and quantization ops read and write tensors: a run at a time, so that
// no whole matrix is ever copied. Every element type fits: f64 holds all floats and all integers
// that these ops compute with in floating point, int64_t all integers modulo 2^64.
// Callers pass runs inside the tensor, with data.
#ifndef QRT_TENSOR_WIDEELEMENTS_H
#define QRT_TENSOR_WIDEELEMENTS_H

#include "Tensor/Tensor.h"

#include <cstdint>

namespace qrt::tensor {

/// Elements [first, first + count) of any type.
void widen(const Tensor &tensor, int64_t first, int64_t count, double *out);
/// The same for integers and booleans; u64 above 2^63 wraps.
void widen(const Tensor &tensor, int64_t first, int64_t count, int64_t *out);

/// Writes a run of floats: through f32 for f16 and bf16, rounding to nearest even.
void narrow(DType dtype, void *data, int64_t first, int64_t count, const double *values);
/// Writes a run of integers, wrapping to the width of `dtype`.
void narrow(DType dtype, void *data, int64_t first, int64_t count, const int64_t *values);

} // namespace qrt::tensor

#endif // QRT_TENSOR_WIDEELEMENTS_H
