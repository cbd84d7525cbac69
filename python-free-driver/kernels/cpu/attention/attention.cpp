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

/// Scratch of one worker, in floats; each array starts on a cache line. A query in codes takes no
/// more than one in floats; its scales and sums are one per feature at most.
struct TileFloats {
  size_t q, scores, sum, state;
  TileFloats(int64_t headDim, int64_t valueDim)
      : q(alignUp(attentionTileRows * (headDim + 7) * 4) / 4),
        scores(alignUp(attentionTileRows * kvPageTokens * 4) / 4),
        sum(alignUp(attentionTileRows * valueDim * 4) / 4), state(attentionTileRows) {}
  size_t total() const { return 4 * q + scores + sum + 2 * state; }
};

/// Partial results of one item of a split sequence: sums, maxima, totals of its rows.
size_t partialFloats(int64_t headsPerTile, int64_t valueDim) {
  return alignUp(headsPerTile * (valueDim + 2) * 4) / 4;
}

class Runner {
public:
  Runner(const VectorKernels &kernels, const AttentionArgs &args, int threads, float *scratch)
      : kernels(kernels), args(args), perWorker(args.headDim, args.valueDim), scratch(scratch),
        partials(scratch + threads * perWorker.total()) {
    const KvView &kv = args.sequences[0].kv; // all have its types
    keyCodes = kvCodeLayout(args.headDim, kv.keyType, true);
    valueCodes = kvCodeLayout(args.valueDim, kv.valueType, false);
    auto headBytes = [&](int64_t dim, DType type, bool isKey) {
      return static_cast<int64_t>(kvPageBytes(1, dim, type, isKey));
    };
    stored = {headBytes(args.headDim, kv.keyType, true),
              headBytes(args.valueDim, kv.valueType, false)};
    precise = {headBytes(args.headDim, kvPreciseType, true),
               headBytes(args.valueDim, kvPreciseType, false)};
  }

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
  KvCodeLayout keyCodes, valueCodes;
  struct HeadBytes {
    int64_t key, value;
  } stored, precise;
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
  float *scores = q + 4 * perWorker.q, *sum = scores + perWorker.scores;
  float *maximum = sum + perWorker.sum, *total = maximum + perWorker.state;
  const KvView &kv = sequence.kv;
  const bool coded = keyCodes.bits || valueCodes.bits;
  // Segments: sinks, codes (or the whole cache), recent tokens.
  int64_t from[3][attentionTileRows], to[3][attentionTileRows];
  int rows = 0;
  for (int64_t t = firstToken; t < firstToken + tokens; ++t)
    for (int64_t h = 0; h < heads; ++h, ++rows) {
      int64_t position = sequence.position + t;
      int64_t begin = args.window > 0 ? std::max<int64_t>(0, position - args.window + 1) : 0;
      int64_t end = position + 1;
      int64_t sink = coded ? std::min(args.sink, end) : 0;
      int64_t recent = coded ? std::max({sink, end - args.recent, kv.preciseFrom}) : end;
      from[0][rows] = begin;
      to[0][rows] = sink;
      from[1][rows] = std::max(begin, sink);
      to[1][rows] = recent = std::min(recent, end);
      from[2][rows] = std::max(begin, recent);
      to[2][rows] = end;
      const float *x =
          args.q + (sequence.firstRow + t) * args.qStride + (firstHead + h) * args.headDim;
      for (int64_t d = 0; d < args.headDim; ++d)
        q[rows * args.headDim + d] = x[d] * args.scale;
    }
  AttentionSegment segments[3];
  int numSegments = 0;
  for (int i = 0; i < 3; ++i) {
    int64_t firstKey = std::numeric_limits<int64_t>::max(), endKey = 0;
    for (int row = 0; row < rows; ++row)
      if (from[i][row] < to[i][row]) {
        firstKey = std::min(firstKey, from[i][row]);
        endKey = std::max(endKey, to[i][row]);
      }
    if (cut.splits > 1) {
      firstKey = std::max(firstKey, split * splitKeys);
      endKey = std::min(endKey, (split + 1) * splitKeys);
    }
    if (firstKey >= endKey)
      continue;
    const bool fromCache = i == 1;
    segments[numSegments++] = {fromCache ? kv.kPages : kv.kPrecise,
                               fromCache ? kv.vPages : kv.vPrecise,
                               fromCache ? kv.keyType : kvPreciseType,
                               fromCache ? kv.valueType : kvPreciseType,
                               fromCache ? stored.key : precise.key,
                               fromCache ? stored.value : precise.value,
                               firstKey,
                               endKey,
                               from[i],
                               to[i]};
  }
  if (cut.splits > 1) {
    sum = partial;
    maximum = sum + heads * args.valueDim;
    total = maximum + heads;
  }
  const float *balance = args.keyBalance ? args.keyBalance + kvHead * args.headDim : nullptr;
  float *qCodes = q + perWorker.q, *qScales = qCodes + perWorker.q, *qSums = qScales + perWorker.q;
  AttentionTile tile = {segments,
                        numSegments,
                        kvHead,
                        args.headDim,
                        args.valueDim,
                        rows,
                        args.softcap,
                        &keyCodes,
                        &valueCodes,
                        balance,
                        q,
                        reinterpret_cast<int16_t *>(qCodes),
                        qScales,
                        reinterpret_cast<int32_t *>(qSums),
                        scores,
                        sum,
                        maximum,
                        total};
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
    if (s.kv.keyType != args.sequences[0].kv.keyType ||
        s.kv.valueType != args.sequences[0].kv.valueType)
      return Status::error(StatusCode::InvalidArgument,
                           "attention: caches of one call must have the same types");
    QRT_RETURN_IF_ERROR(checkKvTypes(args.headDim, s.kv.keyType, args.valueDim, s.kv.valueType));
  }
  return Status::ok();
}

