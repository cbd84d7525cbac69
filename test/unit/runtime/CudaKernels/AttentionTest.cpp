//===- AttentionTest.cpp - the cache and attention over it on the emulator --------------===//

#include "DeviceWeight.h"
#include "kernels/cpu/attention/KvCodes.h"
#include "kernels/cuda/attention/KvElement.h"
#include "kernels/cuda/device/Launch.h"
#include "qrt/Half.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;

namespace {

struct Shape {
  int64_t heads, kvHeads, headDim, valueDim;
};

/// Of keys and values; one stands for both.
struct Types {
  DType keys, values;
  Types(DType both) : keys(both), values(both) {}
  Types(DType keys, DType values) : keys(keys), values(values) {}
  DType of(bool key) const { return key ? keys : values; }
};

/// A batch of sequences with contexts and new rows, its cache of shuffled blocks, and what
/// attention over the cache's content gives in float64.
struct Batch {
  Shape shape;
  Types types;
  std::vector<Part> parts;
  std::vector<int32_t> blocks, preciseBlocks, partOfRow;
  int32_t blockStride = 0;
  int64_t rows = 0;
  std::vector<Memory> memory; ///< the pool, and that of precise blocks
  KvPool pool;

  /// lengths: tokens of each sequence, newRows of them in this step; an unused row at the end.
  Batch(Shape shape, Types types, std::vector<std::pair<int32_t, int32_t>> lengths)
      : shape(shape), types(types) {
    int32_t total = 0;
    for (auto [length, fresh] : lengths)
      blockStride = std::max(blockStride, (length + kvBlockTokens - 1) / kvBlockTokens);
    blocks.assign(lengths.size() * size_t(blockStride), -1);
    std::vector<int32_t> numbers(lengths.size() * size_t(blockStride) + 3);
    for (size_t i = 0; i < numbers.size(); ++i)
      numbers[i] = int32_t(i);
    std::mt19937 random(5);
    for (size_t i = numbers.size(); i > 1; --i)
      std::swap(numbers[i - 1], numbers[random() % i]);
    for (size_t s = 0; s < lengths.size(); ++s) {
      auto [length, fresh] = lengths[s];
      parts.push_back({int32_t(rows), fresh, length - fresh, 0});
      for (int32_t i = 0; i < fresh; ++i)
        partOfRow.push_back(int32_t(s));
      rows += fresh;
      for (int32_t b = 0; b * kvBlockTokens < length; ++b)
        blocks[s * size_t(blockStride) + size_t(b)] = numbers[size_t(total++)];
    }
    partOfRow.push_back(-1);
    ++rows;
    pool.keyType = types.keys;
    pool.valueType = types.values;
    pool.keyOffset = 128;
    pool.valueOffset = pool.keyOffset + kvPageBytes(shape.kvHeads, shape.headDim, types.keys);
    pool.blockBytes = pool.valueOffset + kvPageBytes(shape.kvHeads, shape.valueDim, types.values);
    memory.emplace_back(numbers.size() * size_t(pool.blockBytes));
    pool.base = memory[0].data();
  }

  /// Before it is filled: tokens below `sink` and the last `recent` ones are read in f16, from
  /// `preciseFrom` on.
  void addPrecise(int32_t sink, int32_t recent, int32_t preciseFrom) {
    pool.sink = sink;
    pool.recent = recent;
    pool.preciseKeyOffset = 64;
    pool.preciseValueOffset =
        pool.preciseKeyOffset + kvPageBytes(shape.kvHeads, shape.headDim, DType::F16);
    pool.preciseBytes =
        pool.preciseValueOffset + kvPageBytes(shape.kvHeads, shape.valueDim, DType::F16);
    int32_t total = 0;
    for (size_t at = 0; at < blocks.size(); ++at) {
      const auto first = int32_t(at % size_t(blockStride)) * kvBlockTokens;
      const bool isKept = first < sink || (recent > 0 && first + kvBlockTokens > preciseFrom);
      preciseBlocks.push_back(blocks[at] >= 0 && isKept ? total++ : -1);
    }
    for (Part &part : parts)
      part.preciseFrom = preciseFrom;
    memory.emplace_back(size_t(total) * size_t(pool.preciseBytes) + 16);
    std::memset(memory[1].data(), 0, size_t(total) * size_t(pool.preciseBytes)); // finite
    pool.preciseBase = memory[1].data();
  }

