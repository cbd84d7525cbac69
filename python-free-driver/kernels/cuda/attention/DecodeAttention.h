//===- DecodeAttention.h - one new row per sequence, its keys split over blocks ---------------===//
//
// Flash-decoding: grid (splits, kv heads x groups of 16 heads, rows). The rows of the tensor-core
// tile are the query heads of one kv head, so keys and values are read and dequantized once for all
// of them. Chunks of 16 keys go round the warps of the blocks that a sequence of this length takes;
// every warp streams its own through stages of its own (KvStage.h), without a barrier. The states
// of the warps are combined in shared memory, and those of the splits by the block that arrives
// last, in order. How many splits work follows from the length on the device, so a captured launch
// serves every length, and a short one in a graph for long ones takes a single block.
//
// Keys of earlier steps are read before the kernel before has ended: only the newest one may have
// been written by it. Or the newest keys and values are not in the cache yet (AttentionParams::k):
// then every block makes its own (FreshRow.h), and the first one stores them.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_DECODEATTENTION_H
#define QRT_KERNELS_CUDA_ATTENTION_DECODEATTENTION_H

#include "kernels/cuda/attention/DecodeCombine.h"
#include "kernels/cuda/attention/FreshRow.h"
#include "kernels/cuda/attention/KvStage.h"

namespace qrt::cuda {

template <int dimOf, DType keysOf, DType valuesOf = keysOf, bool hasPrecise = false>
struct DecodeAttention {
  using Params = FlashParams;
  using KeyStage = KvStage<dimOf, keysOf>;
  using ValueStage = KvStage<dimOf, valuesOf>;
  static constexpr bool coded = KeyStage::coded || ValueStage::coded;
  static_assert((KeyStage::coded && ValueStage::coded) || !hasPrecise);
  static constexpr bool waitsItself = true;
  static constexpr int dim = dimOf, warps = dim > 128 ? 4 : 8, threads = warps * warpLanes;
  // Two blocks per multiprocessor where 128 registers suffice.
  static constexpr int minBlocks = hasPrecise || dim > (coded ? 64 : 128) ? 1 : 2;
  static constexpr int stride = flashStride(dim);
  using Combine = DecodeCombine<dim, warps>;

  static constexpr int queryBytes = decodeHeads * stride * 2;
  static constexpr int tileBytes = coded ? KeyStage::tileBytes : 0;     ///< of a warp
  static constexpr int pairBytes = KeyStage::bytes + ValueStage::bytes; ///< of a stage of both
  static constexpr int workBytes(int stages) {
    const int bytes = warps * (tileBytes + stages * pairBytes);
    return bytes > Combine::bytes ? bytes : Combine::bytes; // results take the stages' place
  }
  static constexpr int stages = workBytes(3) <= 72 * 1024 ? 3 : workBytes(2) <= 76 * 1024 ? 2 : 1;
  static constexpr int freshAt = queryBytes + workBytes(stages) + 16;
  static constexpr int sharedBytes = freshAt + 2 * dim * 2;
  static_assert(sharedBytes <= 99 * 1024);
  static constexpr int pending = 2 * stages - 1; ///< copies that may be under way at a wait

