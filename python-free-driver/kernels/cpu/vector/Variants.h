//===- Variants.h - vector kernels of one instruction set --------------------===//
//
// Normalisation, rotation, element-wise operations and attention tiles: all f32, written once as
// templates on a vector type and instantiated per instruction set; the scalar row is the
// definition, in obvious loops. Public contracts are in norm/, rope/, elementwise/, attention/.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_VECTOR_VARIANTS_H
#define QRT_KERNELS_CPU_VECTOR_VARIANTS_H

#include "kernels/cpu/Isa.h"
#include "kernels/cpu/attention/KvCodes.h"
#include "kernels/cpu/attention/attention.h"
#include "kernels/cpu/elementwise/elementwise.h"
#include "kernels/cpu/hadamard/hadamard.h"
#include "kernels/cpu/norm/norm.h"
#include "kernels/cpu/rope/rope.h"
#include "kernels/cpu/sparse/sparse.h"

#include <span>

namespace qrt::kernels {

/// Query rows that one attention tile takes at most.
inline constexpr int attentionTileRows = 32;

/// Pages that a tile reads one way: keys [firstKey, endKey) of one sequence. Row r sees those from
/// `from[r]` up to, not including, `to[r]`.
struct AttentionSegment {
  const void *const *kPages, *const *vPages;
  DType keyType, valueType;
  int64_t keyHeadBytes, valueHeadBytes; ///< from one kv head to the next inside a page
  int64_t firstKey, endKey;
  const int64_t *from, *to;
};

/// What of a page one kv head reads.
struct PageHead {
  const uint8_t *data = nullptr;
  int64_t bytes = 0;
};

/// Some rows of one kv head against the keys of some segments, in their order.
struct AttentionTile {
  const AttentionSegment *segments;
  int numSegments;
  int64_t kvHead, headDim, valueDim;
  int rows; ///< 1 .. attentionTileRows
  float softcap;
  const KvCodeLayout *keyCodes, *valueCodes; ///< of coded segments
  const float *balance;                      ///< [headDim], of coded keys; or null
  const float *q;                            ///< [rows, headDim], multiplied by scale
  int16_t *qCodes;                           ///< scratch for coded keys [rows, units * unit],
  float *qScales;                            ///< [rows, groups]
  int32_t *qSums;                            ///< [rows, groups]
  float *scores;                             ///< scratch [attentionTileRows, 64]
  float *sum;                                ///< out [rows, valueDim]: sum of exp(s - maximum) v
  float *maximum;                ///< out [rows]: near the largest s; -inf if the row sees no key
  float *total;                  ///< out [rows]: sum of exp(s - maximum)
  bool fetched;                  ///< the first page is already being fetched
  PageHead nextKeys, nextValues; ///< to be fetched towards the end: the next tile's
};

/// Tokens side by side in a tile of sparse products.
inline constexpr int sparseTileTokens = 16;

/// Up to 16 tokens, transposed.
struct SparseTile {
  float *dst; ///< of the first token
  int64_t dstStride;
  const float *columns; ///< [k][16], zeros for tokens that do not exist
  int64_t tokens;       ///< 1 .. 16
  SparseMatrix matrix;
};

struct VectorKernels {
  const char *name;
  Isa isa;
  // Tokens [begin, end) of the batch.
  void (*rmsNorm)(const NormArgs &args, int64_t begin, int64_t end);
  void (*layerNorm)(const NormArgs &args, int64_t begin, int64_t end);
  void (*rope)(const RopeArgs &args, int64_t begin, int64_t end);
  void (*unary)(const UnaryArgs &args, int64_t begin, int64_t end);
  void (*gated)(const GatedArgs &args, int64_t begin, int64_t end);
  void (*binary)(const BinaryArgs &args, int64_t begin, int64_t end);
  /// Rows [begin, end) of block / baseOrder results; each block has baseOrder of them.
  void (*hadamard)(const HadamardArgs &args, int64_t begin, int64_t end);
  void (*attentionTile)(const AttentionTile &tile);
  // Rows [begin, end) of the matrix, for at most 16 tokens.
  void (*sparseRows)(const SparseArgs &args, int64_t begin, int64_t end);
  void (*sparseTile)(const SparseTile &tile, int64_t begin, int64_t end);
};

/// All variants of this build, oldest instruction set first (vector/variants.inc).
std::span<const VectorKernels *const> vectorVariants();

/// The newest that activeIsa() allows.
const VectorKernels &activeVectorKernels();

/// attention() with a given row, for tests and benchmarks.
Status attentionWith(const VectorKernels &kernels, ThreadPool &pool, const AttentionArgs &args,
                     Workspace &workspace);

/// sparseAdd() with a given row, likewise.
Status sparseAddWith(const VectorKernels &kernels, ThreadPool &pool, const SparseArgs &args,
                     Workspace &workspace);

/// Tokens per split: so few that small batches stay on one thread, where a barrier costs more than
/// the work.
inline int64_t tokenGrain(int64_t width) { return width >= 4096 ? 1 : 4096 / (width + 1) + 1; }

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_VECTOR_VARIANTS_H