  StepState step() const {
    StepState s;
    s.partOfRow = partOfRow.data();
    s.parts = parts.data();
    s.blocks = blocks.data();
    s.preciseBlocks = preciseBlocks.empty() ? nullptr : preciseBlocks.data();
    s.partCount = int32_t(parts.size());
    s.blockStride = blockStride;
    return s;
  }

  /// Fills the cache token by token through the append kernel: step after step, one row each.
  void fill(uint32_t seed) {
    for (size_t s = 0; s < parts.size(); ++s) {
      Batch one = *this;
      const int32_t length = parts[s].position + parts[s].tokens;
      one.parts = {{0, length, 0, 0}};
      one.blocks.assign(blocks.begin() + int64_t(s) * blockStride,
                        blocks.begin() + int64_t(s + 1) * blockStride);
      if (!preciseBlocks.empty())
        one.preciseBlocks.assign(preciseBlocks.begin() + int64_t(s) * blockStride,
                                 preciseBlocks.begin() + int64_t(s + 1) * blockStride);
      one.partOfRow.assign(size_t(length), 0);
      DeviceMatrix k(length, shape.kvHeads * shape.headDim, DType::F32),
          v(length, shape.kvHeads * shape.valueDim, DType::F32);
      k.set(randomValues(size_t(length * shape.kvHeads * shape.headDim), seed + uint32_t(s)));
      v.set(
          randomValues(size_t(length * shape.kvHeads * shape.valueDim), seed + 100 + uint32_t(s)));
      Device device;
      one.pool.base = pool.base;
      ASSERT_EQ(launchKvAppend(device.launch, {k.view(), v.view(), one.step(), pool, length,
                                               shape.kvHeads, shape.headDim, shape.valueDim}),
                0)
          << device.stream.error;
      keys.push_back(k.get());
      values.push_back(v.get());
    }
    for (const Memory &one : memory)
      ASSERT_TRUE(one.guardsIntact());
  }

  const uint8_t *page(size_t s, int64_t token, bool key) const {
    return static_cast<const uint8_t *>(pool.base) +
           blocks[s * size_t(blockStride) + size_t(token / kvBlockTokens)] * pool.blockBytes +
           (key ? pool.keyOffset : pool.valueOffset);
  }
  float cached(size_t s, int64_t token, bool key, int64_t head, int64_t i) const {
    return kvElement(types.of(key), page(s, token, key), shape.kvHeads, head, token % kvBlockTokens,
                     key ? shape.headDim : shape.valueDim, i);
  }

  float precise(size_t s, int64_t token, bool key, int64_t head, int64_t i) const {
    const int32_t block = preciseBlocks[s * size_t(blockStride) + size_t(token / kvBlockTokens)];
    const auto *page = static_cast<const uint8_t *>(pool.preciseBase) + block * pool.preciseBytes +
                       (key ? pool.preciseKeyOffset : pool.preciseValueOffset);
    return kvElement(DType::F16, page, shape.kvHeads, head, token % kvBlockTokens,
                     key ? shape.headDim : shape.valueDim, i);
  }
  /// What a query at `position` reads.
  float read(size_t s, int64_t position, int64_t token, bool key, int64_t head, int64_t i) const {
    if (pool.preciseBase &&
        (token < pool.sink || (token > position - pool.recent && token >= parts[s].preciseFrom)))
      return precise(s, token, key, head, i);
    return cached(s, token, key, head, i);
  }

