//===- Ops.h - The operations of the device, as the engine calls them ---------===//
//
// One struct of arguments and one launch function per operation. A launch enqueues work on a stream
// and returns; nothing is read before the stream reaches it. Everything here is plain data: the
// same declarations are compiled by nvcc, by the host compiler of the runtime and by that of the
// emulated library (docs/cuda.md), and no CUDA header is needed to read them.
//
// Contract of every launch:
//   * returns 0, or the number of a cudaError_t (1 = cudaErrorInvalidValue: arguments that no
//     variant takes); it never synchronises, allocates or copies, so it can be captured in a graph;
//   * arguments are copied at the launch and frozen by a capture. What changes from step to step is
//     read from device memory: StepState, and SamplerState in Sampler.h;
//   * rows of a batch that are not in use (StepState) are skipped or computed, never a fault;
//   * matrices are row-major, `stride` elements from row to row, 16-byte aligned at every row, and
//     readable there up to the next 16 bytes;
//   * results do not depend on the grid: sums have a fixed order.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_OPS_H
#define QRT_KERNELS_CUDA_OPS_H

#include "Support/SampleRow.h"
#include "kernels/cpu/elementwise/elementwise.h"
#include "kernels/cpu/linear/linear.h"
#include "qrt/DType.h"

#include <cstdint>

namespace qrt::cuda {

/// Where a launch goes and what it may assume of the device.
struct Launch {
  void *stream = nullptr;          ///< cudaStream_t, or the queue of the emulator
  int32_t capability = 0;          ///< 80, 89, 90 ...: 10 * major + minor
  int32_t multiprocessors = 0;     ///< SMs
  int32_t sharedBytesPerBlock = 0; ///< with opt-in
  uint32_t *faults = nullptr;      ///< device word that collects Fault bits
};

/// What a kernel found wrong with its data; or-ed into Launch::faults, never a trap.
enum Fault : uint32_t {
  HalfOverflow = 1, ///< a finite value beyond 65504 was stored in f16 as +-65504
  BadIndex = 2,     ///< a row of a table that does not exist
  NoToken = 4,      ///< the sampler: every logit is -inf or NaN, or one is +inf
};

/// Activations: f32, f16 or bf16, [rows, width].
struct Matrix {
  void *data = nullptr;
  int64_t stride = 0; ///< elements
  DType type = DType::F32;
};

/// Consecutive rows of one sequence in a step.
struct Part {
  int32_t firstRow;
  int32_t tokens;      ///< 0: a slot of the batch that is not in use
  int32_t position;    ///< of the first row; the cache then holds position + tokens tokens
  int32_t preciseFrom; ///< KvPool::recent: tokens before it have no precise copy
};

/// What a step works on; the arrays lie in device memory and are rewritten between steps.
struct StepState {
  const int32_t *ids = nullptr;       ///< [rows]
  const int32_t *positions = nullptr; ///< [rows]
  const int32_t *partOfRow = nullptr; ///< [rows], -1: row not in use
  const Part *parts = nullptr;        ///< [partCount]
  const int32_t *blocks = nullptr;    ///< [partCount, blockStride]: numbers of KV blocks
  /// [partCount, blockStride] or null: numbers of precise blocks, -1 where there is none.
  const int32_t *preciseBlocks = nullptr;
  const int32_t *selectedRows = nullptr; ///< rows whose logits are wanted
  int32_t partCount = 0;
  int32_t blockStride = 0;
};

/// Keys and values of one layer. Block b begins at base + b * blockBytes and holds kvBlockTokens
/// tokens of one sequence in every layer; this layer's keys and values lie at the two offsets, in
/// the layout of KvLayout.h.
struct KvPool {
  void *base = nullptr;
  int64_t blockBytes = 0, keyOffset = 0, valueOffset = 0;
  DType keyType = DType::F16, valueType = DType::F16; ///< F32, F16, BF16, I8, I4

  /// Null, or precise blocks, as kernels/cpu/attention/attention.h has them, for caches with codes:
  /// f16 copies of keys, divided by the balance, and values at preciseBase + b * preciseBytes. A
  /// query at p reads those of tokens below `sink` and above p - recent, from Part::preciseFrom on.
  void *preciseBase = nullptr;
  int64_t preciseBytes = 0, preciseKeyOffset = 0, preciseValueOffset = 0;
  int32_t sink = 0, recent = 0;

