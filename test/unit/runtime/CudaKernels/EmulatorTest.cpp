//===- EmulatorTest.cpp - the emulator finds what it promises to find ------------===//
//
// Small kernels with known results and known mistakes: each mistake must be reported, whatever the
// order of threads, and its repaired form must pass.
//
//===----------------------------------------------------------------------===//

#include "DeviceWeight.h"
#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/device/Reduce.h"
#include "qrt/Half.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::cuda;
using namespace qrt::cuda::test;
using testing::HasSubstr;

namespace {

struct IntParams {
  int32_t *out;
  const int32_t *in;
  int mode;
};

/// The error of a launch of K on one block, "" if there was none.
template <class K>
std::string errorOf(const typename K::Params &params, uint64_t seed, int sharedBytes = 1024,
                    GridSize grid = {}) {
  Device device(seed);
  int result = launchKernel<K>(device.launch, grid, sharedBytes, params);
  EXPECT_EQ(result, device.stream.error.empty() ? 0 : emulator::launchFailed);
  return device.stream.error;
}

/// Reverses a block's values through shared memory; mode 1: without the barrier.
struct Reverse {
  using Params = IntParams;
  static constexpr int threads = 64, minBlocks = 1;
  static QRT_DEVICE void run(const Params &p) {
    auto *shared = reinterpret_cast<int32_t *>(sharedMemory());
    storeShared(shared + threadIndex(), loadGlobal(p.in + threadIndex()));
    if (p.mode == 0)
      syncThreads();
    storeGlobal(p.out + threadIndex(), loadShared(shared + threads - 1 - threadIndex()));
  }
};

TEST(Emulator, BarrierOrdersABlock) {
  std::vector<int32_t> in(64), out(64);
  for (int i = 0; i < 64; ++i)
    in[size_t(i)] = i * i;
  for (uint64_t seed : allSeeds) {
    EXPECT_EQ(errorOf<Reverse>({out.data(), in.data(), 0}, seed), "");
    for (int i = 0; i < 64; ++i)
      EXPECT_EQ(out[size_t(i)], in[size_t(63 - i)]);
  }
}

TEST(Emulator, MissingBarrierIsARaceInEveryOrder) {
  std::vector<int32_t> in(64), out(64);
  for (uint64_t seed : allSeeds)
    EXPECT_THAT(errorOf<Reverse>({out.data(), in.data(), 1}, seed),
                testing::AnyOf(HasSubstr("race on byte"), HasSubstr("never written")));
}

/// Two rounds through one buffer: mode 1 forgets the barrier between the reads of the first and the
/// writes of the second; both values are the same, so results never differ.
struct TwoRounds {
  using Params = IntParams;
  static constexpr int threads = 64, minBlocks = 1;
  static QRT_DEVICE void run(const Params &p) {
    auto *shared = reinterpret_cast<int32_t *>(sharedMemory());
    int32_t sum = 0;
    for (int round = 0; round < 2; ++round) {
      storeShared(shared + threadIndex(), 1);
      syncThreads();
      sum += loadShared(shared + (threadIndex() + 32) % 64);
      if (p.mode == 0)
        syncThreads();
    }
    storeGlobal(p.out + threadIndex(), sum);
  }
};

TEST(Emulator, WriteAfterReadIsFoundThoughResultsAgree) {
  std::vector<int32_t> out(64);
  for (uint64_t seed : allSeeds) {
    EXPECT_EQ(errorOf<TwoRounds>({out.data(), nullptr, 0}, seed), "");
    EXPECT_THAT(errorOf<TwoRounds>({out.data(), nullptr, 1}, seed), HasSubstr("race on byte"));
  }
}

/// Lanes exchange through shared memory: mode 0 with syncWarp, 1 with a shuffle in its place, which
/// orders nothing, 2 across warps with syncWarp alone.
struct WarpExchange {
  using Params = IntParams;
  static constexpr int threads = 64, minBlocks = 1;
  static QRT_DEVICE void run(const Params &p) {
    auto *shared = reinterpret_cast<int32_t *>(sharedMemory());
    storeShared(shared + threadIndex(), threadIndex());
    if (p.mode == 1)
      shuffleXor(0, 1);
    else
      syncWarp();
    const int other = p.mode == 2 ? threadIndex() ^ 32 : threadIndex() ^ 5;
    storeGlobal(p.out + threadIndex(), loadShared(shared + other));
  }
};

TEST(Emulator, SyncWarpOrdersOneWarpOnly) {
  std::vector<int32_t> out(64);
  for (uint64_t seed : allSeeds) {
    EXPECT_EQ(errorOf<WarpExchange>({out.data(), nullptr, 0}, seed), "");
    for (int i = 0; i < 64; ++i)
      EXPECT_EQ(out[size_t(i)], i ^ 5);
    EXPECT_THAT(errorOf<WarpExchange>({out.data(), nullptr, 1}, seed), HasSubstr("race on byte"));
    EXPECT_THAT(errorOf<WarpExchange>({out.data(), nullptr, 2}, seed),
                testing::AnyOf(HasSubstr("race on byte"), HasSubstr("never written")));
  }
}

/// One thread copies 16 bytes asynchronously. Modes: 0 correct; 1 reads without waiting; 2 waits
/// for the older group only; 3 another thread reads without a barrier; 4 overwrites bytes that
/// others still read; 5 ends without waiting; 6 copies 8 bytes and zeros.
struct AsyncCopy {
  using Params = IntParams;
  static constexpr int threads = 32, minBlocks = 1;
  static QRT_DEVICE void run(const Params &p) {
    auto *shared = reinterpret_cast<int32_t *>(sharedMemory());
    if (p.mode == 4) {
      if (threadIndex() < 4)
        storeShared(shared + threadIndex(), 0);
      syncThreads();
      if (threadIndex() > 0 && threadIndex() < 5)
        loadShared(shared + threadIndex() - 1);
    }
    if (threadIndex() == 0) {
      copyAsync16(shared + 8, p.in);
      commitAsync();
      copyAsync16(shared, p.in, p.mode == 6 ? 8 : 16);
      commitAsync();
      if (p.mode == 2)
        waitAsync<1>();
      else if (p.mode != 1 && p.mode != 5)
        waitAsync<0>();
    }
    if (p.mode == 5)
      return;
    if (p.mode != 3)
      syncThreads();
    if (threadIndex() < 4)
      storeGlobal(p.out + threadIndex(), loadShared(shared + threadIndex()));
    if (threadIndex() == 0)
      waitAsync<0>();
  }
};

TEST(Emulator, AsynchronousCopiesArriveWhenTheirGroupIsWaitedFor) {
  alignas(16) int32_t in[4] = {5, 6, 7, 8};
  int32_t out[4];
  for (uint64_t seed : allSeeds) {
    EXPECT_EQ(errorOf<AsyncCopy>({out, in, 0}, seed), "");
    EXPECT_THAT(out, testing::ElementsAre(5, 6, 7, 8));
    EXPECT_EQ(errorOf<AsyncCopy>({out, in, 6}, seed), "");
    EXPECT_THAT(out, testing::ElementsAre(5, 6, 0, 0));
    EXPECT_THAT(errorOf<AsyncCopy>({out, in, 1}, seed), HasSubstr("is in flight"));
    EXPECT_THAT(errorOf<AsyncCopy>({out, in, 2}, seed), HasSubstr("is in flight"));
    EXPECT_THAT(errorOf<AsyncCopy>({out, in, 3}, seed),
                testing::AnyOf(HasSubstr("race on byte"), HasSubstr("never written")));
    EXPECT_THAT(errorOf<AsyncCopy>({out, in, 4}, seed),
                testing::AnyOf(HasSubstr("without order"), HasSubstr("in flight"),
                               HasSubstr("race on byte")));
    EXPECT_THAT(errorOf<AsyncCopy>({out, in, 5}, seed), HasSubstr("did not wait for"));
  }
}

/// Modes: 1 half of the warp leaves before a shuffle; 2 lanes in different collectives; 3 reads
/// beyond shared memory; 4 misaligned; 5 half of the block never reaches the barrier that the
/// others wait at in a warp collective.
struct Mistakes {
  using Params = IntParams;
  static constexpr int threads = 64, minBlocks = 1;
  static QRT_DEVICE void run(const Params &p) {
    if (p.mode == 1 && laneIndex() >= 16)
      return;
    if (p.mode == 2 && laneIndex() >= 16)
      syncWarp();
    if (p.mode == 3)
      loadShared(sharedMemory() + 1024);
    if (p.mode == 4)
      loadShared(reinterpret_cast<uint32_t *>(sharedMemory() + 2));
    if (p.mode == 5 && laneIndex() == 3)
      syncThreads();
    shuffleXor(0, 1);
  }
};

TEST(Emulator, MistakesAreNamed) {
  for (uint64_t seed : allSeeds) {
    EXPECT_EQ(errorOf<Mistakes>({nullptr, nullptr, 0}, seed), "");
    EXPECT_THAT(errorOf<Mistakes>({nullptr, nullptr, 1}, seed),
                testing::AnyOf(HasSubstr("has ended"), HasSubstr("no thread can go on")));
    EXPECT_THAT(errorOf<Mistakes>({nullptr, nullptr, 2}, seed),
                HasSubstr("in different collectives"));
    EXPECT_THAT(errorOf<Mistakes>({nullptr, nullptr, 3}, seed), HasSubstr("offset 1024 of 1024"));
    EXPECT_THAT(errorOf<Mistakes>({nullptr, nullptr, 4}, seed), HasSubstr("misaligned"));
    EXPECT_THAT(errorOf<Mistakes>({nullptr, nullptr, 5}, seed), HasSubstr("no thread can go on"));
  }
}

/// Every block adds its number to a sum and its place to a log: the last to arrive sees them all.
struct Ticket {
  struct Params {
    float *values;
    uint32_t *counter;
    float *out;
  };
  static constexpr int threads = 32, minBlocks = 1;
  static QRT_DEVICE void run(const Params &p) {
    if (threadIndex() == 0) {
      storeGlobal(p.values + blockIndex().x, float(blockIndex().x));
      fenceGlobal();
      if (atomicAdd(p.counter, 1) + 1 == uint32_t(gridSize().x)) {
        float sum = 0;
        for (int i = 0; i < gridSize().x; ++i)
          sum += loadCoherent(p.values + i);
        storeGlobal(p.out, sum);
      }
    }
  }
};

TEST(Emulator, BlocksRunInSeveralOrdersAndShareMemory) {
  for (uint64_t seed : allSeeds) {
    float values[10], out = 0;
    uint32_t counter = 0;
    EXPECT_EQ(errorOf<Ticket>({values, &counter, &out}, seed, 0, {10, 1, 1}), "");
    EXPECT_EQ(out, 45.0f);
    EXPECT_EQ(counter, 10u);
  }
}

struct Collectives {
  struct Params {
    const uint16_t *a, *b; ///< [16, 16], [16, 8] row-major
    float *c;              ///< [16, 8]
    float *sum;
    bool bf16;
  };
  static constexpr int threads = 32, minBlocks = 1;