  std::vector<double> reference(const std::vector<float> &q, float scale, float softcap,
                                int64_t window) const {
    std::vector<double> out(size_t(rows * shape.heads * shape.valueDim));
    for (int64_t row = 0; row + 1 < rows; ++row) {
      const auto s = size_t(partOfRow[size_t(row)]);
      const int64_t position = parts[s].position + row - parts[s].firstRow;
      const int64_t first = window ? std::max<int64_t>(0, position - window + 1) : 0;
      for (int64_t head = 0; head < shape.heads; ++head) {
        const int64_t kvHead = head / (shape.heads / shape.kvHeads);
        std::vector<double> scores;
        double most = -INFINITY, total = 0;
        for (int64_t key = first; key <= position; ++key) {
          double dot = 0;
          for (int64_t i = 0; i < shape.headDim; ++i)
            dot += double(q[size_t((row * shape.heads + head) * shape.headDim + i)]) *
                   read(s, position, key, true, kvHead, i);
          dot *= scale;
          scores.push_back(softcap > 0 ? softcap * std::tanh(dot / softcap) : dot);
          most = std::max(most, scores.back());
        }
        for (double &score : scores)
          total += score = std::exp(score - most);
        for (int64_t key = first; key <= position; ++key)
          for (int64_t i = 0; i < shape.valueDim; ++i)
            out[size_t((row * shape.heads + head) * shape.valueDim + i)] +=
                scores[size_t(key - first)] / total * read(s, position, key, false, kvHead, i);
      }
    }
    return out;
  }

