//===- scalar.cpp - the scalar vector kernels, which define the results -------===//
//
// The formulas of the public headers in float64, rounded once at the end: tests measure the vector
// variants' error against these. hadamard alone is f32 step by step: variants give its bits.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/attention/KvPairs.h"
#include "kernels/cpu/vector/Variants.h"

#include "qrt/Half.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qrt::kernels::scalar {

static void normalise(const NormArgs &args, int64_t begin, int64_t end, bool centred) {
  for (int64_t t = begin; t < end; ++t)
    for (int64_t at = 0; at < args.width; at += args.chunk) {
      const float *x = args.src + t * args.srcStride + at;
      float *y = args.dst + t * args.dstStride + at;
      double mean = 0.0, square = 0.0;
      for (int64_t i = 0; centred && i < args.chunk; ++i)
        mean += x[i] / static_cast<double>(args.chunk);
      for (int64_t i = 0; i < args.chunk; ++i)
        square += (x[i] - mean) * (x[i] - mean) / static_cast<double>(args.chunk);
      double factor = 1.0 / std::sqrt(square + args.epsilon);
      for (int64_t i = 0; i < args.chunk; ++i)
        y[i] = static_cast<float>((x[i] - mean) * factor * args.weight[i] +
                                  (centred && args.bias ? args.bias[i] : 0.0f));
    }
}

static void rmsNorm(const NormArgs &args, int64_t begin, int64_t end) {
  normalise(args, begin, end, false);
}

static void layerNorm(const NormArgs &args, int64_t begin, int64_t end) {
  normalise(args, begin, end, true);
}

static void rope(const RopeArgs &args, int64_t begin, int64_t end) {
  int64_t half = args.rotaryDim / 2;
  for (int64_t t = begin; t < end; ++t)
    for (int64_t head = 0; head < args.heads; ++head)
      for (int64_t i = 0; i < half; ++i) {
        float *x = args.x + t * args.stride + head * args.headDim;
        float &a = x[args.interleaved ? 2 * i : i];
        float &b = x[args.interleaved ? 2 * i + 1 : i + half];
        double c = args.cos[t * half + i], s = args.sin[t * half + i], oldA = a, oldB = b;
        a = static_cast<float>(oldA * c - oldB * s);
        b = static_cast<float>(oldB * c + oldA * s);
      }
}

static double evaluate(UnaryKind kind, double x, double parameter) {
  switch (kind) {
  case UnaryKind::Gelu:
    return 0.5 * x * (1.0 + std::erf(x * std::sqrt(0.5)));
  case UnaryKind::GeluTanh:
    return 0.5 * x * (1.0 + std::tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
  case UnaryKind::QuickGelu:
    return x / (1.0 + std::exp(-1.702 * x));
  case UnaryKind::Silu:
    return x / (1.0 + std::exp(-x));
  case UnaryKind::Relu:
    return x > 0.0 || std::isnan(x) ? x : 0.0;
  case UnaryKind::Tanh:
    return std::tanh(x);
  case UnaryKind::Sigmoid:
    return 1.0 / (1.0 + std::exp(-x));
  case UnaryKind::Softcap:
    return parameter * std::tanh(x / parameter);
  }
  return x;
}

static void unary(const UnaryArgs &args, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t)
    for (int64_t i = 0; i < args.width; ++i)
      args.dst[t * args.dstStride + i] =
          static_cast<float>(evaluate(args.kind, args.src[t * args.srcStride + i], args.parameter));
}

static void gated(const GatedArgs &args, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t)
    for (int64_t i = 0; i < args.width; ++i)
      args.dst[t * args.dstStride + i] = static_cast<float>(
          evaluate(args.kind, args.gate[t * args.gateStride + i], args.parameter) *
          args.up[t * args.upStride + i]);
}

static float evaluate(BinaryKind kind, float a, float b) {
  switch (kind) {
  case BinaryKind::Add:
    return a + b;
  case BinaryKind::Sub:
    return a - b;
  case BinaryKind::Mul:
    return a * b;
  case BinaryKind::Div:
    return a / b;
  }
  return a;
}

static void binary(const BinaryArgs &args, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < end; ++t)
    for (int64_t i = 0; i < args.width; ++i) {
      int64_t right = args.broadcast == Broadcast::None  ? t * args.rhsStride + i
                      : args.broadcast == Broadcast::Row ? i
                                                         : 0;
      float a = args.lhs[t * args.lhsStride + i], b = args.rhs[right];
      if (args.swapped)
        std::swap(a, b);
      args.dst[t * args.dstStride + i] = evaluate(args.kind, a, b);
    }
}

