//===- AttentionCheck.cpp - Attention against naive float64 ----------------------------------===//
#include "AttentionCheck.h"

#include "qrt/Half.h"

#include <cmath>
#include <gtest/gtest.h>

namespace qrt::kernels::test {

namespace {

/// Outputs are averages of values of size ~1; scores are sums of up to 128 products.
static constexpr double attentionBound = 3e-6;
/// Caches of bf16 take weights in bf16, 2^-9 off each and their sum: relative to sum(weight |v|).
static constexpr double roundedBound = 0x1p-8;
/// Coded caches take queries and weights as 16-bit integers: scores are 1e-4 off, rarely 3e-4.
static constexpr double codedBound = 6e-4;

bool isCoded(DType type) { return type == DType::I8 || type == DType::I4; }
bool isCoded(KvTypes types) { return isCoded(types.keys) || isCoded(types.values); }

/// Elements that share a scale (KvCodes.h).
int64_t groupOf(DType type, int64_t dim) {
  const int64_t preferred = type == DType::I8 ? 128 : 32;
  return dim > preferred && dim % preferred == 0 ? preferred : dim;
}

/// x through codes and back: the formulas of docs/semantics.md, in f32 as they say.
void roundTripGroup(DType type, float *x, int64_t count, const float *balance) {
  float low = 0, high = 0;
  std::vector<float> y(count);
  for (int64_t i = 0; i < count; ++i) {
    y[i] = balance ? x[i] / balance[i] : x[i];
    low = std::min(low, y[i]);
    high = std::max(high, y[i]);
  }
  const bool symmetric = type == DType::I8;
  const float top = symmetric ? 255 : 15;
  float scale = symmetric ? std::max(-low, high) / 127 : (high - low) / 15;
  scale = f16ToF32(f32ToF16(std::max(scale, 0x1p-14f)));
  const float zero = symmetric ? 128 : std::nearbyint(-low / scale);
  for (int64_t i = 0; i < count; ++i) {
    const float code = std::clamp(std::nearbyint(y[i] / scale) + zero, 0.0f, top);
    x[i] = (code - zero) * scale * (balance ? balance[i] : 1.0f);
  }
}

float rounded(DType type, float x) {
  return type == DType::F32   ? x
         : type == DType::F16 ? f16ToF32(f32ToF16(x))
                              : bf16ToF32(f32ToBf16(x));
}

/// Rounds [rows, heads * dim] to what a cache of `type` holds.
void roundRows(std::vector<float> &x, DType type, int64_t dim, int64_t rowWidth,
               const float *balance) {
  if (!isCoded(type)) {
    for (float &value : x)
      value = rounded(type, value);
    return;
  }
  const int64_t group = groupOf(type, dim);
  for (int64_t at = 0; at < int64_t(x.size()); at += group)
    roundTripGroup(type, x.data() + at, group, balance ? balance + at % rowWidth : nullptr);
}

/// One factor per kv head and feature: what spread keys are larger by, roughly.
std::vector<float> balanceOf(const AttentionShape &shape) {
  std::vector<float> balance(size_t(shape.kvHeads * shape.headDim), 1.0f);
  for (size_t i = 0; i < balance.size(); i += 8)
    balance[i] = float(shape.keySpread) * 1.25f;
  return balance;
}

} // namespace

KvSequence makeSequence(ThreadPool &pool, const AttentionShape &shape, int64_t length,
                        KvTypes types, uint32_t seed) {
  KvSequence s;
  const std::vector<float> balance = balanceOf(shape);
  s.k = randomFloats(length * shape.kvHeads * shape.headDim, seed);
  s.v = randomFloats(length * shape.kvHeads * shape.valueDim, seed + 1);
  for (size_t i = 0; i < s.k.size(); i += 8)
    s.k[i] *= float(shape.keySpread);
  for (size_t i = 0; i < s.k.size(); ++i)
    s.k[i] *= 1.0f + float(shape.keyGrowth) * float(i / (shape.kvHeads * shape.headDim));
  auto addPage = [&](DType type, int64_t dim, bool isKey, std::vector<void *> &pages) {
    size_t bytes = kvPageBytes(shape.kvHeads, dim, type, isKey);
    s.memory.push_back(std::make_unique<AlignedBytes>(bytes));
    std::fill_n(s.memory.back()->data(), bytes, 0xff); // NaN: unwritten slots must not matter
    pages.push_back(s.memory.back()->data());
  };
  for (int64_t page = 0; page * kvPageTokens < length; ++page) {
    addPage(types.keys, shape.headDim, true, s.kPages);
    addPage(types.values, shape.valueDim, false, s.vPages);
    if (isCoded(types)) {
      addPage(DType::F16, shape.headDim, true, s.kPrecise);
      addPage(DType::F16, shape.valueDim, false, s.vPrecise);
    }
  }
  // In two steps, as prefill and decode append.
  int64_t first = length / 3;
  for (auto [begin, tokens] : {std::pair<int64_t, int64_t>{0, first}, {first, length - first}}) {
    KvAppendSequence append{begin,
                            tokens,
                            begin,
                            s.kPages.data(),
                            s.vPages.data(),
                            isCoded(types) ? s.kPrecise.data() : nullptr,
                            s.vPrecise.data()};
    EXPECT_TRUE(kvAppend(pool, {s.k.data(), shape.kvHeads * shape.headDim, s.v.data(),
                                shape.kvHeads * shape.valueDim, shape.kvHeads, shape.headDim,
                                shape.valueDim, types.keys, types.values, std::span(&append, 1),
                                shape.balanced ? balance.data() : nullptr}));
  }
  s.kPreciseRow = s.k;
  s.vPreciseRow = s.v;
  const int64_t kWidth = shape.kvHeads * shape.headDim, vWidth = shape.kvHeads * shape.valueDim;
  roundRows(s.kPreciseRow, DType::F16, shape.headDim, kWidth, nullptr);
  roundRows(s.vPreciseRow, DType::F16, shape.valueDim, vWidth, nullptr);
  roundRows(s.k, types.keys, shape.headDim, kWidth, shape.balanced ? balance.data() : nullptr);
  roundRows(s.v, types.values, shape.valueDim, vWidth, nullptr);
  return s;
}

namespace {

/// What attention computes for one row, and what bounds are relative to.
struct Want {
  std::vector<double> out, magnitude; ///< sum(weight v), sum(weight |v|)
};

/// Row of naive attention: query q of one head at `position`.
Want naive(const AttentionShape &shape, const KvSequence &s, const float *q, int64_t head,
           int64_t position, double scale, KvTypes types) {
  const bool coded = isCoded(types);
  auto isPrecise = [&](int64_t j) {
    return coded && (j < shape.sink || j > position - shape.recent);
  };
  int64_t kvHead = head / (shape.heads / shape.kvHeads);
  int64_t first = shape.window ? std::max<int64_t>(0, position - shape.window + 1) : 0;
  std::vector<double> weight(position + 1, 0.0);
  Want want{std::vector<double>(shape.valueDim, 0.0), std::vector<double>(shape.valueDim, 0.0)};
  // bf16 keys take queries rounded to bf16, after scaling.
  auto query = [&](int64_t j, int64_t d) {
    const float scaled = q[d] * float(scale);
    return types.keys == DType::BF16 && !isPrecise(j) ? double(rounded(DType::BF16, scaled))
                                                      : double(q[d]) * scale;
  };
  double maximum = -1e300, total = 0;
  for (int64_t j = first; j <= position; ++j) {
    for (int64_t d = 0; d < shape.headDim; ++d)
      weight[j] +=
          query(j, d) *
          (isPrecise(j) ? s.kPreciseRow : s.k)[(j * shape.kvHeads + kvHead) * shape.headDim + d];
    if (shape.softcap > 0)
      weight[j] = shape.softcap * std::tanh(weight[j] / shape.softcap);
    maximum = std::max(maximum, weight[j]);
  }
  for (int64_t j = first; j <= position; ++j)
    total += weight[j] = std::exp(weight[j] - maximum);
  for (int64_t j = first; j <= position; ++j)
    for (int64_t d = 0; d < shape.valueDim; ++d) {
      const double product =
          weight[j] / total *
          (isPrecise(j) ? s.vPreciseRow : s.v)[(j * shape.kvHeads + kvHead) * shape.valueDim + d];
      want.out[d] += product;
      want.magnitude[d] += std::abs(product);
    }
  return want;
}

} // namespace

void checkAttention(const VectorKernels &kernels, const std::string &name,
                    const AttentionShape &shape, const std::vector<AttentionRun> &runs,
                    KvTypes types) {
  const std::vector<float> balance = balanceOf(shape);
  // The scalar row is the definition and reads codes as they are.
  const bool coded = isCoded(types), integers = coded && kernels.isa != Isa::Scalar;
  const double growth = shape.keyGrowth > 0 ? 10 : 1; // of the scores, and so of their errors
  const bool roundsWeights = types.values == DType::BF16 && kernels.isa != Isa::Scalar;
  ThreadPool one(1), three(3);
  Workspace workspace;
  double scale = 1.0 / std::sqrt(double(shape.headDim));
  std::vector<KvSequence> sequences;
  std::vector<AttentionSequence> batch;
  int64_t rows = 0;
  for (const AttentionRun &run : runs) {
    sequences.push_back(makeSequence(one, shape, run.length, types, 10 + rows));
    rows += run.tokens;
  }
  rows = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    batch.push_back(
        {rows,
         runs[i].tokens,
         runs[i].length - runs[i].tokens,
         {sequences[i].kPages.data(), sequences[i].vPages.data(), runs[i].length, types.keys,
          types.values, sequences[i].kPrecise.data(), sequences[i].vPrecise.data()}});
    rows += runs[i].tokens;
  }
  int64_t qWidth = shape.heads * shape.headDim, outWidth = shape.heads * shape.valueDim;
  std::vector<float> q = randomFloats(rows * qWidth, 3, 2.0f), out(rows * outWidth, 5.0f);
  AttentionArgs args{out.data(),    outWidth,       q.data(),
                     qWidth,        shape.heads,    shape.kvHeads,
                     shape.headDim, shape.valueDim, float(scale),
                     shape.softcap, shape.window,   batch,
                     shape.sink,    shape.recent,   shape.balanced ? balance.data() : nullptr};
  Status status = attentionWith(kernels, one, args, workspace);
  ASSERT_TRUE(status) << status.message();
  int64_t longest = 0;
  for (const AttentionRun &run : runs)
    longest = std::max(longest, run.length);
  EXPECT_LE(workspace.size(),
            attentionWorkspaceBytes(1, shape.heads, shape.kvHeads, shape.headDim, shape.valueDim,
                                    rows, int64_t(runs.size()), longest) +
                64);
  for (size_t i = 0; i < runs.size(); ++i)
    for (int64_t t = 0; t < runs[i].tokens; ++t)
      for (int64_t h = 0; h < shape.heads; ++h) {
        int64_t row = batch[i].firstRow + t;
        const Want want = naive(shape, sequences[i], q.data() + row * qWidth + h * shape.headDim, h,
                                batch[i].position + t, scale, types);
        for (int64_t d = 0; d < shape.valueDim; ++d)
          ASSERT_NEAR(out[row * outWidth + h * shape.valueDim + d], want.out[d],
                      (integers ? codedBound : attentionBound) * growth +
                          (roundsWeights ? roundedBound * want.magnitude[d] : 0))
              << name << " sequence " << i << " token " << t << " head " << h << " feature " << d;
      }
  std::vector<float> threaded(out.size());
  args.dst = threaded.data();
  ASSERT_TRUE(attentionWith(kernels, three, args, workspace));
  EXPECT_EQ(threaded, out) << name << ": depends on the number of threads";
}

} // namespace qrt::kernels::test