  static QRT_DEVICE void run(const Params &params) {
    const AttentionParams &p = params.op;
    const int row = blockIndex().z;
    int kvHead = blockIndex().y, firstHead = 0;
    if (params.headTiles > 1) {
      kvHead = blockIndex().y / params.headTiles;
      firstHead = (blockIndex().y - kvHead * params.headTiles) * decodeHeads;
    }
    const int heads =
        params.group - firstHead < decodeHeads ? params.group - firstHead : decodeHeads;
    const RowPlace place = rowPlace(p.step, row);
    const int length = place.position + 1, window = int(p.window);
    const bool appends = p.k.data != nullptr;
    const int cached = appends ? length - 1 : length;
    const int first = window > 0 && length > window ? length - window : 0;
    const int firstChunk = first / stageKeys, chunkEnd = (length + stageKeys - 1) / stageKeys;
    // Two chunks of a warp are faster than one more block.
    const int wanted = (chunkEnd - firstChunk + 2 * warps - 1) / (2 * warps);
    const int active = wanted < params.splits ? wanted : params.splits;
    if (place.part < 0 || blockIndex().x >= active) {
      waitForKernelBefore();
      return;
    }

    auto *q = reinterpret_cast<uint16_t *>(sharedMemory());
    uint8_t *work = sharedMemory() + queryBytes;
    auto *flag = reinterpret_cast<uint32_t *>(work + workBytes(stages));
    uint8_t *mine = work + warpIndex() * (tileBytes + stages * pairBytes);
    auto *tile = reinterpret_cast<uint16_t *>(mine);
    uint8_t *stageBase = mine + tileBytes;
    const KeyStage keys(p, kvHead, true);
    const ValueStage values(p, kvHead, false);
    const int32_t *blocks = p.step.blocks + int64_t(place.part) * p.step.blockStride;
    const auto *pool = static_cast<const uint8_t *>(p.kv.base);
    const int begin = firstChunk + int(blockIndex().x) * warps + warpIndex(), step = active * warps;

    auto blockOf = [&](int chunk) {
      return pool +
             (chunk < chunkEnd ? loadGlobal(blocks + chunk * stageKeys / kvBlockTokens) : 0) *
                 p.kv.blockBytes;
    };
    int next = begin; ///< chunk that is fetched next
    const uint8_t *nextBlock = blockOf(next);
    auto fetchKeys = [&](uint8_t *to) {
      if (next < chunkEnd)
        keys.fetch(to, nextBlock, next * stageKeys % kvBlockTokens, cached - next * stageKeys);
      commitAsync();
    };
    auto fetchValues = [&](uint8_t *to) {
      if (next < chunkEnd)
        values.fetch(to, nextBlock, next * stageKeys % kvBlockTokens, cached - next * stageKeys);
      commitAsync();
      next += step;
      nextBlock = blockOf(next);
    };
    bool waited = false; // appending, all of the cache is from earlier steps
    QRT_NO_UNROLL
    for (int stage = 0; stage < stages; ++stage) {
      if (!waited && !appends && next >= chunkEnd - 1) { // the newest key, or nothing
        waitForKernelBefore();
        waited = true;
      }
      fetchKeys(stageBase + stage * pairBytes);
      fetchValues(stageBase + stage * pairBytes + KeyStage::bytes);
    }
    if (!waited)
      waitForKernelBefore();
    storeQueries(params, q, row, kvHead, firstHead, heads);
    auto *fresh = reinterpret_cast<uint16_t *>(sharedMemory() + freshAt);
    if (appends && warpIndex() >= warps - 2) { // those with the fewest queries
      const bool isKey = warpIndex() == warps - 1;
      const bool stores = blockIndex().x == 0 && firstHead == 0;
      if (keysOf == valuesOf || isKey)
        FreshRow<dim, keysOf>::template make<hasPrecise>(
            p, row, kvHead, isKey, place, stores, isKey ? fresh : fresh + dim, params.faults);
      else
        FreshRow<dim, valuesOf>::template make<hasPrecise>(p, row, kvHead, false, place, stores,
                                                           fresh + dim, params.faults);
    }
    syncThreads();

    FlashRows<dim> state;
    state.clear();
    const int lane = laneIndex();
    const KeyRange range[2] = {{first, length}, {first, length}};
    auto loadQuery = [&](int d, uint32_t (&a)[4]) {
      loadMatrix4(a, q + lane % 16 * stride + d + lane / 16 * 8);
    };
    uint32_t kept[dim <= 64 ? dim / 16 : 1][4]; // registers suffice for small heads
    if constexpr (dim <= 64) {
      QRT_UNROLL
      for (int d = 0; d < dim; d += 16)
        loadQuery(d, kept[d / 16]);
    }
    auto query = [&](int d, uint32_t (&a)[4]) {
      if constexpr (dim <= 64) {
        QRT_UNROLL
        for (int i = 0; i < 4; ++i)
          a[i] = kept[d / 16][i];
      } else {
        loadQuery(d, a);
      }
    };
    [[maybe_unused]] PreciseTokens preciseOfRow = {};
    if constexpr (hasPrecise)
      preciseOfRow = preciseTokens(p, place);
    auto preciseOf = [&](int chunk, bool isKey) {
      if constexpr (hasPrecise) {
        const int firstKey = chunk * stageKeys;
        PreciseRows precise = {nullptr,
                               {preciseOfRow.sink - firstKey, preciseOfRow.recent - firstKey}};
        if (precise.tokens.sink > 0 || precise.tokens.recent < stageKeys)
          precise.rows = precisePage(p.step, p.kv, place.part, firstKey, isKey) +
                         kvRowOffset(kvHead, firstKey % kvBlockTokens,
                                     isKey ? p.headDim : p.valueDim, DType::F16);
        return precise;
      } else {
        return NoPrecise();
      }
    };
    int stage = 0;
    bool overflow = false;
    QRT_NO_UNROLL
    for (int chunk = begin; chunk < chunkEnd; chunk += step) {
      uint8_t *k = stageBase + stage * pairBytes, *v = k + KeyStage::bytes;
      const int valid = cached - chunk * stageKeys;
      const bool isNewest = appends && chunk == chunkEnd - 1;
      float scores[stageKeys / 8][4];
      waitAsync<pending>();
      const uint16_t *opened =
          keys.open(k, tile, valid, isNewest ? fresh : nullptr, overflow, preciseOf(chunk, true));
      if constexpr (KeyStage::coded)
        fetchKeys(k); // the codes have been read
      state.template score<stageKeys>(scores, query, opened);
      state.template weigh<stageKeys>(scores, chunk * stageKeys, range, p.softcap);
      syncWarp(); // all lanes have left the keys
      if constexpr (!KeyStage::coded)
        fetchKeys(k);
      waitAsync<pending>();
      opened = values.open(v, tile, valid, isNewest ? fresh + dim : nullptr, overflow,
                           preciseOf(chunk, false));
      if constexpr (ValueStage::coded)
        fetchValues(v);
      state.template add<stageKeys>(scores, opened);
      syncWarp();
      if constexpr (!ValueStage::coded)
        fetchValues(v);
      stage = stage + 1 == stages ? 0 : stage + 1;
    }
    waitAsync<0>();
    if (keysOf == DType::BF16 && overflow && params.faults)
      atomicOr(params.faults, HalfOverflow);
    syncThreads(); // all have left the stages
    Combine::run(params, state, {row, kvHead, firstHead, heads, active}, work, flag);
  }

