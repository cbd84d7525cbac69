//===- KvAppendTest.cpp - What is written to the cache, alone and by attention ---------------===//
#include "AttentionBatch.h"

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;

namespace {

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
    AttentionParams params = batch.attention(q, dst);
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
  for (Types types :
       {Types(DType::F16), Types(DType::BF16), Types(DType::I8), Types(DType::I4),
        Types(DType::I8, DType::I4), Types(DType::F16, DType::I8), Types(DType::F16, DType::I4)}) {
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
    AttentionParams params = batch.attention(k, dst);
    params.decode = decode;
    ASSERT_EQ(launchAttention(device.launch, params), 0) << device.stream.error;
    EXPECT_EQ(dst.get()[5], 65504.0f);
    EXPECT_EQ(dst.get()[6], 0.5f);
    EXPECT_EQ(device.faults, uint32_t(HalfOverflow));
  }
}

} // namespace
