//===- attention.cpp - from a batch of sequences to attention tiles -----------===//
//
// Items (AttentionItems.h) are taken from a shared counter, costly ones first; a worker takes the
// next one before it starts with one, so that the end of each fetches the beginning of the next.
// The parts of sequences that were cut along the keys are merged afterwards, in order.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/attention/attention.h"

#include "kernels/cpu/attention/AttentionItems.h"
#include "kernels/cpu/attention/KvPairs.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>

namespace qrt::kernels {

namespace {

size_t alignUp(size_t bytes) { return (bytes + 63) / 64 * 64; }

/// Scratch of one worker, in floats; each array starts on a cache line. A query in codes or
/// rounded takes no more than one in floats and its padding; its scales and sums are one per
/// feature at most.
struct TileFloats {
  size_t q, scores, sum, state;
  TileFloats(int64_t headDim, int64_t valueDim)
      : q(alignUp(attentionTileRows * (headDim + 7) * 4) / 4),
        scores(alignUp(attentionTileRows * kvPageTokens * 4) / 4),
        sum(alignUp(attentionTileRows * valueDim * 4) / 4), state(attentionTileRows) {}
  size_t total() const { return 4 * q + scores + sum + 2 * state; }
};

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

  /// Computes an item; `fetched`: the one before it was told that this one follows.
  void runItem(const Item &item, const Item &following, bool fetched, int worker);
  /// Merges the splits of a one-token sequence into its output row.
  void merge(const AttentionSequence &sequence, const Cut &cut, const float *first);

  float *partialBase() const { return partials; }

private:
  /// Where the keys or values of an item most likely begin.
  PageHead firstPage(const Item &item, bool keys) const;
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

PageHead Runner::firstPage(const Item &item, bool keys) const {
  if (!item.sequence)
    return {};
  const KvView &kv = item.sequence->kv;
  const int64_t bytes = keys ? stored.key : stored.value;
  const void *const *pages = keys ? kv.kPages : kv.vPages;
  const void *page = pages[item.split * splitKeys / kvPageTokens];
  return {static_cast<const uint8_t *>(page) + item.kvHead * bytes, page ? bytes : 0};
}

void Runner::runItem(const Item &item, const Item &following, bool fetched, int worker) {
  const AttentionSequence &sequence = *item.sequence;
  const Cut &cut = item.cut;
  const int64_t split = item.split, headTile = item.headTile, kvHead = item.kvHead;
  int64_t group = args.heads / args.kvHeads;
  int64_t firstHead = kvHead * group + headTile * cut.headsPerTile;
  int64_t heads = std::min(cut.headsPerTile, (kvHead + 1) * group - firstHead);
  int64_t firstToken = item.tile * cut.tokensPerTile;
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
    sum = item.partial;
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
                        total,
                        fetched,
                        firstPage(following, true),
                        firstPage(following, false)};
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

} // namespace

size_t kvPageBytes(int64_t kvHeads, int64_t dim, DType type, bool isKey) {
  if (type == DType::BF16)
    return static_cast<size_t>(kvHeads * pairElements(dim, isKey)) * 2;
  if (type == DType::F32 || type == DType::F16)
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

  const int64_t workers = std::min<int64_t>(pool.size(), items);
  std::atomic<int64_t> next{workers}; // the first ones are dealt out
  pool.parallelFor(workers, 1, [&](int64_t begin, int64_t, int worker) {
    ItemWalk walk(args, runner.partialBase());
    Item upcoming = walk.find(begin);
    bool fetched = false;
    while (upcoming.sequence) {
      const Item item = upcoming;
      upcoming = walk.find(next++);
      runner.runItem(item, upcoming, fetched, worker);
      fetched = true;
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
