//===- AttentionTest.cpp - Attention over the cache on the emulator --------------------------===//
#include "AttentionBatch.h"

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;

namespace {

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
    AttentionParams params = batch.attention(dq, dst);
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
  for (DType keys : {DType::I8, DType::F16})
    expectAttention({2, 1, 256, 256}, {keys, DType::I4}, {{100, 1}}, 0.0f, 0);
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
  for (Types types : {Types(DType::F16), Types(DType::I4), Types(DType::I8, DType::I4),
                      Types(DType::F16, DType::I8), Types(DType::F16, DType::I4)})
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
      AttentionParams params = batch.attention(dq, dst);
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

TEST(Attention, WindowSoftcapAndUnequalDims) {
  expectAttention({2, 1, 64, 64}, DType::F16, {{150, 1}, {20, 1}}, 0.0f, 70);
  expectAttention({2, 1, 64, 64}, DType::F16, {{150, 20}, {20, 2}}, 30.0f, 33);
  expectAttention({4, 2, 72, 40}, DType::F16, {{90, 1}, {20, 3}}, 0.0f, 0);
}

} // namespace
