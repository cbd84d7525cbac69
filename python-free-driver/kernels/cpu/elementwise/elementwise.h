//===- elementwise.h - activation functions and element-wise arithmetic ------===//
//
// f32 [tokens, width] with row strides (in floats). dst may be any of the inputs. Formulas:
//
//   Gelu      x/2 (1 + erf(x / sqrt 2))           GeluTanh  x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715
//   x^3))) QuickGelu x / (1 + exp(-1.702 x))             Silu      x / (1 + exp(-x)) Softcap   c
//   tanh(x / c)                       Relu, Tanh, Sigmoid as usual
//
// Vector variants use polynomials; absolute error of each function is below 4e-7 * max(1, |x|).
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ELEMENTWISE_ELEMENTWISE_H
#define QRT_KERNELS_CPU_ELEMENTWISE_ELEMENTWISE_H

#include "kernels/cpu/threading/ThreadPool.h"

#include <cstdint>

namespace qrt::kernels {

enum class UnaryKind : uint8_t { Gelu, GeluTanh, QuickGelu, Silu, Relu, Tanh, Sigmoid, Softcap };

struct UnaryArgs {
  UnaryKind kind;
  float *dst;
  int64_t dstStride;
  const float *src;
  int64_t srcStride;
  int64_t tokens, width;
  float parameter = 0.0f; ///< Softcap: c > 0
};
void unary(ThreadPool &pool, const UnaryArgs &args);

/// dst = f(gate) * up: SwiGLU (Silu), GeGLU (Gelu, GeluTanh), ReGLU (Relu).
struct GatedArgs {
  UnaryKind kind;
  float *dst;
  int64_t dstStride;
  const float *gate;
  int64_t gateStride;
  const float *up;
  int64_t upStride;
  int64_t tokens, width;
  float parameter = 0.0f;
};
void gatedActivation(ThreadPool &pool, const GatedArgs &args);

enum class BinaryKind : uint8_t { Add, Sub, Mul, Div };
/// What the right operand is: [tokens, width], one row [width], or one number.
enum class Broadcast : uint8_t { None, Row, Scalar };

/// dst = lhs op rhs, or rhs op lhs where swapped.
struct BinaryArgs {
  BinaryKind kind;
  Broadcast broadcast = Broadcast::None;
  bool swapped = false;
  float *dst;
  int64_t dstStride;
  const float *lhs;
  int64_t lhsStride;
  const float *rhs;
  int64_t rhsStride = 0; ///< ignored for Row and Scalar
  int64_t tokens, width;
};
void binary(ThreadPool &pool, const BinaryArgs &args);

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ELEMENTWISE_ELEMENTWISE_H
