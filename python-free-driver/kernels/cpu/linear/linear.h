//===- linear.h - matrix products with stored weights ------------------------===//
//
// dst[m, n] = sum over k of src[m, k] * w[n, k] + bias[n]
//
// where w is dense (F32, F16, BF16) or quantized:
//
//   w[n, k] = float(q[n, k] - z[n, k / g]) * float(s[n, k / g])
//
// with unsigned codes q of 8, 4, 3 or 2 bits, groups of g along k (g = 32, 64, 128, or 0: one
// group per row), scales s in f16 or f32, and zero points z: one byte per group, or
// 2^(bits-1) where the format is symmetric. docs/semantics.md defines how codes come about.
//
// How the input is treated (Activation):
//   F32  f32 arithmetic on the dequantized weights.
//   A16  per token and block of k (the group, 128 for per-channel weights): 16-bit fixed point
//        a = round(x / s_a), s_a = max|x| / 32512, exact integer dot products per block, f32
//        sums over blocks. With dense weights: F16 and F32 compute as F32, BF16 may round src to
//        bf16 where the processor multiplies bf16 (never for fewer than 16 tokens). An infinity or
//        a NaN in a block makes the token's result NaN.
//   A8   as A16 with a = round(x / s_a), s_a = max|x| / 127. Quantized weights only. With static
//        scales s_a is given per block, the same for every token, and a is clamped to +-127.
//
// The scalar variant defines the result. A8 and A16 with quantized weights give the same bits on
// every instruction set, for any number of threads and for any m a token is batched in.
// Dense products of many tokens may run in oneDNN (linear.cpp says when): the same bits for any
// number of threads, but the order of summation then depends on m.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_LINEAR_LINEAR_H
#define QRT_KERNELS_CPU_LINEAR_LINEAR_H

#include "kernels/cpu/Isa.h"
#include "kernels/cpu/Workspace.h"
#include "kernels/cpu/threading/ThreadPool.h"
#include "qrt/Status.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace qrt::kernels {

/// How the weights are stored. The numbers are part of the file format.
enum class WeightFormat : uint8_t { F32 = 0, F16 = 1, BF16 = 2, U8 = 3, U4 = 4, U3 = 5, U2 = 6 };
enum class ScaleType : uint8_t { F16 = 0, F32 = 1 };
enum class Activation : uint8_t { F32 = 0, A16 = 1, A8 = 2 };

/// True for the formats with codes and scales.
static constexpr bool isQuantized(WeightFormat format) { return format >= WeightFormat::U8; }
/// Bits of one stored weight, without scales.
static constexpr int weightBits(WeightFormat format) {
  switch (format) {
  case WeightFormat::F32:
    return 32;
  case WeightFormat::F16:
  case WeightFormat::BF16:
    return 16;
  case WeightFormat::U8:
    return 8;
  case WeightFormat::U4:
    return 4;
  case WeightFormat::U3:
    return 3;
  case WeightFormat::U2:
    return 2;
  }
  return 0;
}

struct WeightDesc {
  WeightFormat format = WeightFormat::F32;
  int64_t n = 0;                        ///< output features (rows)
  int64_t k = 0;                        ///< input features
  int32_t groupSize = 0;                ///< quantized: 32, 64, 128 or 0 (per channel); dense: 0
  bool symmetric = true;                ///< no zero point stream
  ScaleType scaleType = ScaleType::F16; ///< ignored for dense formats
};

/// A weight as it lies in the mapped file: pointers are 64-byte aligned and hold packedSizes()
/// bytes. scales and zeroPoints are null where the format has none.
struct WeightView {
  WeightDesc desc;
  const void *data = nullptr;
  const void *scales = nullptr;
  const uint8_t *zeroPoints = nullptr;
};

struct PackedSizes {
  size_t data = 0, scales = 0, zeroPoints = 0; ///< bytes
};

/// Number of groups per row: ceil(k / groupSize), 1 per channel.
int64_t groupsPerRow(const WeightDesc &desc);

/// Bytes of the three packed streams (Layout.h describes them). Validates the descriptor:
/// unknown format, sizes that are not positive or overflow, or a group size that is not
/// supported are InvalidArgument.
Result<PackedSizes> packedSizes(const WeightDesc &desc);

/// Packs codes [n, k] (one per byte), scales [n, G] and zero points [n, G] (null where symmetric)
/// into buffers of packedSizes() bytes. Codes must be below 2^bits. The descriptor must be valid
/// and quantized. Scales are rounded to f16 where scaleType says so.
void packQuantized(const WeightDesc &desc, const uint8_t *codes, const float *scales,
                   const uint8_t *zeroPoints, void *data, void *scalesOut, uint8_t *zeroPointsOut);

/// Packs dense f32 values [n, k], rounding to the descriptor's format (nearest, ties to even).
void packDense(const WeightDesc &desc, const float *values, void *data);

/// Inverse of packQuantized: codes [n, k].
void unpackCodes(const WeightView &weight, uint8_t *codes);
/// Scales [n, G] and, where not null, zero points [n, G] (2^(bits-1) where symmetric).
void unpackScales(const WeightView &weight, float *scales, uint8_t *zeroPoints);

/// One row as the model uses it, any format: out[k]. Embedding lookup and `qrun dump`.
void dequantizeRow(const WeightView &weight, int64_t row, float *out);

struct LinearArgs {
  float *dst = nullptr; ///< [m, n], row stride dstStride floats
  int64_t dstStride = 0;
  const float *src = nullptr; ///< [m, k], row stride srcStride floats; must not overlap dst
  int64_t srcStride = 0;
  int64_t m = 0; ///< tokens, >= 0
  WeightView weight;
  const float *bias = nullptr; ///< [n] or null
  Activation activation = Activation::F32;
  /// A8 only: static scales s_a, one per block of k, positive; null: those of the token.
  const float *activationScales = nullptr;
};

/// Computes the product. Grows the workspace if linearWorkspaceBytes() was not reserved.
/// InvalidArgument: invalid descriptor, missing stream, strides too small, A8 with dense weights.
Status linear(ThreadPool &pool, const LinearArgs &args, Workspace &workspace);

/// Several products of one input (q, k and v; gate and up): every part has the same src, srcStride,
/// m, k, activation and static scales, and no dst overlaps another's. Parts that groupable() finds
/// alike share one rounding of the input and one split over the threads; others run one after
/// another. Same results as linear().
Status linears(ThreadPool &pool, std::span<const LinearArgs> parts, Workspace &workspace);

/// Most parts of one call of linears().
inline constexpr int maxLinearParts = 8;

/// True if linears() runs products with these weights and integer activations as one: equal
/// formats, k, groups and symmetry.
bool groupable(const WeightDesc &a, const WeightDesc &b);

/// The same with the variant of one instruction set (tests, benchmarks). Unsupported if this
/// machine cannot execute it.
Status linearWith(Isa isa, ThreadPool &pool, const LinearArgs &args, Workspace &workspace);

/// Scratch bytes for products of up to maxM tokens on `threads` threads (0: all processors).
size_t linearWorkspaceBytes(const WeightDesc &desc, int64_t maxM, Activation activation,
                            int threads = 0);

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_LINEAR_LINEAR_H
