//===- AttentionTest.cpp - paged attention against naive float64 --------------===//
//
// Prefill, decode, chunks, unequal sequences in one batch, grouped heads, windows, softcap, all
// cache types, contexts that are split along the keys.
//
//===----------------------------------------------------------------------===//

#include "EmulatedVariants.h"
#include "LinearFixture.h"
#include "TestVariants.h"
#include "kernels/cpu/vector/Variants.h"
#include "qrt/Half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

using namespace qrt;
using namespace qrt::kernels;
using namespace qrt::kernels::test;

/// Outputs are averages of values of size ~1; scores are sums of up to 128 products.
static constexpr double attentionBound = 3e-6;

namespace {

struct Shape {
  int64_t heads, kvHeads, headDim, valueDim;
  int64_t window = 0;
  float softcap = 0.0f;
};

/// One sequence with its pages, and the values as the cache holds them (rounded to its type).
struct Sequence {
  std::vector<std::unique_ptr<AlignedBytes>> memory;
  std::vector<void *> kPages, vPages;
  std::vector<float> k, v; ///< [length, kvHeads * dim]
};

float rounded(DType type, float x) {
  return type == DType::F32   ? x
         : type == DType::F16 ? f16ToF32(f32ToF16(x))
                              : bf16ToF32(f32ToBf16(x));
}

Sequence makeSequence(ThreadPool &pool, const Shape &shape, int64_t length, DType type,
                      uint32_t seed) {
  Sequence s;
  s.k = randomFloats(length * shape.kvHeads * shape.headDim, seed);
  s.v = randomFloats(length * shape.kvHeads * shape.valueDim, seed + 1);
  for (int64_t page = 0; page * kvPageTokens < length; ++page)
    for (auto [dim, pages] :
         {std::pair{shape.headDim, &s.kPages}, std::pair{shape.valueDim, &s.vPages}}) {
      size_t bytes = kvPageBytes(shape.kvHeads, dim, type);
      s.memory.push_back(std::make_unique<AlignedBytes>(bytes));
      std::fill_n(s.memory.back()->data(), bytes, 0xff); // NaN: unwritten slots must not matter
      pages->push_back(s.memory.back()->data());
    }
  // In two steps, as prefill and decode append.
  int64_t first = length / 3;
  for (auto [begin, tokens] : {std::pair<int64_t, int64_t>{0, first}, {first, length - first}}) {
    KvAppendSequence append{begin, tokens, begin, s.kPages.data(), s.vPages.data()};
    EXPECT_TRUE(kvAppend(pool, {s.k.data(), shape.kvHeads * shape.headDim, s.v.data(),
                                shape.kvHeads * shape.valueDim, shape.kvHeads, shape.headDim,
                                shape.valueDim, type, std::span(&append, 1)}));
  }
  for (std::vector<float> *values : {&s.k, &s.v})
    for (float &x : *values)
      x = rounded(type, x);
  return s;
}

/// Row of naive attention: query q of one head at `position`.
std::vector<double> naive(const Shape &shape, const Sequence &s, const float *q, int64_t head,
                          int64_t position, double scale) {
  int64_t kvHead = head / (shape.heads / shape.kvHeads);
  int64_t first = shape.window ? std::max<int64_t>(0, position - shape.window + 1) : 0;
  std::vector<double> weight(position + 1, 0.0), out(shape.valueDim, 0.0);
  double maximum = -1e300, total = 0;
  for (int64_t j = first; j <= position; ++j) {
    for (int64_t d = 0; d < shape.headDim; ++d)
      weight[j] += double(q[d]) * s.k[(j * shape.kvHeads + kvHead) * shape.headDim + d] * scale;
    if (shape.softcap > 0)
      weight[j] = shape.softcap * std::tanh(weight[j] / shape.softcap);
    maximum = std::max(maximum, weight[j]);
  }
  for (int64_t j = first; j <= position; ++j)
    total += weight[j] = std::exp(weight[j] - maximum);
  for (int64_t j = first; j <= position; ++j)
    for (int64_t d = 0; d < shape.valueDim; ++d)
      out[d] += weight[j] / total * s.v[(j * shape.kvHeads + kvHead) * shape.valueDim + d];
  return out;
}

struct Run {
  int64_t length, tokens; ///< the last `tokens` of `length` are queries
};

void check(const VectorKernels &kernels, const std::string &name, const Shape &shape,
           const std::vector<Run> &runs, DType type) {
  ThreadPool one(1), three(3);
  Workspace workspace;
  double scale = 1.0 / std::sqrt(double(shape.headDim));
  std::vector<Sequence> sequences;
  std::vector<AttentionSequence> batch;
  int64_t rows = 0;
  for (const Run &run : runs) {
    sequences.push_back(makeSequence(one, shape, run.length, type, 10 + rows));
    rows += run.tokens;
  }
  rows = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    batch.push_back(
        {rows,
         runs[i].tokens,
         runs[i].length - runs[i].tokens,
         {sequences[i].kPages.data(), sequences[i].vPages.data(), runs[i].length, type}});
    rows += runs[i].tokens;
  }
  int64_t qWidth = shape.heads * shape.headDim, outWidth = shape.heads * shape.valueDim;
  std::vector<float> q = randomFloats(rows * qWidth, 3, 2.0f), out(rows * outWidth, 5.0f);
  AttentionArgs args{out.data(),   outWidth,      q.data(),      qWidth,
                     shape.heads,  shape.kvHeads, shape.headDim, shape.valueDim,
                     float(scale), shape.softcap, shape.window,  batch};
  Status status = attentionWith(kernels, one, args, workspace);
  ASSERT_TRUE(status) << status.message();
  int64_t longest = 0;
  for (const Run &run : runs)
    longest = std::max(longest, run.length);
  EXPECT_LE(workspace.size(),
            attentionWorkspaceBytes(1, shape.heads, shape.kvHeads, shape.headDim, shape.valueDim,
                                    rows, int64_t(runs.size()), longest) +
                64);
  for (size_t i = 0; i < runs.size(); ++i)
    for (int64_t t = 0; t < runs[i].tokens; ++t)
      for (int64_t h = 0; h < shape.heads; ++h) {
        int64_t row = batch[i].firstRow + t;
        std::vector<double> want =
            naive(shape, sequences[i], q.data() + row * qWidth + h * shape.headDim, h,
                  batch[i].position + t, scale);
        for (int64_t d = 0; d < shape.valueDim; ++d)
          ASSERT_NEAR(out[row * outWidth + h * shape.valueDim + d], want[d], attentionBound)
              << name << " sequence " << i << " token " << t << " head " << h << " feature " << d;
      }
  std::vector<float> threaded(out.size());
  args.dst = threaded.data();
  ASSERT_TRUE(attentionWith(kernels, three, args, workspace));
  EXPECT_EQ(threaded, out) << name << ": depends on the number of threads";
}

