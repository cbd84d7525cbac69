//===- norm.cu - RMS and layer normalisation -----------------------------------===//
//
// One block per chunk of a row. Chunks of up to 8192 elements, in multiples of four, lie in
// registers: VectorNorm loads all of them and the weights at once. Other chunks: every thread keeps
// its elements of the first pass where they fit, else reads them again (they are in L1). Layer norm
// takes the variance about the mean, in a second pass, as the CPU does. An addition before the norm
// is part of it: the sum is stored, and it is what is normalised.
//
//===----------------------------------------------------------------------===//

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/device/Reduce.h"
#include "kernels/cuda/device/Vectors.h"

#include <cmath>

namespace qrt::cuda {

namespace {

struct NormKernelParams {
  NormParams norm;
  uint32_t *faults;
};

template <int threadCount>
struct NormKernel {
  using Params = NormKernelParams;
  static constexpr int threads = threadCount, minBlocks = 1;
  static constexpr int kept = 16; ///< elements of a thread in registers
  static constexpr int sharedBytes = 2 * threads / 32 * 4;

  static QRT_DEVICE void run(const Params &p) {
    const NormParams &norm = p.norm;
    auto *scratch = reinterpret_cast<float *>(sharedMemory());
    const int64_t row = blockIndex().x, first = blockIndex().y * norm.chunk;
    const int64_t from = row * norm.src.stride + first, to = row * norm.dst.stride + first;
    const int self = threadIndex();
    const auto chunk = static_cast<int>(norm.chunk);

    /// Element `at` of the chunk; the thread that reads it first stores the sum.
    auto element = [&](int at) {
      float v = loadElement(norm.src, from + at);
      if (norm.add.data) {
        v += loadElement(norm.add, row * norm.add.stride + first + at);
        storeElement(norm.sum, row * norm.sum.stride + first + at, v, p.faults);
      }
      return v;
    };
    /// The same, later: what this thread stored.
    auto again = [&](int at) {
      return norm.add.data ? loadElement(norm.sum, row * norm.sum.stride + first + at)
                           : loadElement(norm.src, from + at);
    };

    float x[kept];
    float sum = 0;
    QRT_UNROLL
    for (int i = 0; i < kept; ++i) {
      int at = self + i * threads;
      x[i] = at < chunk ? element(at) : 0.0f;
      sum += norm.rms ? x[i] * x[i] : x[i];
    }
    for (int at = self + kept * threads; at < chunk; at += threads) {
      float v = element(at);
      sum += norm.rms ? v * v : v;
    }
    sum = blockSum<threads>(sum, scratch);
    float mean = 0;
    if (!norm.rms) {
      mean = sum / static_cast<float>(chunk);
      float squares = 0;
      QRT_UNROLL
      for (int i = 0; i < kept; ++i) {
        float d = x[i] - mean;
        squares += self + i * threads < chunk ? d * d : 0.0f;
      }
      for (int at = self + kept * threads; at < chunk; at += threads) {
        float d = again(at) - mean;
        squares += d * d;
      }
      sum = blockSum<threads>(squares, scratch + threads / 32);
    }
    const float factor = 1.0f / sqrtf(sum / static_cast<float>(chunk) + norm.epsilon);

    auto finish = [&](int at, float v) {
      float y = (v - mean) * factor * loadConstant(norm.weight + at);
      if (norm.bias)
        y += loadConstant(norm.bias + at);
      storeElement(norm.dst, to + at, y, p.faults);
    };
    QRT_UNROLL
    for (int i = 0; i < kept; ++i)
      if (self + i * threads < chunk)
        finish(self + i * threads, x[i]);
    for (int at = self + kept * threads; at < chunk; at += threads)
      finish(at, again(at));
  }
};

QRT_DEVICE float inverseRoot(float x) {
#ifdef __CUDACC__
  return rsqrtf(x); // to 2 units in the last place
#else
  return 1.0f / std::sqrt(x);
#endif
}

/// As few threads as have `quads` times four elements each.
template <int quads>
struct VectorNorm {
  using Params = NormKernelParams;
  static constexpr bool waitsItself = true;
  static constexpr int threads = 512, minBlocks = 1, maxWarps = threads / 32;
  static constexpr int sharedBytes = 2 * maxWarps * 4;

  /// Over the block; `scratch`: of maxWarps floats, used once.
  static QRT_DEVICE float sumOf(float value, float *scratch) {
    value = warpSum(value);
    if (laneIndex() == 0)
      storeShared(scratch + warpIndex(), value);
    syncThreads();
    const int warps = blockThreads() / 32;
    return warpSum(laneIndex() < warps ? loadShared(scratch + laneIndex()) : 0.0f);
  }

