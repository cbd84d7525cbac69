//===- AttentionBench.cpp - speed of attention on every variant and cache type --===//
//
// Heads of a 0.5B-parameter model, 14 on 2 kv heads of 64. Decode runs all 24 layers over 8192
// tokens, once per layer, and reports the bytes of keys and values that it reads per second beside
// a read probe over the same pages; one layer of 512 tokens, which lie in L2, shows what the
// arithmetic alone allows; prefill reports arithmetic rates of a causal prompt of 512.
//
//===----------------------------------------------------------------------===//

#include "kernels/bench/KernelBench.h"
#include "kernels/cpu/vector/Variants.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

namespace qrt::kernels::bench {
namespace {

constexpr int64_t heads = 14, kvHeads = 2, headDim = 64;

/// The pages of some layers, one sequence, written by kvAppend.
struct Cache {
  Cache(DType type, int layers, int64_t tokens);
  AttentionSequence sequence(int layer, int64_t queries) const {
    return {0,
            queries,
            tokens - queries,
            {keys[size_t(layer)].data(), values[size_t(layer)].data(), tokens, type, type}};
  }

  DType type;
  int64_t tokens;
  size_t bytes;
  std::unique_ptr<Memory> memory;
  std::vector<std::vector<void *>> keys, values;
};

Cache::Cache(DType type, int layers, int64_t tokens) : type(type), tokens(tokens) {
  const size_t keyBytes = kvPageBytes(kvHeads, headDim, type, true),
               valueBytes = kvPageBytes(kvHeads, headDim, type, false);
  const int64_t pages = (tokens + kvPageTokens - 1) / kvPageTokens;
  bytes = size_t(layers) * size_t(pages) * (keyBytes + valueBytes);
  memory = std::make_unique<Memory>(bytes + 4096);
  keys.resize(size_t(layers));
  values.resize(size_t(layers));
  uint8_t *at = memory->data();
  for (int64_t page = 0; page < pages; ++page) // as the engine lays them out
    for (int layer = 0; layer < layers; ++layer) {
      keys[size_t(layer)].push_back(at);
      values[size_t(layer)].push_back(at + keyBytes);
      at += keyBytes + valueBytes;
    }
  std::vector<float> rows(size_t(tokens * kvHeads * headDim));
  for (size_t i = 0; i < rows.size(); ++i)
    rows[i] = float(int64_t(i * 2654435761u % 2001) - 1000) / 500.0f;
  for (int layer = 0; layer < layers; ++layer) {
    const KvAppendSequence append{0, tokens, 0, keys[size_t(layer)].data(),
                                  values[size_t(layer)].data()};
    if (!kvAppend(pool(), {rows.data(), kvHeads * headDim, rows.data(), kvHeads * headDim, kvHeads,
                           headDim, headDim, type, type, std::span(&append, 1)}))
      std::abort();
  }
}

void run(const VectorKernels &kernels, const Cache &cache, int layer, const std::vector<float> &q,
         std::vector<float> &out, Workspace &workspace) {
  const int64_t width = heads * headDim;
  const AttentionSequence sequence = cache.sequence(layer, int64_t(q.size()) / width);
  AttentionArgs args;
  args.dst = out.data();
  args.q = q.data();
  args.dstStride = args.qStride = width;
  args.heads = heads;
  args.kvHeads = kvHeads;
  args.headDim = args.valueDim = headDim;
  args.scale = 0.125f;
  args.sequences = std::span(&sequence, 1);
  if (!attentionWith(kernels, pool(), args, workspace))
    std::abort();
}

void decode(benchmark::State &state, const VectorKernels &kernels, DType type, int layers,
            int64_t tokens) {
  const Cache cache(type, layers, tokens);
  std::vector<float> q(heads * headDim, 0.25f), out(q.size());
  Workspace workspace;
  double best = 1e9, bestProbe = 1e9, ratios = 0;
  int64_t rounds = 0;
  for (auto _ : state) {
    double probe = seconds([&] { readAll(cache.memory->data(), cache.bytes); });
    const double time = seconds([&] {
      for (int layer = 0; layer < layers; ++layer)
        run(kernels, cache, layer, q, out, workspace);
    });
    probe = (probe + seconds([&] { readAll(cache.memory->data(), cache.bytes); })) / 2;
    state.SetIterationTime(time);
    best = std::min(best, time);
    bestProbe = std::min(bestProbe, probe);
    ratios += probe / time;
    ++rounds;
  }
  const double gigabytes = double(cache.bytes) * 1e-9;
  state.counters["GB/s"] = gigabytes / best;
  state.counters["probe GB/s"] = gigabytes / bestProbe;
  state.counters["of probe"] = ratios / double(rounds);
  state.counters["Gop/s"] = 4e-9 * layers * double(tokens * heads * headDim) / best;
}

void prefill(benchmark::State &state, const VectorKernels &kernels, DType type) {
  constexpr int64_t tokens = 512;
  const Cache cache(type, 1, tokens);
  std::vector<float> q(size_t(tokens * heads * headDim), 0.25f), out(q.size());
  Workspace workspace;
  double best = 1e9;
  for (auto _ : state) {
    const double time = seconds([&] { run(kernels, cache, 0, q, out, workspace); });
    state.SetIterationTime(time);
    best = std::min(best, time);
  }
  // Scores and sums, a multiply-add each, over the causal half.
  state.counters["Gop/s"] = 4e-9 * double(tokens * (tokens + 1) / 2 * heads * headDim) / best;
}

} // namespace

void registerAttention() {
  for (const VectorKernels *kernels : vectorVariants()) {
    if (kernels->isa > detectIsa() || kernels->isa == Isa::Scalar)
      continue;
    for (DType type : {DType::F32, DType::F16, DType::BF16, DType::I8, DType::I4}) {
      const std::string suffix = std::string(name(type)) + "/" + kernels->name;
      add("attention/decode8192/" + suffix,
          [=](benchmark::State &state) { decode(state, *kernels, type, 24, 8192); });
      add("attention/cached512/" + suffix,
          [=](benchmark::State &state) { decode(state, *kernels, type, 1, 512); });
      add("attention/prefill512/" + suffix,
          [=](benchmark::State &state) { prefill(state, *kernels, type); });
    }
  }
}

} // namespace qrt::kernels::bench
