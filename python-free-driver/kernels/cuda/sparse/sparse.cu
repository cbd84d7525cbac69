//===- sparse.cu - adds products with a sparse f16 matrix -----------------------------------===//
//
// The outliers of a quantized linear (kernels/cpu/sparse/sparse.h). Eight lanes share the entries
// of an output, whose places in the activations are anywhere: few tokens are gathered from global
// memory; of more, as many as make 16 bytes lie side by side in shared memory, so that one access
// serves all of them. A sum is the same, to the last bit, in either kernel and beside any tokens.
//
//===----------------------------------------------------------------------===//

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/device/Launch.h"

#include <algorithm>

namespace qrt::cuda {

namespace {

constexpr int outputLanes = 8;

/// Adds up over the lanes of an output; sums[0] is then that of token lane % tokens.
template <int tokens>
QRT_DEVICE void reduce(float (&sums)[tokens], int lane) {
  QRT_UNROLL
  for (int mask = outputLanes / 2; mask > 0; mask /= 2) {
    if (mask < tokens) { // half of the tokens stay, the others go to the lane that keeps those
      const bool upper = lane & mask;
      QRT_UNROLL
      for (int i = 0; i < mask; ++i) {
        const float mine = upper ? sums[i + mask] : sums[i];
        sums[i] = mine + shuffleXor(upper ? sums[i] : sums[i + mask], mask);
      }
    } else {
      QRT_UNROLL
      for (int i = 0; i < tokens; ++i)
        sums[i] += shuffleXor(sums[i], mask);
    }
  }
}

struct Entries {
  int first = 0, end = 0;
};
QRT_DEVICE Entries entriesOf(const SparseAddParams &p, int64_t output) {
  if (output >= p.n)
    return {};
  return {loadConstant(p.rowStarts + output), loadConstant(p.rowStarts + output + 1)};
}

/// Calls body(column, value) for this lane's share.
template <class Body>
QRT_DEVICE void forEntries(const SparseAddParams &p, Entries entries, int lane, const Body &body) {
  for (int at = entries.first + lane; at < entries.end; at += outputLanes)
    body(int(loadConstant(p.columns + at)), floatOfF16(loadConstant(p.values + at)));
}

template <int tokens>
QRT_DEVICE void addSums(const SparseAddParams &p, int64_t firstToken, int64_t output,
                        Entries entries, float (&sums)[tokens], int lane) {
  reduce(sums, lane);
  const int64_t token = firstToken + lane;
  if (lane >= tokens || token >= p.rows || entries.first == entries.end)
    return;
  float *to = static_cast<float *>(p.dst.data) + token * p.dst.stride + output;
  storeGlobal(to, loadGlobal(to) + sums[0]);
}

template <int tokens>
struct GatheredSparseAdd {
  using Params = SparseAddParams;
  static constexpr int threads = 128, minBlocks = 1, outputs = threads / outputLanes;
  static constexpr bool waitsItself = true;

  static QRT_DEVICE void run(const Params &p) {
    const int lane = threadIndex() % outputLanes;
    const int64_t output = int64_t(blockIndex().x) * outputs + threadIndex() / outputLanes;
    const int64_t firstToken = int64_t(blockIndex().y) * tokens;
    const Entries entries = entriesOf(p, output);
    waitForKernelBefore();
    float sums[tokens] = {};
    forEntries(p, entries, lane, [&](int column, float value) {
      QRT_UNROLL
      for (int t = 0; t < tokens; ++t)
        if (firstToken + t < p.rows)
          sums[t] += value * loadElement(p.src, (firstToken + t) * p.src.stride + column);
    });
    addSums(p, firstToken, output, entries, sums, lane);
  }
};

/// Activations of some tokens, [column][token], 16 bytes per column.
template <DType type>
struct TokenTile {
  static constexpr int tokens = 8;

  static QRT_DEVICE void load(const SparseAddParams &p, int64_t firstToken, int first, int step) {
    auto *tile = reinterpret_cast<Words4 *>(sharedMemory());
    const auto *src = static_cast<const uint16_t *>(p.src.data);
    for (int column = 2 * first; column < p.k; column += 2 * step) {
      uint32_t pairs[tokens];
      QRT_UNROLL
      for (int t = 0; t < tokens; ++t)
        pairs[t] = firstToken + t < p.rows ? loadGlobal(reinterpret_cast<const uint32_t *>(
                                                 src + (firstToken + t) * p.src.stride + column))
                                           : 0;
      Words4 low, high;
      QRT_UNROLL
      for (int i = 0; i < 4; ++i) {
        low.w[i] = permuteBytes(pairs[2 * i], pairs[2 * i + 1], 0x5410);
        high.w[i] = permuteBytes(pairs[2 * i], pairs[2 * i + 1], 0x7632);
      }
      storeShared(tile + column, low);
      storeShared(tile + column + 1, high);
    }
  }
  static QRT_DEVICE void add(float (&sums)[tokens], const Words4 &words, float value) {
    QRT_UNROLL
    for (int i = 0; i < 4; ++i) {
      sums[2 * i] += value * widen(uint16_t(words.w[i]));
      sums[2 * i + 1] += value * widen(uint16_t(words.w[i] >> 16));
    }
  }
  static QRT_DEVICE float widen(uint16_t bits) {
    return type == DType::F16 ? floatOfF16(bits) : floatOfBf16(bits);
  }
};
template <>
struct TokenTile<DType::F32> {
  static constexpr int tokens = 4;

