//===- attention.cpp - from a batch of sequences to attention tiles -----------===//
//
// Work items are (sequence, kv head, run of query rows, run of keys). The heads that share a kv
// head go into one item, so keys and values are read once for all of them. Long caches with few
// query rows (decode) are cut along the keys and merged afterwards; where they are cut depends on
// the sequence alone, so results do not depend on the number of threads. Items are taken from a
// shared counter, costly ones first.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/attention/attention.h"

#include "kernels/cpu/vector/Variants.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>

namespace qrt::kernels {

namespace {

/// Keys of one item where a sequence has few query rows.
constexpr int64_t splitKeys = 1024;

/// How one sequence is cut into items.
struct Cut {
  int64_t tokensPerTile; ///< query tokens of one item
  int64_t tiles;
  int64_t headTiles;    ///< parts of a head group that exceeds a tile
  int64_t headsPerTile; ///< query heads of one item
  int64_t splits;       ///< runs of keys
  int64_t items(int64_t kvHeads) const { return tiles * headTiles * splits * kvHeads; }
};

Cut cutSequence(int64_t heads, int64_t kvHeads, int64_t tokens, int64_t length) {
  Cut cut;
  int64_t group = heads / kvHeads;
  cut.headsPerTile = std::min<int64_t>(group, attentionTileRows);
  cut.headTiles = (group + cut.headsPerTile - 1) / cut.headsPerTile;
  cut.tokensPerTile = std::max<int64_t>(1, attentionTileRows / cut.headsPerTile);
  cut.tiles = (tokens + cut.tokensPerTile - 1) / cut.tokensPerTile;
  cut.splits = tokens == 1 ? (length + splitKeys - 1) / splitKeys : 1;
  return cut;
}

size_t alignUp(size_t bytes) { return (bytes + 63) / 64 * 64; }

/// Scratch of one worker, in floats; each array starts on a cache line.
struct TileFloats {
  size_t q, scores, sum, state;
  TileFloats(int64_t headDim, int64_t valueDim)
      : q(alignUp(attentionTileRows * headDim * 4) / 4),
        scores(alignUp(attentionTileRows * kvPageTokens * 4) / 4),
        sum(alignUp(attentionTileRows * valueDim * 4) / 4), state(attentionTileRows) {}
  size_t total() const { return q + scores + sum + 2 * state; }
};

/// Partial results of one item of a split sequence: sums, maxima, totals of its rows.
size_t partialFloats(int64_t headsPerTile, int64_t valueDim) {
  return alignUp(headsPerTile * (valueDim + 2) * 4) / 4;
}

class Runner {
public:
  Runner(const VectorKernels &kernels, const AttentionArgs &args, int threads, float *scratch)
      : kernels(kernels), args(args), perWorker(args.headDim, args.valueDim), scratch(scratch),
        partials(scratch + threads * perWorker.total()) {}

  /// Computes item `index` of a sequence.
  void runItem(const AttentionSequence &sequence, const Cut &cut, int64_t index, float *partial,
               int worker);
  /// Merges the splits of a one-token sequence into its output row.
  void merge(const AttentionSequence &sequence, const Cut &cut, const float *first);

  float *partialBase() const { return partials; }

private:
  void writeRow(float *out, const float *sum, float total) {
    float factor = total > 0.0f || std::isnan(total) ? 1.0f / total : 0.0f;
    for (int64_t d = 0; d < args.valueDim; ++d)
      out[d] = sum[d] * factor;
  }

