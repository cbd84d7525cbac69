//===- sparse.cpp - validation, transposition and split of sparse products ----===//
//
// Few tokens: rows read the source directly. From tileFrom tokens on, up to 64 of them are
// transposed first, 16 side by side, so that an entry is one broadcast and 16 tokens' products.
// The split is over rows of the matrix in both cases.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/sparse/sparse.h"

#include "kernels/cpu/vector/Variants.h"

#include <algorithm>

namespace qrt::kernels {

namespace {

/// From this many tokens on transposition pays.
constexpr int64_t tileFrom = 8;
/// Tokens that are transposed at once.
constexpr int64_t chunkTokens = 4 * sparseTileTokens;
/// Rows per split: enough entries to be worth a worker.
constexpr int64_t rowGrain = 64;

/// [tile][k][16], zeros behind the last token.
void transpose(const SparseArgs &args, int64_t firstToken, int64_t tokens, float *out,
               int64_t begin, int64_t end) {
  for (int64_t tile = 0; tile * sparseTileTokens < tokens; ++tile)
    for (int64_t lane = 0; lane < sparseTileTokens; ++lane) {
      const int64_t token = tile * sparseTileTokens + lane;
      const float *x = args.src + (firstToken + token) * args.srcStride;
      float *to = out + tile * args.k * sparseTileTokens + lane;
      for (int64_t k = begin; k < end; ++k)
        to[k * sparseTileTokens] = token < tokens ? x[k] : 0.0f;
    }
}

} // namespace

size_t sparseWorkspaceBytes(int64_t k, int64_t tokens) {
  if (tokens < tileFrom)
    return 0;
  const int64_t tiles = (std::min(tokens, chunkTokens) + sparseTileTokens - 1) / sparseTileTokens;
  return static_cast<size_t>(tiles * sparseTileTokens * k) * sizeof(float);
}

Status sparseAddWith(const VectorKernels &kernels, ThreadPool &pool, const SparseArgs &args,
                     Workspace &workspace) {
  if (args.tokens <= 0)
    return Status::ok();
  if (!args.matrix || !args.matrix.columns || !args.matrix.values || !args.src || !args.dst)
    return invalidArgument("sparse: null matrix, source or destination");
  if (args.tokens > 1 && (args.srcStride < args.k || args.dstStride < args.n))
    return invalidArgument("sparse: a row stride is shorter than the row");
  if (args.tokens < tileFrom) {
    pool.parallelFor(args.n, rowGrain, [&](int64_t begin, int64_t end, int) {
      kernels.sparseRows(args, begin, end);
    });
    return Status::ok();
  }
  QRT_RETURN_IF_ERROR(workspace.reserve(sparseWorkspaceBytes(args.k, args.tokens)));
  auto *columns = reinterpret_cast<float *>(workspace.data());
  for (int64_t first = 0; first < args.tokens; first += chunkTokens) {
    const int64_t tokens = std::min(chunkTokens, args.tokens - first);
    pool.parallelFor(args.k, rowGrain, [&](int64_t begin, int64_t end, int) {
      transpose(args, first, tokens, columns, begin, end);
    });
    pool.parallelFor(args.n, rowGrain, [&](int64_t begin, int64_t end, int) {
      for (int64_t tile = 0; tile * sparseTileTokens < tokens; ++tile) {
        const int64_t token = tile * sparseTileTokens;
        const SparseTile part = {args.dst + (first + token) * args.dstStride, args.dstStride,
                                 columns + token * args.k,
                                 std::min<int64_t>(sparseTileTokens, tokens - token), args.matrix};
        kernels.sparseTile(part, begin, end);
      }
    });
  }
  return Status::ok();
}

Status sparseAdd(ThreadPool &pool, const SparseArgs &args, Workspace &workspace) {
  return sparseAddWith(activeVectorKernels(), pool, args, workspace);
}

} // namespace qrt::kernels
