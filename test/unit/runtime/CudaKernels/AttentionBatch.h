//===- AttentionBatch.h - A batch over a paged cache, and its attention in float64 -----------===//
#ifndef QRT_TEST_CUDAKERNELS_ATTENTIONBATCH_H
#define QRT_TEST_CUDAKERNELS_ATTENTIONBATCH_H

#include "DeviceWeight.h"
#include "kernels/cpu/attention/KvCodes.h"
#include "kernels/cuda/attention/KvElement.h"
#include "kernels/cuda/device/Launch.h"
#include "qrt/Half.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

namespace qrt::cuda::test {

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

  /// What attention of this batch's queries takes; scale, window and the like are the caller's.
  AttentionParams attention(const DeviceMatrix &q, const DeviceMatrix &dst) const {
    AttentionParams params;
    params.q = q.view();
    params.dst = dst.view();
    params.step = step();
    params.kv = pool;
    params.rows = rows;
    params.heads = shape.heads;
    params.kvHeads = shape.kvHeads;
    params.headDim = shape.headDim;
    params.valueDim = shape.valueDim;
    return params;
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

/// Tokens that are read in f16 beside codes.
struct Precise {
  int32_t sink = 0, recent = 0, from = 0;
  void addTo(Batch &batch) const {
    if (sink > 0 || recent > 0)
      batch.addPrecise(sink, recent, from);
  }
};

} // namespace qrt::cuda::test

#endif // QRT_TEST_CUDAKERNELS_ATTENTIONBATCH_H