std::vector<Variant<VectorKernels>> variants() {
  return runnable<VectorKernels>(vectorVariants(), emulatedVectorVariants());
}

} // namespace

TEST(Attention, PrefillDecodeAndChunksInOneBatch) {
  for (const auto &variant : variants())
    for (DType type : {DType::F32, DType::F16, DType::BF16})
      check(*variant.kernels, variant.name, {4, 2, 16, 16},
            {{70, 70}, {1, 1}, {130, 1}, {64, 1}, {100, 37}, {65, 2}}, type);
}

TEST(Attention, OddHeadSizesAndManyHeadsPerKvHead) {
  for (const auto &variant : variants())
    for (Shape shape : {Shape{14, 2, 64, 64}, {3, 3, 20, 36}, {40, 1, 8, 8}, {5, 1, 100, 7}})
      check(*variant.kernels, variant.name, shape, {{9, 9}, {66, 1}}, DType::F32);
}

TEST(Attention, WindowAndSoftcap) {
  for (const auto &variant : variants())
    for (int64_t window : {1, 20, 64, 200})
      check(*variant.kernels, variant.name, {2, 1, 16, 16, window, window == 20 ? 3.0f : 0.0f},
            {{150, 60}, {150, 1}, {10, 10}}, DType::F32);
}

TEST(Attention, LongContextsAreSplitAlongTheKeys) {
  for (const auto &variant : variants()) {
    check(*variant.kernels, variant.name, {6, 2, 16, 16}, {{2500, 1}, {1024, 1}, {1025, 1}},
          DType::F32);
    check(*variant.kernels, variant.name, {40, 1, 8, 12, 100}, {{2500, 1}}, DType::F16);
  }
}

TEST(Attention, WrongArgumentsAreRefused) {
  ThreadPool pool(1);
  Workspace workspace;
  std::vector<float> x(64);
  AttentionSequence sequence{0, 1, 4, {nullptr, nullptr, 4, DType::F32}};
  AttentionArgs args{x.data(), 8, x.data(), 8, 3, 2, 4, 4, 1.0f, 0.0f, 0, {}};
  EXPECT_EQ(attention(pool, args, workspace).message(),
            "attention: 3 heads cannot share 2 kv heads");
  args.heads = 2;
  args.sequences = std::span(&sequence, 1);
  EXPECT_EQ(attention(pool, args, workspace).message(),
            "attention: a cache of 4 tokens is shorter than its queries' positions");
  sequence.kv = {nullptr, nullptr, 5, DType::I8};
  EXPECT_EQ(attention(pool, args, workspace).message(),
            "attention: the cache must be f32, f16 or bf16");
  args.headDim = 0;
  EXPECT_EQ(attention(pool, args, workspace).message(), "attention: a size is not positive");
}