  static QRT_DEVICE void run(const Params &p) {
    // A by ldmatrix from shared memory, B transposed by ldmatrix.trans.
    auto *a = reinterpret_cast<uint16_t *>(sharedMemory()), *b = a + 256;
    for (int i = laneIndex(); i < 256; i += 32)
      storeShared(a + i, loadGlobal(p.a + i));
    for (int i = laneIndex(); i < 128; i += 32)
      storeShared(b + i, loadGlobal(p.b + i));
    syncWarp();
    uint32_t af[4], bf[4];
    const int lane = laneIndex();
    loadMatrix4(af, a + (lane % 16) * 16 + lane / 16 * 8);
    loadMatrix4Transposed(bf, b + (lane % 16) * 8);
    float c[4] = {1, 1, 1, 1};
    const uint32_t b2[2] = {bf[0], bf[1]};
    if (p.bf16)
      mmaBf16(c, af, b2);
    else
      mmaF16(c, af, b2);
    const int row = lane / 4, col = lane % 4 * 2;
    storeGlobal(p.c + row * 8 + col, c[0]);
    storeGlobal(p.c + row * 8 + col + 1, c[1]);
    storeGlobal(p.c + (row + 8) * 8 + col, c[2]);
    storeGlobal(p.c + (row + 8) * 8 + col + 1, c[3]);
    const float sum = warpSum(float(lane));
    if (shuffle(lane, 7) == 7 && lane == 0)
      storeGlobal(p.sum, sum);
  }
};

TEST(Emulator, MatrixInstructionsMultiply) {
  for (bool bf16 : {false, true})
    for (uint64_t seed : allSeeds) {
      std::vector<uint16_t> a(256), b(128);
      std::vector<float> c(128);
      float sum = 0;
      auto value = [](int i) { return float(i * 7 % 31 - 15) / 8.0f; };
      for (int i = 0; i < 256; ++i)
        a[size_t(i)] = bf16 ? f32ToBf16(value(i)) : f32ToF16(value(i));
      for (int i = 0; i < 128; ++i)
        b[size_t(i)] = bf16 ? f32ToBf16(value(i + 3)) : f32ToF16(value(i + 3));
      EXPECT_EQ(errorOf<Collectives>({a.data(), b.data(), c.data(), &sum, bf16}, seed), "");
      EXPECT_EQ(sum, 496.0f);
      for (int row = 0; row < 16; ++row)
        for (int col = 0; col < 8; ++col) {
          double expected = 1;
          for (int k = 0; k < 16; ++k)
            expected += double(value(row * 16 + k)) * value(k * 8 + col + 3);
          ASSERT_EQ(c[size_t(row * 8 + col)], float(expected)) << row << ", " << col;
        }
    }
}

struct IntegerProduct {
  struct Params {
    const uint8_t *a; ///< [16, 32]
    const int8_t *b;  ///< [8, 32]
    int32_t *c;       ///< [16, 8]
  };
  static constexpr int threads = 32, minBlocks = 1;
  static QRT_DEVICE void run(const Params &p) {
    const int lane = laneIndex(), row = lane / 4, k = lane % 4 * 4;
    auto word = [](const void *from) { return loadGlobal(static_cast<const uint32_t *>(from)); };
    const uint32_t a[4] = {word(p.a + row * 32 + k), word(p.a + (row + 8) * 32 + k),
                           word(p.a + row * 32 + k + 16), word(p.a + (row + 8) * 32 + k + 16)};
    const uint32_t b[2] = {word(p.b + row * 32 + k), word(p.b + row * 32 + k + 16)};
    int32_t c[4] = {};
    mmaU8S8(c, a, b);
    for (int i = 0; i < 4; ++i)
      storeGlobal(p.c + (row + 8 * (i / 2)) * 8 + lane % 4 * 2 + i % 2, c[i]);
  }
};

TEST(Emulator, IntegerProductsAreUnsignedTimesSigned) {
  alignas(16) uint8_t a[16 * 32];
  alignas(16) int8_t b[8 * 32];
  int32_t c[16 * 8];
  for (int i = 0; i < 16 * 32; ++i)
    a[i] = uint8_t(i * 37);
  for (int i = 0; i < 8 * 32; ++i)
    b[i] = int8_t(i * 29 - 128);
  EXPECT_EQ(errorOf<IntegerProduct>({a, b, c}, 2), "");
  for (int row = 0; row < 16; ++row)
    for (int col = 0; col < 8; ++col) {
      int32_t expected = 0;
      for (int k = 0; k < 32; ++k)
        expected += a[row * 32 + k] * b[col * 32 + k];
      EXPECT_EQ(c[row * 8 + col], expected);
    }
}

TEST(Emulator, PackedArithmeticRoundsOnce) {
  auto both = [](float low, float high) { return packF16(low, high); };
  EXPECT_EQ(fmaF16x2(both(1024, 3), both(0.0625f, 2), both(-72, -6)), both(-8, 0));
  // 1.0009765625^2 = 1.001954078674316: rounds to 1.001953125 (two ulps); + 2^-24 keeps it.
  const uint32_t x = both(1.0009765625f, 0), c = both(0x1p-24f, 0);
  EXPECT_EQ(fmaF16x2(x, x, c) & 0xffff, uint32_t(f32ToF16(1.001953125f)));
  // A tie that the exact sum decides: 2048 + 1 + 2^-24 rounds up to 2050, where two roundings give
  // 2048.
  EXPECT_EQ(fmaF16x2(both(2048, 0), both(1, 0), both(1, 0)) & 0xffff, uint32_t(f32ToF16(2048)));
  EXPECT_EQ(emulator::fmaF16x2(both(0x1p-12f, 0), both(0x1p-12f, 0), both(1.0f, 0)) & 0xffff,
            uint32_t(f32ToF16(1.0f)));
  EXPECT_EQ(permuteBytes(0x33221100u, 0x64646464u, 0x5351u), 0x64336411u);
}

TEST(Emulator, LaunchesBeyondTheDeviceAreRefused) {
  Device device;
  device.launch.sharedBytesPerBlock = 1024;
  EXPECT_EQ(launchKernel<Mistakes>(device.launch, {}, 2048, {nullptr, nullptr, 0}), 1);
  EXPECT_EQ(launchKernel<Mistakes>(device.launch, {1, 70000, 1}, 0, {nullptr, nullptr, 0}), 1);
  EXPECT_EQ(launchKernel<Mistakes>(device.launch, {0, 1, 1}, 0, {nullptr, nullptr, 1}), 0);
}

TEST(Emulator, ACaptureRecordsLaunchesWithTheirParameters) {
  Device device;
  std::vector<std::function<int()>> work;
  device.stream.record = [&](std::function<int()> launch) { work.push_back(std::move(launch)); };
  std::vector<int32_t> in(64, 3), out(64, 0);
  {
    IntParams params = {out.data(), in.data(), 0};
    EXPECT_EQ(launchKernel<Reverse>(device.launch, {}, 256, params), 0);
    params = {};
  }
  EXPECT_EQ(out[0], 0);
  ASSERT_EQ(work.size(), 1u);
  EXPECT_EQ(work[0](), 0);
  EXPECT_EQ(out[0], 3);
}

} // namespace