  std::vector<std::vector<float>> keys, values;
};

/// What the CPU's cache would hold of one row.
std::vector<float> cachedByCpu(const float *x, int64_t dim, DType type) {
  std::vector<float> out(x, x + dim);
  if (type == DType::F16)
    for (float &v : out)
      v = f16ToF32(f32ToF16(v));
  if (type == DType::BF16)
    for (float &v : out)
      v = bf16ToF32(f32ToBf16(v));
  if (type == DType::F32 || type == DType::F16 || type == DType::BF16)
    return out;
  const kernels::KvCodeLayout layout = kernels::kvCodeLayout(dim, type, true);
  std::vector<uint8_t> head(size_t(layout.headBytes));
  kernels::writeKvToken(layout, true, x, nullptr, 5, head.data());
  for (int64_t i = 0; i < dim; ++i)
    out[size_t(i)] = kernels::readKvElement(layout, true, head.data(), 5, i);
  return out;
}

TEST(KvAppend, CacheHoldsWhatTheCpusCacheDoes) {
  for (Types types : {Types(DType::F32), Types(DType::F16), Types(DType::BF16), Types(DType::I8),
                      Types(DType::I4), Types(DType::I8, DType::I4), Types(DType::F32, DType::I8)})
    for (int64_t dim : {64, 80, 40, 256}) {
      Batch batch({4, 2, dim, dim}, types, {{70, 1}, {3, 3}});
      batch.fill(1);
      for (size_t s = 0; s < 2; ++s)
        for (size_t row = 0; row < batch.keys[s].size() / size_t(dim); ++row)
          for (bool key : {true, false}) {
            std::vector<float> expected =
                cachedByCpu((key ? batch.keys : batch.values)[s].data() + row * size_t(dim), dim,
                            types.of(key));
            for (int64_t i = 0; i < dim; ++i)
              ASSERT_EQ(batch.cached(s, int64_t(row) / 2, key, int64_t(row) % 2, i),
                        expected[size_t(i)]);
          }
    }
}

TEST(KvAppend, AGroupThatIsNotFiniteReadsAsNaN) {
  for (DType type : {DType::I8, DType::I4}) {
    Batch batch({1, 1, 64, 64}, type, {{1, 1}});
    DeviceMatrix k(2, 64, DType::F32), v(2, 64, DType::F32);
    std::vector<float> values(128, 0.5f);
    values[3] = INFINITY;
    k.set(values);
    v.set(std::vector<float>(128, 0.25f));
    Device device;
    ASSERT_EQ(
        launchKvAppend(device.launch, {k.view(), v.view(), batch.step(), batch.pool, 2, 1, 64, 64}),
        0);
    EXPECT_TRUE(std::isnan(batch.cached(0, 0, true, 0, 20)));
    EXPECT_NEAR(batch.cached(0, 0, false, 0, 20), 0.25f, 1e-3);
  }
}

/// Tokens that are read in f16 beside codes.
struct Precise {
  int32_t sink = 0, recent = 0, from = 0;
  void addTo(Batch &batch) const {
    if (sink > 0 || recent > 0)
      batch.addPrecise(sink, recent, from);
  }
};

void expectAttention(Shape shape, Types types, std::vector<std::pair<int32_t, int32_t>> lengths,
                     float softcap, int64_t window, std::vector<uint64_t> seeds = {0, 2},
                     Precise precise = {}) {
  SCOPED_TRACE(testing::Message() << "heads " << shape.heads << " kv " << shape.kvHeads << " dim "
                                  << shape.headDim << " types " << int(types.keys) << " "
                                  << int(types.values) << " window " << window << " softcap "
                                  << softcap);
  Batch batch(shape, types, lengths);
  precise.addTo(batch);
  batch.fill(3);
  std::vector<float> q = randomValues(size_t(batch.rows * shape.heads * shape.headDim), 9), first;
  for (float &v : q)
    v *= 3;
  bool decode = true;
  int64_t longest = 0;
  for (auto [length, fresh] : lengths) {
    decode = decode && fresh <= 1;
    longest = std::max<int64_t>(longest, length);
  }
  const float scale = 1.0f / std::sqrt(float(shape.headDim));
  std::vector<double> expected = batch.reference(q, scale, softcap, window);
  for (uint64_t seed : seeds) {
    DeviceMatrix dq(batch.rows, shape.heads * shape.headDim, DType::F32),
        dst(batch.rows, shape.heads * shape.valueDim, DType::F32);
    dq.set(q);
    dst.set(std::vector<float>(size_t(batch.rows * shape.heads * shape.valueDim), 0.0f));
    Device device(seed);
    AttentionParams params;
    params.q = dq.view();
    params.dst = dst.view();
    params.step = batch.step();
    params.kv = batch.pool;
    params.rows = batch.rows;
    params.heads = shape.heads;
    params.kvHeads = shape.kvHeads;
    params.headDim = shape.headDim;
    params.valueDim = shape.valueDim;
    params.scale = scale;
    params.softcap = softcap;
    params.window = window;
    params.decode = decode;
    params.maxContext = longest;
    const int64_t bytes = attentionWorkspaceBytes(device.launch, params);
    Memory workspace{size_t(bytes)};
    std::fill_n(workspace.data<uint8_t>(), bytes, 0);
    params.workspace = workspace.data();
    ASSERT_EQ(launchAttention(device.launch, params), 0) << device.stream.error;
    EXPECT_TRUE(dst.guardsIntact() && workspace.guardsIntact());
    std::vector<float> got = dst.get();
    EXPECT_LT(relativeError(got, expected),
              types.keys == DType::F32 || types.values == DType::F32 ? 1e-6 : 1e-3);
    if (first.empty())
      first = got;
    EXPECT_EQ(got, first);
  }
}

TEST(Attention, Decode) {
  for (DType type : {DType::F32, DType::F16, DType::BF16, DType::I8, DType::I4})
    for (Shape shape : {Shape{4, 2, 64, 64}, {8, 1, 128, 128}, {2, 2, 80, 80}, {6, 2, 96, 96}})
      expectAttention(shape, type, {{1, 1}, {64, 1}, {65, 1}, {200, 1}}, 0.0f, 0);
}

TEST(Attention, Prefill) {
  for (DType type : {DType::F32, DType::F16, DType::BF16, DType::I8})
    expectAttention({4, 2, 64, 64}, type, {{40, 40}, {100, 7}, {70, 1}}, 0.0f, 0);
}

TEST(Attention, KeysAndValuesOfTwoTypes) {
  for (Types types :
       {Types(DType::I8, DType::I4), Types(DType::I4, DType::I8), Types(DType::F16, DType::I8),
        Types(DType::I4, DType::BF16), Types(DType::F32, DType::I4), Types(DType::F16, DType::F32)})
    for (Shape shape : {Shape{4, 2, 64, 64}, {2, 2, 80, 128}}) {
      expectAttention(shape, types, {{1, 1}, {65, 1}, {150, 1}}, 0.0f, 0); // decode
      expectAttention(shape, types, {{20, 20}, {70, 1}}, 0.0f, 40);
    }
  expectAttention({2, 1, 256, 256}, {DType::I8, DType::I4}, {{100, 1}}, 0.0f, 0);
}

TEST(Attention, PreciseTokensBesideCodes) {
  // The sinks end within a block or at one; windows are shorter than a chunk of rows or a block, or
  // longer; copies of the window are gone in part.
  const Precise some[] = {{4, 20, 0}, {64, 0, 0}, {0, 7, 0}, {3, 90, 128}};
  for (Types types :
       {Types(DType::I4), Types(DType::I8), Types(DType::I8, DType::I4),
        Types(DType::I4, DType::I8), Types(DType::F16, DType::I4), Types(DType::F32, DType::I8)})
    for (const Precise &precise : some) {
      SCOPED_TRACE(testing::Message() << "sink " << precise.sink << " recent " << precise.recent);
      const Shape shape = precise.sink == 4 ? Shape{4, 2, 64, 64} : Shape{6, 2, 80, 40};
      expectAttention(shape, types, {{1, 1}, {65, 1}, {180, 1}}, 0.0f, 0, {0, 2}, precise);
      expectAttention(shape, types, {{50, 50}, {170, 20}, {3, 1}}, 0.0f, 0, {3}, precise);
      if (precise.sink == 4)
        expectAttention(shape, types, {{170, 20}, {150, 1}}, 5.0f, 30, {1}, precise);
    }
  // Split over blocks.
  expectAttention({2, 1, 128, 128}, DType::I4, {{1200, 1}, {3, 1}}, 0.0f, 0, {0, 1}, {4, 64, 1000});
  expectAttention({2, 1, 256, 256}, DType::I8, {{100, 9}, {33, 1}}, 0.0f, 0, {2}, {4, 64, 0});
}

TEST(Attention, LongContextsAreSplit) {
  // One row on many multiprocessors: the last block combines; some splits see no key of short rows.
  for (Types types : {Types(DType::F16), Types(DType::I4), Types(DType::I8, DType::I4)})
    expectAttention({2, 1, 64, 64}, types, {{1500, 1}, {3, 1}, {700, 1}}, 0.0f, 0, {0, 1, 2});
  expectAttention({2, 1, 64, 64}, DType::F16, {{1500, 1}, {90, 1}}, 0.0f, 600, {0, 2});
}

TEST(Attention, WideHeadsAndManyHeadsPerKey) {
  for (bool decode : {true, false})
    for (Shape shape : {Shape{2, 1, 256, 256}, {20, 1, 64, 64}, {3, 3, 128, 128}})
      expectAttention(shape, DType::F16, {{100, decode ? 1 : 9}, {33, 1}}, 0.0f, 0, {0, 3});
}

TEST(Attention, BalancedKeysGiveTheSameScores) {
  for (DType type : {DType::F32, DType::F16}) {
    std::vector<float> balance(2 * 64), out[2];
    for (size_t i = 0; i < balance.size(); ++i)
      balance[i] = float(1 << (i % 4)); // powers of two: exact
    std::vector<float> k = randomValues(20 * 128, 1), v = randomValues(20 * 128, 2),
                       q = randomValues(20 * 256, 3);
    for (int with = 0; with < 2; ++with) {
      Batch batch({4, 2, 64, 64}, type, {{19, 19}});
      DeviceMatrix dk(20, 128, DType::F32), dv(20, 128, DType::F32), dq(20, 256, DType::F32),
          dst(20, 256, DType::F32);
      dk.set(k);
      dv.set(v);
      dq.set(q);
      dst.set(std::vector<float>(20 * 256, 0.0f));
      Device device;
      KvAppendParams append = {dk.view(), dv.view(), batch.step(), batch.pool, 20, 2, 64, 64};
      AttentionParams params;
      params.q = dq.view();
      params.dst = dst.view();
      params.step = batch.step();
      params.kv = batch.pool;
      params.rows = 20;
      params.heads = 4;
      params.kvHeads = 2;
      params.headDim = params.valueDim = 64;
      params.balance = append.balance = with ? balance.data() : nullptr;
      ASSERT_EQ(launchKvAppend(device.launch, append), 0) << device.stream.error;
      ASSERT_EQ(launchAttention(device.launch, params), 0) << device.stream.error;
      EXPECT_NEAR(batch.cached(0, 7, true, 1, 3), k[7 * 128 + 67] / (with ? 8 : 1), 1e-3);
      out[with] = dst.get();
    }
    for (size_t i = 0; i < out[0].size(); ++i)
      ASSERT_NEAR(out[0][i], out[1][i], 1e-5);
  }
}

/// With k and v the launch appends: bit for bit what an append with rotation and an attention over
/// its cache give, in the cache and in the output.
void expectAppend(Shape shape, Types types, bool decode, int64_t half, bool interleaved,
                  bool balanced, Precise precise = {}) {
  SCOPED_TRACE(testing::Message() << "dims " << shape.headDim << " " << shape.valueDim << " types "
                                  << int(types.keys) << " " << int(types.values) << " half " << half
                                  << " interleaved " << interleaved << " balanced " << balanced);
  // The longest is split where kernels append, which takes the emulator its time.
  const std::vector<std::pair<int32_t, int32_t>> lengths = {
      {1, 1}, {17, 1}, {64, decode ? 1 : 5}, {types.keys == DType::F16 || balanced ? 300 : 40, 1}};
  std::vector<float> outs[2], balance(size_t(shape.kvHeads * shape.headDim));
  for (size_t i = 0; i < balance.size(); ++i)
    balance[i] = 0.5f + float(i % 5);
  std::vector<Batch> batches;
  for (int fused = 0; fused < 2; ++fused) {
    Batch &batch = batches.emplace_back(shape, types, lengths);
    precise.addTo(batch);
    batch.fill(3);
    const int64_t rows = batch.rows;
    DeviceMatrix q(rows, shape.heads * shape.headDim, DType::F32),
        k(rows, shape.kvHeads * shape.headDim, DType::F32),
        v(rows, shape.kvHeads * shape.valueDim, DType::F32),
        dst(rows, shape.heads * shape.valueDim, DType::F16);
    q.set(randomValues(size_t(rows * shape.heads * shape.headDim), 1));
    k.set(randomValues(size_t(rows * shape.kvHeads * shape.headDim), 2));
    v.set(randomValues(size_t(rows * shape.kvHeads * shape.valueDim), 3));
    dst.set(std::vector<float>(size_t(rows * shape.heads * shape.valueDim), 0.0f));
    const std::vector<float> cos = randomValues(size_t(rows * half + 1), 4),
                             sin = randomValues(size_t(rows * half + 1), 5);
    AttentionParams params;
    params.q = q.view();
    params.dst = dst.view();
    params.step = batch.step();
    params.kv = batch.pool;
    params.rows = rows;
    params.heads = shape.heads;
    params.kvHeads = shape.kvHeads;
    params.headDim = shape.headDim;
    params.valueDim = shape.valueDim;
    params.scale = 1.0f / std::sqrt(float(shape.headDim));
    params.decode = decode;
    params.maxContext = 300;
    params.balance = balanced ? balance.data() : nullptr;
    Device device(fused ? 2 : 0);
    const int64_t bytes = attentionWorkspaceBytes(device.launch, params);
    Memory workspace{size_t(bytes)};
    std::fill_n(workspace.data<uint8_t>(), bytes, 0);
    params.workspace = workspace.data();
    if (fused) {
      params.k = k.view();
      params.v = v.view();
      params.cos = half ? cos.data() : nullptr;
      params.sin = half ? sin.data() : nullptr;
      params.half = half;
      params.interleaved = interleaved;
    } else {
      KvAppendParams append = {k.view(), v.view(),      batch.step(),  batch.pool,
                               rows,     shape.kvHeads, shape.headDim, shape.valueDim};
      append.balance = params.balance;
      if (half) {
        append.cos = cos.data();
        append.sin = sin.data();
        append.half = half;
        append.interleaved = interleaved;
        append.q = q.view();
        append.heads = shape.heads;
      }
      ASSERT_EQ(launchKvAppend(device.launch, append), 0) << device.stream.error;
    }
    ASSERT_EQ(launchAttention(device.launch, params), 0) << device.stream.error;
    EXPECT_TRUE(dst.guardsIntact() && workspace.guardsIntact() && batch.memory[0].guardsIntact());
    outs[fused] = dst.get();
  }
  EXPECT_EQ(outs[0], outs[1]);
  for (size_t s = 0; s < lengths.size(); ++s)
    for (int32_t token = 0; token < lengths[s].first; ++token)
      for (bool key : {true, false})
        for (int64_t head = 0; head < shape.kvHeads; ++head)
          for (int64_t i = 0; i < (key ? shape.headDim : shape.valueDim); ++i) {
            ASSERT_EQ(batches[0].cached(s, token, key, head, i),
                      batches[1].cached(s, token, key, head, i))
                << s << " " << token << " " << key << " " << head << " " << i;
            ASSERT_EQ(batches[0].read(s, token, token, key, head, i),
                      batches[1].read(s, token, token, key, head, i))
                << s << " " << token << " " << key << " " << head << " " << i;
          }
}

TEST(Attention, AppendsWhatIsNotInTheCacheYet) {
  for (Types types : {Types(DType::F16), Types(DType::BF16), Types(DType::I8), Types(DType::I4),
                      Types(DType::I8, DType::I4)}) {
    expectAppend({4, 2, 64, 64}, types, true, 32, false, false);
    expectAppend({4, 2, 128, 128}, types, true, 48, true, true);
    expectAppend({20, 1, 80, 40}, types, true, 12, false, true);
  }
  expectAppend({2, 2, 256, 256}, DType::I8, true, 0, false, false);
  // The newest token is a sink, one of the last, or neither.
  for (Types types : {Types(DType::I8), Types(DType::I4), Types(DType::I8, DType::I4)})
    for (Precise precise : {Precise{4, 20, 0}, Precise{64, 0, 0}, Precise{18, 0, 0}}) {
      expectAppend({4, 2, 64, 64}, types, true, 32, false, false, precise);
      expectAppend({20, 1, 80, 40}, types, true, 12, false, true, precise);
    }
  expectAppend({2, 2, 256, 192}, DType::I4, true, 128, false, true);
}

TEST(Attention, AppendsInALaunchOfItsOwnWhereKernelsDoNot) {
  expectAppend({4, 2, 64, 64}, DType::F16, false, 32, false, false); // prompts
  expectAppend({4, 2, 64, 64}, DType::F16, true, 9, true, false);    // pairs that are no quads
  expectAppend({4, 2, 64, 64}, DType::F32, true, 32, false, false);
  expectAppend({4, 2, 64, 64}, {DType::I4, DType::I8}, true, 32, false, true);
  expectAppend({4, 2, 64, 64}, DType::I4, false, 32, false, true, {4, 20, 0}); // prompts
}

TEST(Attention, ABf16ValueBeyondF16IsClampedAndReported) {
  for (bool decode : {true, false}) {
    Batch batch({1, 1, 64, 64}, DType::BF16, {{2, decode ? 1 : 2}});
    DeviceMatrix k(3, 64, DType::F32), v(3, 64, DType::F32), dst(3, 64, DType::F32);
    std::vector<float> values(192, 0.5f);
    k.set(values);
    values[5] = values[69] = 1e6f;
    v.set(values);
    Batch append = batch;
    append.parts = {{0, 2, 0, 0}};
    append.partOfRow = {0, 0, -1};
    append.pool.base = batch.pool.base;
    Device device;
    ASSERT_EQ(launchKvAppend(device.launch,
                             {k.view(), v.view(), append.step(), batch.pool, 3, 1, 64, 64}),
              0);
    AttentionParams params;
    params.q = k.view();
    params.dst = dst.view();
    params.step = batch.step();
    params.kv = batch.pool;
    params.rows = batch.rows;
    params.heads = params.kvHeads = 1;
    params.headDim = params.valueDim = 64;
    params.decode = decode;
    ASSERT_EQ(launchAttention(device.launch, params), 0) << device.stream.error;
    EXPECT_EQ(dst.get()[5], 65504.0f);
    EXPECT_EQ(dst.get()[6], 0.5f);
    EXPECT_EQ(device.faults, uint32_t(HalfOverflow));
  }
}

TEST(Attention, WindowSoftcapAndUnequalDims) {
  expectAttention({2, 1, 64, 64}, DType::F16, {{150, 1}, {20, 1}}, 0.0f, 70);
  expectAttention({2, 1, 64, 64}, DType::F16, {{150, 20}, {20, 2}}, 30.0f, 33);
  expectAttention({4, 2, 72, 40}, DType::F16, {{90, 1}, {20, 3}}, 0.0f, 0);
}

} // namespace