  /// The heads' queries, scaled, as f16 rows; zeros beyond heads and dims.
  static QRT_DEVICE void storeQueries(const Params &params, uint16_t *q, int row, int kvHead,
                                      int firstHead, int heads) {
    const AttentionParams &p = params.op;
    const float scale = p.scale * (p.softcap > 0.0f ? 1.0f : log2e);
    const auto headDim = int(p.headDim);
    bool overflow = false;
    const float *from = static_cast<const float *>(p.q.data) + row * p.q.stride +
                        (kvHead * params.group + firstHead) * headDim;
    QRT_UNROLL
    for (int i = 0; i < decodeHeads * dim / 4; i += threads) {
      const int at = i + threadIndex(), head = at / (dim / 4), column = at % (dim / 4) * 4;
      Float4 x = {};
      if (head < heads && column < headDim) {
        loadRotated(p, row, from + head * headDim, column, x.v);
        if (p.balance) {
          const Float4 balance = loadConstantFour(p.balance + kvHead * headDim + column);
          QRT_UNROLL
          for (int j = 0; j < 4; ++j)
            x.v[j] *= balance.v[j];
        }
        QRT_UNROLL
        for (int j = 0; j < 4; ++j)
          x.v[j] = clampToF16(x.v[j] * scale, overflow);
      }
      storeShared(reinterpret_cast<Words2 *>(q + head * stride + column),
                  Words2{{packF16(x.v[0], x.v[1]), packF16(x.v[2], x.v[3])}});
    }
    if (overflow && params.faults)
      atomicOr(params.faults, HalfOverflow);
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_DECODEATTENTION_H