  constexpr DType type(bool isKey) const { return isKey ? keyType : valueType; }
};
inline constexpr int32_t kvBlockTokens = 64;

/// A weight in device memory. `data` is in the order of tensor-core fragments (Fragments.h), the
/// streams of scales and zero points are those of the file (kernels/cpu/linear/Layout.h).
using Weight = kernels::WeightView;

/// The data stream of a file's weight, as it lies there, into fragment order.
struct RepackParams {
  kernels::WeightDesc desc;
  const void *src = nullptr; ///< device memory
  void *dst = nullptr;       ///< repackedBytes(desc)
};

/// out[row] = table[index[row] + offset]; indices outside the table give rows of NaN.
struct EmbedParams {
  Weight table;
  const int32_t *index = nullptr;
  int64_t offset = 0, rows = 0;
  Matrix out; ///< [rows, table.desc.k]
};

/// Rounds rows to 8 bits, as the CPU does for A8 (kernels/cpu/linear/linear.h), in the layout of
/// Int8Layout.h.
struct QuantizeParams {
  Matrix src; ///< [rows, width], any type of activations
  int64_t rows = 0, width = 0;
  int32_t block = 0;                   ///< the weight's group; 128 where a row has one scale
  void *dst = nullptr;                 ///< int8Bytes(rows, width, block), 16-byte aligned
  const float *staticScales = nullptr; ///< one per block, for every row; null: those of the row
};

/// dst = src * weight^T + bias + add. f16/bf16 src: tensor cores with f32 sums; I8 src (quantized
/// weights only): exact integer products per block, f32 sums over blocks; f32 src: f32 arithmetic
/// on the dequantized weights.
struct LinearParams {
  Matrix src; ///< [rows, k]; I8: data is what Quantize wrote for as many rows, stride is not used
  Weight weight;
  const float *bias = nullptr; ///< [n] or null
  Matrix add;                  ///< [rows, n] f32, data null: none; may be dst
  Matrix dst;                  ///< [rows, n]
  int64_t rows = 0;
  void *workspace = nullptr; ///< linearWorkspaceBytes(); counters in it are zero before and after
};

/// Products of one src by up to three weights that differ in n and in their values, as one launch:
/// part i as Linear would compute it. rows <= maxGroupRows, and only what
/// linearGroupWorkspaceBytes() takes.
struct LinearPart {
  Weight weight;
  const float *bias = nullptr; ///< [n] or null
  Matrix add;                  ///< [rows, n] f32, data null: none; may be dst
  Matrix dst;                  ///< [rows, n]
};
inline constexpr int64_t maxGroupRows = 16;
struct LinearGroupParams {
  Matrix src; ///< [rows, k]: f16 or bf16, I8 as Linear's, or with normWeight f32
  /// [k] or null: the products are those of RmsNorm(src), rounded to bf16 for bf16 weights and else
  /// to f16.
  const float *normWeight = nullptr;
  float epsilon = 0;
  LinearPart parts[3];
  int32_t count = 0;
  /// Two parts of the same n: parts[0].dst = f(first product) * second product, without `add`s.
  bool gated = false;
  kernels::UnaryKind kind = kernels::UnaryKind::Silu;
  int64_t rows = 0;
  void *workspace = nullptr; ///< linearGroupWorkspaceBytes(); as Linear's
};

/// dst += src * matrix^T, as kernels/cpu/sparse/sparse.h, for any type of activations: f32 products
/// of f16 entries. The same sums for any number of rows.
struct SparseAddParams {
  Matrix src;                         ///< [rows, k], apart from dst
  const int32_t *rowStarts = nullptr; ///< [n + 1]: output i has entries rowStarts[i] .. [i + 1]
  const uint16_t *columns = nullptr;  ///< below k
  const uint16_t *values = nullptr;   ///< f16
  int64_t n = 0, k = 0;               ///< k <= 65536
  Matrix dst;                         ///< f32 [rows, n]
  int64_t rows = 0;
};

/// As kernels/cpu/norm/norm.h; with `add`, of src + add, which is stored in `sum`.
struct NormParams {
  bool rms = true;
  Matrix src, dst; ///< src f32
  const float *weight = nullptr, *bias = nullptr;
  int64_t rows = 0, width = 0, chunk = 0;
  float epsilon = 0;
  Matrix add, sum; ///< f32; add.data null: none. sum may be src or add.
};

/// cos and sin of position * inverseFrequency, as kernels::ropeTable: [rows, half] each.
struct RopeTableParams {
  const int32_t *positions = nullptr;
  const float *inverseFrequency = nullptr;
  int64_t rows = 0, half = 0;
  float scaling = 1;
  float *cos = nullptr, *sin = nullptr;
};

/// As kernels/cpu/rope/rope.h; src may be dst.
struct RopeParams {
  Matrix src, dst; ///< f32 [rows, heads * headDim]
  const float *cos = nullptr, *sin = nullptr;
  int64_t rows = 0, heads = 0, headDim = 0, half = 0;
  bool interleaved = false;
};

/// Writes the rows' keys and values to their places in the cache, rounding to its type, and copies
/// to those in precise blocks that there are.
struct KvAppendParams {
  Matrix k, v; ///< f32 [rows, kvHeads * headDim], [rows, kvHeads * valueDim]
  StepState step;
  KvPool kv;
  int64_t rows = 0, kvHeads = 0, headDim = 0, valueDim = 0;
  /// [kvHeads * headDim] or null: keys are divided by it before they are stored.
  const float *balance = nullptr;
  /// [rows, half] each, or null: keys are rotated (RopeParams) before that; k itself stays as it
  /// is.
  const float *cos = nullptr, *sin = nullptr;
  int64_t half = 0;
  bool interleaved = false;
  /// With cos: f32 [rows, heads * headDim], rotated in place; data null: none.
  Matrix q;
  int64_t heads = 0;
};

/// As kernels/cpu/attention/attention.h, for rows that were appended before or, with k and v, are
/// appended by this launch.
struct AttentionParams {
  Matrix q,
      dst; ///< q f32 [rows, heads * headDim]; dst [rows, heads * valueDim], apart from q, k, v
  StepState step;
  KvPool kv;
  int64_t rows = 0, heads = 0, kvHeads = 0, headDim = 0, valueDim = 0;
  float scale = 1, softcap = 0;
  int64_t window = 0;
  bool decode = false;    ///< every part has at most one row
  int64_t maxContext = 0; ///< no sequence is longer: bounds the number of splits
  void *workspace =
      nullptr; ///< attentionWorkspaceBytes(); counters in it are zero before and after
  /// [kvHeads * headDim] or null: queries are multiplied by it, as the keys were divided.
  const float *balance = nullptr;
  /// Null, or what KvAppend would be given first; with cos, q is rotated too, maybe in place.
  Matrix k, v;
  const float *cos = nullptr, *sin = nullptr;
  int64_t half = 0;
  bool interleaved = false;
};

/// dst = f(gate) * up.
struct GatedParams {
  kernels::UnaryKind kind = kernels::UnaryKind::Silu;
  Matrix gate, up, dst; ///< gate and up f32
  int64_t rows = 0, width = 0;
};

struct UnaryParams {
  kernels::UnaryKind kind = kernels::UnaryKind::Silu;
  Matrix src, dst; ///< src f32
  int64_t rows = 0, width = 0;
  float parameter = 0; ///< Softcap
};

struct BinaryParams {
  kernels::BinaryKind kind = kernels::BinaryKind::Add;
  kernels::Broadcast broadcast = kernels::Broadcast::None;
  bool swapped = false;
  Matrix lhs, rhs, dst; ///< lhs and rhs f32; Row, Scalar: rhs.data alone
  int64_t rows = 0, width = 0;
};

/// As kernels/cpu/hadamard/hadamard.h: per row and `block` features, dst = src (base (x) Walsh) /
/// sqrt(block). src and dst share no memory.
struct HadamardParams {
  Matrix src, dst; ///< src f32
  int64_t rows = 0, width = 0, block = 0;
  const float *base = nullptr; ///< [baseOrder, baseOrder], 16-byte aligned; null: order 1
  int64_t baseOrder = 1;       ///< block / baseOrder is a power of two up to maxWalshOrder
};
inline constexpr int64_t maxWalshOrder = 16384;

/// dst[row, i] = src[from(row), i] for i < width, from(row) = rowIndex ? rowIndex[row] : row.
/// Converts between f32 and f16 or bf16.
struct CopyParams {
  Matrix src, dst; ///< data may point into the middle of a row
  const int32_t *rowIndex = nullptr;
  int64_t rows = 0, width = 0;
};

/// Words of the sampler's scratch of a row: of its lists of candidates, and all.
inline constexpr int64_t sampleListWords = 8192;
constexpr int64_t sampleScratchWords(int64_t vocab) {
  return sampleListWords + 2560 + (vocab + 1) / 2 * 2;
}

/// Chooses a token per row of logits (Support/SampleRow.h), as the CPU's sampler does. The logits
/// are changed: penalties are applied in place.
struct SampleParams {
  float *logits = nullptr; ///< rows as those of a Matrix
  int64_t stride = 0;
  int64_t vocab = 0, count = 0;         ///< of the rows
  const SampleRow *rows = nullptr;      ///< [count]; a row of temperature 0 without lists is cheap
  const SampleEntry *entries = nullptr; ///< what the rows' lists refer to
  /// [count, sampleScratchWords(vocab)], 16-byte aligned: the first word of a row is zero before
  /// and after a launch.
  uint64_t *scratch = nullptr;
  /// [count], of the device or pinned memory of the host, which sees a result complete once its
  /// stamp is there.
  SampleResult *results = nullptr;
  const int32_t *fed = nullptr; ///< [count]: the tokens that rows which carry one have read
  int32_t *next = nullptr;      ///< null or [count]: also gets the tokens, 0 for none
};

/// Products of f32 matrices in f32, for calibration: element (i, j) is the sum over t of
/// a[i * aRow + t * aInner] * b[j * bRow + t * bInner], in the order of t.
struct ProductParams {
  const float *a = nullptr, *b = nullptr;
  int64_t aRow = 0, aInner = 0, bRow = 0, bInner = 0;
  int64_t rows = 0, columns = 0, inner = 0;
  float *dst = nullptr; ///< [rows, columns], rows dstStride apart: written, with `bias` added
  int64_t dstStride = 0;
  const float *bias = nullptr; ///< [columns] or null
  double *sum = nullptr;       ///< instead of dst, [rows, columns]: added to, in f64
  bool lowerOnly = false;      ///< tiles of 64 x 64 above the diagonal are left out
};

/// The operations: OP(name, Params) stands for int launchName(const Launch &, const Params &).
#define QRT_CUDA_OPS(OP)                                                                           \
  OP(Repack, RepackParams)                                                                         \
  OP(Embed, EmbedParams)                                                                           \
  OP(Linear, LinearParams)                                                                         \
  OP(LinearGroup, LinearGroupParams)                                                               \
  OP(SparseAdd, SparseAddParams)                                                                   \
  OP(Norm, NormParams)                                                                             \
  OP(RopeTable, RopeTableParams)                                                                   \
  OP(Rope, RopeParams)                                                                             \
  OP(KvAppend, KvAppendParams)                                                                     \
  OP(Attention, AttentionParams)                                                                   \
  OP(Gated, GatedParams)                                                                           \
  OP(Unary, UnaryParams)                                                                           \
  OP(Binary, BinaryParams)                                                                         \
  OP(Copy, CopyParams)                                                                             \
  OP(Hadamard, HadamardParams)                                                                     \
  OP(Quantize, QuantizeParams)                                                                     \
  OP(Sample, SampleParams)                                                                         \
  OP(Product, ProductParams)

#define QRT_CUDA_DECLARE(name, Params) int launch##name(const Launch &launch, const Params &params);
QRT_CUDA_OPS(QRT_CUDA_DECLARE)
#undef QRT_CUDA_DECLARE

/// Bytes of device memory that the operations need; 0 = none. For the weights of a format that no
/// kernel reads, repackedBytes() is -1.
int64_t repackedBytes(const kernels::WeightDesc &desc);
int64_t kvPageBytes(int64_t kvHeads, int64_t dim, DType type); ///< keys or values of one block; -1
/// Bytes of rounded activations; -1: no such block.
int64_t int8Bytes(int64_t rows, int64_t width, int32_t block);
int64_t linearWorkspaceBytes(const Launch &launch, const LinearParams &params);
/// -1: such a group is not taken, its products are to be launched one by one. Looks at params.rows
/// only in that; the bytes are those of any number of rows.
int64_t linearGroupWorkspaceBytes(const Launch &launch, const LinearGroupParams &params);
int64_t attentionWorkspaceBytes(const Launch &launch, const AttentionParams &params);

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_OPS_H
