//===- Variants.h - the functions that one instruction set provides ----------===//
//
// linear() validates once, prepares the input and calls the functions of one table row;
// they work on a range of output rows, allocate nothing, use no globals and are re-entrant.
// Rows are listed in variants.inc, which is declaration and dispatch at once.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_LINEAR_VARIANTS_H
#define QRT_KERNELS_CPU_LINEAR_VARIANTS_H

#include "kernels/cpu/linear/Layout.h"

#include <span>

namespace qrt::kernels {

/// Steps that share a line, or three lines for U3: a kernel that has loaded them takes steps u,
/// units + u, 2 units + u, ..
static inline int stepsPerUnit(WeightFormat format) {
  return format == WeightFormat::U8   ? 1
         : format == WeightFormat::U4 ? 2
         : format == WeightFormat::U2 ? 4
                                      : 8;
}

/// How a variant wants integer activations. A step is four consecutive k (Layout.h).
struct InputForm {
  int tile = 1;       ///< tokens per tile; the last tile of a batch may be smaller
  int words = 1;      ///< int32 words per token and step
  bool int16 = false; ///< words are pairs of int16, (k, k+2) and (k+1, k+3); else int8 planes
  int fields = 1;     ///< the order of steps: step f * units + u is the (u * fields + f)th
};

/// Tiles of nearly one size: 4 tokens are 2 + 2, not 3 + 1, since a tile's cost has a fixed part.
static inline int balancedTile(int64_t m, int most) {
  const int64_t tiles = (m + most - 1) / most;
  return tiles > 0 ? static_cast<int>((m + tiles - 1) / tiles) : most;
}

/// Activations as integers, see Activation in linear.h. A tile of T tokens that starts at token t0
/// lies at t0 times the per-token size of each array:
///   values [step, in the form's order][T][words]  int8 planes: one word of four int8 (A8), or two,
///   hi and lo with
///                            a = 256 hi + lo (A16)
///   scales [block][T]
///   sums   [block][T]  sum of a over the block; symmetric formats: minus the zero point times that
struct IntegerInput {
  int32_t *values = nullptr;
  float *scales = nullptr;
  int32_t *sums = nullptr;
  InputForm form;
  Activation activation = Activation::A8;
};

struct QuantizeArgs {
  const float *src;
  int64_t srcStride;
  int64_t m, k;
  int32_t block;
  int64_t blocks;
  int32_t sumFactor;         ///< of out.sums: 1, or minus the zero point of symmetric codes
  const float *staticScales; ///< [blocks] or null
  IntegerInput out;
};

struct PanelArgs {
  const LinearArgs *linear;
  PanelGeometry geometry;
  IntegerInput input; ///< unused by the f32 functions
};

/// Tokens, in whole tiles, whose activations stay in a second-level cache while the panels pass:
/// with more, every panel would fetch them from further away.
static inline int64_t tokensInCache(const PanelArgs &args) {
  constexpr int64_t cacheBytes = 256 << 10;
  const int64_t perTile = args.geometry.paddedK * args.input.form.words * args.input.form.tile;
  const int64_t tiles = cacheBytes / perTile;
  return (tiles > 2 ? tiles : 2) * args.input.form.tile;
}

struct LinearKernels {
  const char *name;
  Isa isa;
  /// The form in which `panels` wants m tokens.
  InputForm (*inputForm)(WeightFormat format, Activation activation, int64_t m);
  /// Fills args.out for the blocks [begin, end) of all tiles, of which each has args.blocks.
  void (*quantizeInput)(const QuantizeArgs &args, int64_t begin, int64_t end);
  /// Output rows of panels [begin, end) for all tokens: integer activations ..
  void (*panels)(const PanelArgs &args, int64_t begin, int64_t end);
  /// .. and f32 arithmetic on dequantized weights.
  void (*panelsF32)(const PanelArgs &args, int64_t begin, int64_t end);
  /// Dense weights, output rows [begin, end).
  void (*dense)(const LinearArgs &args, int64_t begin, int64_t end);
  /// Rounds n values to bf16 (nearest even); null where denseBf16 is.
  void (*roundBf16)(const float *src, uint16_t *dst, int64_t n);
  /// Dense BF16 weights with src already rounded to bf16 (row stride in elements, rows padded with
  /// zeros to 64 bytes); null where the instruction set has no such product.
  void (*denseBf16)(const LinearArgs &args, const uint16_t *src, int64_t srcStride, int64_t begin,
                    int64_t end);
  /// One row of a dense weight as f32, up to its padding.
  void (*widenRow)(const WeightView &weight, int64_t row, float *out);
};

/// All variants of this build, oldest instruction set first.
std::span<const LinearKernels *const> linearVariants();

/// linear() and linears() with a given row, for tests and benchmarks.
Status linearWith(const LinearKernels &kernels, ThreadPool &pool, const LinearArgs &args,
                  Workspace &workspace);
Status linearsWith(const LinearKernels &kernels, ThreadPool &pool,
                   std::span<const LinearArgs> parts, Workspace &workspace);

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_LINEAR_VARIANTS_H