  static QRT_DEVICE void run(const Params &p) {
    const NormParams &norm = p.norm;
    auto *scratch = reinterpret_cast<float *>(sharedMemory());
    const int row = blockIndex().x, chunk = int(norm.chunk), first = int(blockIndex().y) * chunk;
    const int step = 4 * blockThreads();
    Float4 weight[quads] = {}, bias[quads] = {}, x[quads] = {};
    QRT_UNROLL
    for (int i = 0; i < quads; ++i)
      if (const int at = 4 * threadIndex() + i * step; at < chunk) {
        weight[i] = loadConstantFour(norm.weight + at);
        if (norm.bias)
          bias[i] = loadConstantFour(norm.bias + at);
      }
    waitForKernelBefore();
    const float *src = static_cast<const float *>(norm.src.data) + row * norm.src.stride + first;
    QRT_UNROLL
    for (int i = 0; i < quads; ++i)
      if (const int at = 4 * threadIndex() + i * step; at < chunk)
        x[i] = loadFour(src + at);
    if (norm.add.data) {
      const float *add = static_cast<const float *>(norm.add.data) + row * norm.add.stride + first;
      QRT_UNROLL
      for (int i = 0; i < quads; ++i)
        if (const int at = 4 * threadIndex() + i * step; at < chunk) {
          const Float4 y = loadFour(add + at);
          QRT_UNROLL
          for (int j = 0; j < 4; ++j)
            x[i].v[j] += y.v[j];
          storeFour(norm.sum, row * norm.sum.stride + first + at, x[i], p.faults);
        }
    }
    const float inverse = 1.0f / float(chunk);
    float mean = 0, sum = 0;
    if (!norm.rms) {
      QRT_UNROLL
      for (int i = 0; i < quads; ++i) {
        QRT_UNROLL
        for (int j = 0; j < 4; ++j)
          sum += x[i].v[j];
      }
      mean = sumOf(sum, scratch + maxWarps) * inverse;
      sum = 0;
    }
    QRT_UNROLL
    for (int i = 0; i < quads; ++i)
      if (4 * threadIndex() + i * step < chunk) {
        QRT_UNROLL
        for (int j = 0; j < 4; ++j) {
          x[i].v[j] -= mean;
          sum += x[i].v[j] * x[i].v[j];
        }
      }
    const float factor = inverseRoot(sumOf(sum, scratch) * inverse + norm.epsilon);
    QRT_UNROLL
    for (int i = 0; i < quads; ++i)
      if (const int at = 4 * threadIndex() + i * step; at < chunk) {
        QRT_UNROLL
        for (int j = 0; j < 4; ++j)
          x[i].v[j] = x[i].v[j] * factor * weight[i].v[j] + bias[i].v[j];
        storeFour(norm.dst, row * norm.dst.stride + first + at, x[i], p.faults);
      }
  }
};

template <int quads>
int launchVectorNorm(const Launch &launch, const NormParams &params) {
  using Kernel = VectorNorm<quads>;
  const int64_t perThread = 4 * quads;
  const int64_t warps = ((params.chunk + perThread - 1) / perThread + 31) / 32;
  return launchKernel<Kernel>(launch,
                              {int32_t(params.rows), int32_t(params.width / params.chunk), 1},
                              Kernel::sharedBytes, {params, launch.faults}, int(warps) * 32);
}

/// Whether all places are aligned to four elements.
bool isVector(const NormParams &p) {
  auto aligned = [&](const Matrix &m) { return !m.data || m.stride % 4 == 0; };
  return p.chunk % 4 == 0 && p.chunk <= 8192 && p.src.type == DType::F32 &&
         (!p.add.data || p.add.type == DType::F32) && aligned(p.src) && aligned(p.dst) &&
         aligned(p.add) && aligned(p.sum) && reinterpret_cast<uintptr_t>(p.weight) % 16 == 0 &&
         reinterpret_cast<uintptr_t>(p.bias) % 16 == 0;
}

template <int threads>
int launchNormWith(const Launch &launch, const NormParams &params) {
  using Kernel = NormKernel<threads>;
  GridSize grid = {int32_t(params.rows), int32_t(params.width / params.chunk), 1};
  return launchKernel<Kernel>(launch, grid, Kernel::sharedBytes, {params, launch.faults});
}

} // namespace

int launchNorm(const Launch &launch, const NormParams &params) {
  if (params.chunk <= 0 || params.chunk > (1 << 30) || params.width % params.chunk ||
      params.width / params.chunk > 65535 || params.rows > INT32_MAX || !params.weight ||
      (params.add.data && (!params.sum.data || params.sum.type != DType::F32)))
    return invalidLaunch;
  if (isVector(params))
    return params.chunk <= 2048   ? launchVectorNorm<1>(launch, params)
           : params.chunk <= 4096 ? launchVectorNorm<2>(launch, params)
                                  : launchVectorNorm<4>(launch, params);
  return params.chunk <= 256 ? launchNormWith<32>(launch, params)
                             : launchNormWith<256>(launch, params);
}

} // namespace qrt::cuda