  const VectorKernels &kernels;
  const AttentionArgs &args;
  TileFloats perWorker;
  float *scratch;
  float *partials;
};

void Runner::runItem(const AttentionSequence &sequence, const Cut &cut, int64_t index,
                     float *partial, int worker) {
  int64_t split = index % cut.splits, rest = index / cut.splits;
  int64_t headTile = rest % cut.headTiles;
  rest /= cut.headTiles;
  int64_t kvHead = rest % args.kvHeads;
  int64_t tileIndex = cut.tiles - 1 - rest / args.kvHeads; // late rows see most keys: first
  int64_t group = args.heads / args.kvHeads;
  int64_t firstHead = kvHead * group + headTile * cut.headsPerTile;
  int64_t heads = std::min(cut.headsPerTile, (kvHead + 1) * group - firstHead);
  int64_t firstToken = tileIndex * cut.tokensPerTile;
  int64_t tokens = std::min(cut.tokensPerTile, sequence.tokens - firstToken);

  float *q = scratch + worker * perWorker.total();
  float *scores = q + perWorker.q, *sum = scores + perWorker.scores;
  float *maximum = sum + perWorker.sum, *total = maximum + perWorker.state;
  int64_t from[attentionTileRows], to[attentionTileRows];
  int rows = 0;
  int64_t lowest = std::numeric_limits<int64_t>::max(), highest = 0;
  for (int64_t t = firstToken; t < firstToken + tokens; ++t)
    for (int64_t h = 0; h < heads; ++h, ++rows) {
      int64_t position = sequence.position + t;
      from[rows] = args.window > 0 ? std::max<int64_t>(0, position - args.window + 1) : 0;
      to[rows] = position + 1;
      lowest = std::min(lowest, from[rows]);
      highest = std::max(highest, to[rows]);
      const float *x =
          args.q + (sequence.firstRow + t) * args.qStride + (firstHead + h) * args.headDim;
      for (int64_t d = 0; d < args.headDim; ++d)
        q[rows * args.headDim + d] = x[d] * args.scale;
    }
  int64_t firstKey = lowest, endKey = highest;
  if (cut.splits > 1) {
    firstKey = std::max(firstKey, split * splitKeys);
    endKey = std::min(endKey, (split + 1) * splitKeys);
    sum = partial;
    maximum = sum + heads * args.valueDim;
    total = maximum + heads;
  }
  AttentionTile tile = {&sequence.kv,  kvHead, args.kvHeads, args.headDim,
                        args.valueDim, rows,   firstKey,     std::max(firstKey, endKey),
                        from,          to,     args.softcap, q,
                        scores,        sum,    maximum,      total};
  kernels.attentionTile(tile);
  if (cut.splits > 1)
    return;
  for (int row = 0; row < rows; ++row) {
    int64_t token = sequence.firstRow + firstToken + row / heads;
    writeRow(args.dst + token * args.dstStride + (firstHead + row % heads) * args.valueDim,
             sum + row * args.valueDim, total[row]);
  }
}

void Runner::merge(const AttentionSequence &sequence, const Cut &cut, const float *first) {
  size_t stride = partialFloats(cut.headsPerTile, args.valueDim);
  int64_t group = args.heads / args.kvHeads;
  for (int64_t head = 0; head < args.heads; ++head) {
    int64_t kvHead = head / group, inGroup = head % group;
    int64_t headTile = inGroup / cut.headsPerTile, row = inGroup % cut.headsPerTile;
    int64_t rows = std::min(cut.headsPerTile, group - headTile * cut.headsPerTile);
    const float *part = first + (kvHead * cut.headTiles + headTile) * cut.splits * stride;
    float maximum = -std::numeric_limits<float>::infinity();
    for (int64_t split = 0; split < cut.splits; ++split)
      maximum = std::max(maximum, part[split * stride + rows * args.valueDim + row]);
    float *out = args.dst + sequence.firstRow * args.dstStride + head * args.valueDim;
    std::fill(out, out + args.valueDim, 0.0f);
    float total = 0.0f;
    for (int64_t split = 0; split < cut.splits; ++split) {
      const float *sum = part + split * stride;
      const float *state = sum + rows * args.valueDim;
      if (state[row] == -std::numeric_limits<float>::infinity())
        continue; // the window leaves nothing of this run
      float weight = std::exp(state[row] - maximum);
      total += weight * state[rows + row];
      for (int64_t d = 0; d < args.valueDim; ++d)
        out[d] += weight * sum[row * args.valueDim + d];
    }
    writeRow(out, out, total);
  }
}

Status validate(const AttentionArgs &args) {
  if (args.heads <= 0 || args.kvHeads <= 0 || args.headDim <= 0 || args.valueDim <= 0)
    return Status::error(StatusCode::InvalidArgument, "attention: a size is not positive");
  if (args.heads % args.kvHeads != 0)
    return Status::error(StatusCode::InvalidArgument,
                         "attention: " + std::to_string(args.heads) + " heads cannot share " +
                             std::to_string(args.kvHeads) + " kv heads");
  for (const AttentionSequence &s : args.sequences) {
    if (s.position < 0 || s.tokens < 0 || s.kv.length < s.position + s.tokens)
      return Status::error(StatusCode::InvalidArgument,
                           "attention: a cache of " + std::to_string(s.kv.length) +
                               " tokens is shorter than its queries' positions");
    if (kvPageBytes(1, 1, s.kv.type) == 0)
      return Status::error(StatusCode::InvalidArgument,
                           "attention: the cache must be f32, f16 or bf16");
  }
  return Status::ok();
}

/// Bytes of the partial results of one split sequence.
size_t partialBytes(const Cut &cut, int64_t kvHeads, int64_t valueDim) {
  return cut.splits > 1 ? cut.items(kvHeads) * partialFloats(cut.headsPerTile, valueDim) * 4 : 0;
}

} // namespace

size_t kvPageBytes(int64_t kvHeads, int64_t dim, DType type) {
  if (type != DType::F32 && type != DType::F16 && type != DType::BF16)
    return 0;
  return static_cast<size_t>(kvHeads * dim * kvPageTokens) * (type == DType::F32 ? 4 : 2);
}

size_t attentionWorkspaceBytes(int threads, int64_t heads, int64_t kvHeads, int64_t headDim,
                               int64_t valueDim, int64_t maxTokens, int64_t maxSequences,
                               int64_t maxContext) {
  size_t tiles = threads * TileFloats(headDim, valueDim).total() * 4;
  Cut longest = cutSequence(heads, kvHeads, 1, maxContext);
  return tiles + std::min(maxTokens, maxSequences) * partialBytes(longest, kvHeads, valueDim);
}

Status attentionWith(const VectorKernels &kernels, ThreadPool &pool, const AttentionArgs &args,
                     Workspace &workspace) {
  QRT_RETURN_IF_ERROR(validate(args));
  size_t bytes = pool.size() * TileFloats(args.headDim, args.valueDim).total() * 4;
  int64_t items = 0;
  for (const AttentionSequence &s : args.sequences) {
    Cut cut = cutSequence(args.heads, args.kvHeads, s.tokens, s.kv.length);
    bytes += partialBytes(cut, args.kvHeads, args.valueDim);
    items += cut.items(args.kvHeads);
  }
  QRT_RETURN_IF_ERROR(workspace.reserve(bytes));
  Runner runner(kernels, args, pool.size(), reinterpret_cast<float *>(workspace.data()));

  std::atomic<int64_t> next{0};
  pool.parallelFor(std::min<int64_t>(pool.size(), items), 1, [&](int64_t, int64_t, int worker) {
    int64_t base = 0;
    float *partial = runner.partialBase();
    size_t sequence = 0;
    for (int64_t item = next++; item < items; item = next++) {
      while (true) { // items only grow, so this walk never goes back
        const AttentionSequence &s = args.sequences[sequence];
        Cut cut = cutSequence(args.heads, args.kvHeads, s.tokens, s.kv.length);
        int64_t count = cut.items(args.kvHeads);
        if (item < base + count) {
          int64_t index = item - base;
          runner.runItem(s, cut, index,
                         partial + index * partialFloats(cut.headsPerTile, args.valueDim), worker);
          break;
        }
        base += count;
        partial += partialBytes(cut, args.kvHeads, args.valueDim) / 4;
        ++sequence;
      }
    }
  });

  const float *partial = runner.partialBase();
  for (const AttentionSequence &s : args.sequences) {
    Cut cut = cutSequence(args.heads, args.kvHeads, s.tokens, s.kv.length);
    if (cut.splits > 1)
      runner.merge(s, cut, partial);
    partial += partialBytes(cut, args.kvHeads, args.valueDim) / 4;
  }
  return Status::ok();
}

Status attention(ThreadPool &pool, const AttentionArgs &args, Workspace &workspace) {
  return attentionWith(activeVectorKernels(), pool, args, workspace);
}

} // namespace qrt::kernels
