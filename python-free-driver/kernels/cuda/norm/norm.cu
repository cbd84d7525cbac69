//===- norm.cu - RMS and layer normalisation -----------------------------------===//
//
// One block per chunk of a row; every thread keeps its elements of the first pass in registers
// where they fit, else reads them again (they are in L1). Layer norm takes the variance about the
// mean, in a second pass, as the CPU does. An addition before the norm is part of it: the sum is
// stored, and it is what is normalised.
//
//===----------------------------------------------------------------------===//

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/device/Reduce.h"

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
  return params.chunk <= 256 ? launchNormWith<32>(launch, params)
                             : launchNormWith<256>(launch, params);
}

} // namespace qrt::cuda