/// Bytes of the partial results of one split sequence.
size_t partialBytes(const Cut &cut, int64_t kvHeads, int64_t valueDim) {
  return cut.splits > 1 ? cut.items(kvHeads) * partialFloats(cut.headsPerTile, valueDim) * 4 : 0;
}

} // namespace

size_t kvPageBytes(int64_t kvHeads, int64_t dim, DType type, bool isKey) {
  if (type == DType::F32 || type == DType::F16 || type == DType::BF16)
    return static_cast<size_t>(kvHeads * dim * kvPageTokens) * (type == DType::F32 ? 4 : 2);
  return static_cast<size_t>(kvHeads * kvCodeLayout(dim, type, isKey).headBytes);
}

Status checkKvTypes(int64_t headDim, DType keyType, int64_t valueDim, DType valueType) {
  const struct {
    const char *what;
    int64_t dim;
    DType type;
    bool isKey;
  } parts[] = {{"keys", headDim, keyType, true}, {"values", valueDim, valueType, false}};
  for (const auto &part : parts) {
    const DType type = part.type;
    if (type != DType::F32 && type != DType::F16 && type != DType::BF16 && type != DType::I8 &&
        type != DType::I4)
      return Status::error(StatusCode::InvalidArgument,
                           "attention: " + std::string(part.what) + " of type " +
                               std::string(name(type)) + "; a cache is f32, f16, bf16, i8 or i4");
    if (kvPageBytes(1, part.dim, type, part.isKey) == 0)
      return Status::error(StatusCode::Unsupported,
                           "attention: " + std::string(part.what) + " of " +
                               std::to_string(part.dim) + " features have no " +
                               std::string(name(type)) + " cache: above 256 features, groups of " +
                               (type == DType::I8 ? "128" : "32") + " must divide them");
  }
  return Status::ok();
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
  if (items == 0)
    return Status::ok();
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