  static QRT_DEVICE void load(const SparseAddParams &p, int64_t firstToken, int first, int step) {
    auto *tile = reinterpret_cast<Words4 *>(sharedMemory());
    const auto *src = static_cast<const uint32_t *>(p.src.data);
    for (int column = first; column < p.k; column += step) {
      Words4 words;
      QRT_UNROLL
      for (int t = 0; t < tokens; ++t)
        words.w[t] = firstToken + t < p.rows
                         ? loadGlobal(src + (firstToken + t) * p.src.stride + column)
                         : 0;
      storeShared(tile + column, words);
    }
  }
  static QRT_DEVICE void add(float (&sums)[tokens], const Words4 &words, float value) {
    QRT_UNROLL
    for (int i = 0; i < tokens; ++i)
      sums[i] += value * floatOfBits(words.w[i]);
  }
};

/// grid: tiles of tokens, slices of the outputs.
template <DType type>
struct SharedSparseAdd {
  using Params = SparseAddParams;
  using Tile = TokenTile<type>;
  static constexpr int threads = 256, minBlocks = 1, outputs = threads / outputLanes;

  static QRT_DEVICE void run(const Params &p) {
    const int64_t firstToken = int64_t(blockIndex().x) * Tile::tokens;
    Tile::load(p, firstToken, threadIndex(), threads);
    syncThreads();
    const auto *tile = reinterpret_cast<const Words4 *>(sharedMemory());
    const int lane = threadIndex() % outputLanes;
    QRT_NO_UNROLL
    for (int64_t first = int64_t(blockIndex().y) * outputs; first < p.n;
         first += int64_t(gridSize().y) * outputs) {
      const int64_t output = first + threadIndex() / outputLanes;
      const Entries entries = entriesOf(p, output);
      float sums[Tile::tokens] = {};
      forEntries(p, entries, lane, [&](int column, float value) {
        Tile::add(sums, loadShared(tile + column), value);
      });
      addSums(p, firstToken, output, entries, sums, lane);
    }
  }
};

template <int tokens>
int launchGathered(const Launch &launch, const SparseAddParams &params) {
  using Kernel = GatheredSparseAdd<tokens>;
  static_assert(WaitsItself<Kernel> && Kernel::waitsItself);
  const int64_t blocks = (params.n + Kernel::outputs - 1) / Kernel::outputs;
  const int64_t passes = (params.rows + tokens - 1) / tokens;
  if (blocks > INT32_MAX || passes > 65535)
    return invalidLaunch;
  return launchKernel<Kernel>(launch, {int32_t(blocks), int32_t(passes), 1}, 0, params);
}

template <DType type>
int launchShared(const Launch &launch, const SparseAddParams &params, int64_t sharedBytes) {
  using Kernel = SharedSparseAdd<type>;
  const int64_t tiles = (params.rows + Kernel::Tile::tokens - 1) / Kernel::Tile::tokens;
  if (tiles > INT32_MAX)
    return invalidLaunch;
  // Every block reads its tokens whole, so no more of them than fill the device.
  const int64_t blocks = std::max(launch.multiprocessors, 1) *
                         std::clamp<int64_t>(launch.sharedBytesPerBlock / sharedBytes, 1, 4);
  const int64_t most = std::min<int64_t>((params.n + Kernel::outputs - 1) / Kernel::outputs, 65535);
  const auto slices = int32_t(std::clamp<int64_t>(blocks / tiles, 1, most));
  return launchKernel<Kernel>(launch, {int32_t(tiles), slices, 1}, int(sharedBytes), params);
}

} // namespace

int launchSparseAdd(const Launch &launch, const SparseAddParams &params) {
  const DType type = params.src.type;
  const bool halves = type == DType::F16 || type == DType::BF16;
  if ((type != DType::F32 && !halves) || params.dst.type != DType::F32 || params.rows < 0 ||
      params.n <= 0 || params.k <= 0 || params.k > 65536 || !params.rowStarts)
    return invalidLaunch;
  if (params.rows == 0)
    return 0;
  if (params.rows == 1)
    return launchGathered<1>(launch, params);
  const int64_t sharedBytes = (params.k + 1) / 2 * 2 * int64_t(sizeof(Words4));
  if (params.rows <= 4 || sharedBytes > launch.sharedBytesPerBlock)
    return launchGathered<4>(launch, params);
  return type == DType::F16    ? launchShared<DType::F16>(launch, params, sharedBytes)
         : type == DType::BF16 ? launchShared<DType::BF16>(launch, params, sharedBytes)
                               : launchShared<DType::F32>(launch, params, sharedBytes);
}

} // namespace qrt::cuda