/// In f32 and in the order that the contract fixes.
static void hadamard(const HadamardArgs &args, int64_t begin, int64_t end) {
  const int64_t m = args.baseOrder, inner = args.block / m, blocks = args.width / args.block;
  const float factor = 1.0f / std::sqrt(static_cast<float>(args.block));
  for (int64_t row = begin; row < end; ++row) {
    const int64_t o = row % m, block = row / m % blocks, token = row / m / blocks;
    const float *x = args.src + token * args.srcStride + block * args.block;
    float *y = args.dst + token * args.dstStride + block * args.block + o * inner;
    for (int64_t k = 0; k < inner; ++k) {
      float sum = args.base ? 0.0f : x[k];
      for (int64_t i = 0; args.base && i < m; ++i)
        sum += args.base[i * m + o] * x[i * inner + k];
      y[k] = factor * sum;
    }
    for (int64_t half = 1; half < inner; half *= 2)
      for (int64_t k = 0; k < inner; ++k)
        if ((k & half) == 0) {
          const float a = y[k], b = y[k + half];
          y[k] = a + b;
          y[k + half] = a - b;
        }
  }
}

static double element(const AttentionSegment &segment, const AttentionTile &tile, bool isKey,
                      int64_t token, int64_t d) {
  const DType type = isKey ? segment.keyType : segment.valueType;
  const void *const *pages = isKey ? segment.kPages : segment.vPages;
  const auto *head = static_cast<const char *>(pages[token / kvPageTokens]) +
                     tile.kvHead * (isKey ? segment.keyHeadBytes : segment.valueHeadBytes);
  const int64_t slot = token % kvPageTokens;
  const int64_t index = isKey ? d * kvPageTokens + slot : slot * tile.valueDim + d;
  switch (type) {
  case DType::F32:
    return reinterpret_cast<const float *>(head)[index];
  case DType::F16:
    return f16ToF32(reinterpret_cast<const uint16_t *>(head)[index]);
  case DType::BF16:
    return bf16ToF32(reinterpret_cast<const uint16_t *>(
        head)[pairElement(isKey ? tile.headDim : tile.valueDim, isKey, slot, d)]);
  default: {
    const double value =
        readKvElement(isKey ? *tile.keyCodes : *tile.valueCodes, isKey, head, slot, d);
    return isKey && tile.balance ? value * tile.balance[d] : value;
  }
  }
}

static void attentionTile(const AttentionTile &tile) {
  constexpr double minusInfinity = -std::numeric_limits<double>::infinity();
  auto score = [&](const AttentionSegment &segment, int row, int64_t key) {
    double dot = 0.0;
    for (int64_t d = 0; d < tile.headDim; ++d) {
      const float q = tile.q[row * tile.headDim + d];
      dot += static_cast<double>(segment.keyType == DType::BF16 ? bf16ToF32(f32ToBf16(q)) : q) *
             element(segment, tile, true, key, d);
    }
    return tile.softcap > 0.0f ? tile.softcap * std::tanh(dot / tile.softcap) : dot;
  };
  auto forKeys = [&](int row, auto body) {
    for (const AttentionSegment &segment : std::span(tile.segments, size_t(tile.numSegments)))
      for (int64_t key = std::max(segment.firstKey, segment.from[row]);
           key < std::min(segment.endKey, segment.to[row]); ++key)
        body(segment, key);
  };
  for (int row = 0; row < tile.rows; ++row) {
    double maximum = minusInfinity, total = 0.0;
    forKeys(row, [&](const AttentionSegment &segment, int64_t key) {
      maximum = std::max(maximum, score(segment, row, key));
    });
    float *out = tile.sum + row * tile.valueDim;
    std::fill(out, out + tile.valueDim, 0.0f);
    forKeys(row, [&](const AttentionSegment &segment, int64_t key) {
      double weight = std::exp(score(segment, row, key) - maximum);
      total += weight;
      for (int64_t d = 0; d < tile.valueDim; ++d)
        out[d] += static_cast<float>(weight * element(segment, tile, false, key, d));
    });
    tile.maximum[row] = static_cast<float>(maximum);
    tile.total[row] = static_cast<float>(total);
  }
}

/// sum(e) in the order of the entries; the definition of sparse.h.
template <class Element>
static float sparseSum(const SparseMatrix &matrix, int64_t row, Element element) {
  float sum = 0.0f;
  for (int64_t e = matrix.rows[row]; e < matrix.rows[row + 1]; ++e)
    sum = std::fma(f16ToF32(matrix.values[e]), element(matrix.columns[e]), sum);
  return sum;
}

static void sparseRows(const SparseArgs &args, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row)
    for (int64_t t = 0; t < args.tokens; ++t)
      args.dst[t * args.dstStride + row] += sparseSum(
          args.matrix, row, [&](uint16_t column) { return args.src[t * args.srcStride + column]; });
}

static void sparseTile(const SparseTile &tile, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row)
    for (int64_t t = 0; t < tile.tokens; ++t)
      tile.dst[t * tile.dstStride + row] += sparseSum(tile.matrix, row, [&](uint16_t column) {
        return tile.columns[int64_t(column) * sparseTileTokens + t];
      });
}

extern const VectorKernels vectorKernels;
const VectorKernels vectorKernels = {
    .name = "scalar",
    .isa = Isa::Scalar,
    .rmsNorm = rmsNorm,
    .layerNorm = layerNorm,
    .rope = rope,
    .unary = unary,
    .gated = gated,
    .binary = binary,
    .hadamard = hadamard,
    .attentionTile = attentionTile,
    .sparseRows = sparseRows,
    .sparseTile = sparseTile,
};

} // namespace qrt::kernels::scalar
