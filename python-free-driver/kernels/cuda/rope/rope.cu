//===- rope.cu - rotary position embedding ---------------------------------------===//

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/device/Launch.h"

#include <cmath>

namespace qrt::cuda {

namespace {

constexpr int blockSize = 128;

/// sin and cos in f64 without a table: reduction by multiples of pi/2 (two words, exact enough for
/// |x| < 2^30), then Taylor polynomials on [-pi/4, pi/4]; errors below 1e-15. The library's own
/// functions need a stack frame for large arguments.
QRT_DEVICE void sineAndCosine(double x, double &sine, double &cosine) {
  const double quarter = rint(x * 0.63661977236758134308);
  double r = fma(-quarter, 1.5707963267948965580, x);
  r = fma(-quarter, 6.1232339957367658860e-17, r);
  const double s = r * r;
  double a = -7.6471637318198164759e-13;    // sin: -1/15!
  a = fma(a, s, 1.6059043836821614599e-10); //       1/13!
  a = fma(a, s, -2.5052108385441718775e-8);
  a = fma(a, s, 2.7557319223985890653e-6);
  a = fma(a, s, -1.9841269841269841270e-4);
  a = fma(a, s, 8.3333333333333333333e-3);
  a = fma(a, s, -0.16666666666666666667);
  a = fma(a * s, r, r);
  double b = 4.7794773323873852974e-14;      // cos:  1/16!
  b = fma(b, s, -1.1470745597729724714e-11); //      -1/14!
  b = fma(b, s, 2.0876756987868098979e-9);
  b = fma(b, s, -2.7557319223985890653e-7);
  b = fma(b, s, 2.4801587301587301587e-5);
  b = fma(b, s, -1.3888888888888888889e-3);
  b = fma(b, s, 4.1666666666666666667e-2);
  b = fma(b, s, -0.5);
  b = fma(b, s, 1.0);
  const auto turn = static_cast<int64_t>(quarter);
  const double first = turn & 1 ? b : a, second = turn & 1 ? a : b;
  sine = turn & 2 ? -first : first;
  cosine = (turn + 1) & 2 ? -second : second;
}

struct RopeTableKernel {
  using Params = RopeTableParams;
  static constexpr int threads = blockSize, minBlocks = 1;

  static QRT_DEVICE void run(const Params &p) {
    int64_t at = int64_t(blockIndex().x) * threads + threadIndex();
    if (at >= p.rows * p.half)
      return;
    float position = static_cast<float>(loadGlobal(p.positions + at / p.half));
    double angle = position * loadConstant(p.inverseFrequency + at % p.half);
    double sine, cosine;
    sineAndCosine(angle, sine, cosine);
    storeGlobal(p.cos + at, static_cast<float>(cosine * p.scaling));
    storeGlobal(p.sin + at, static_cast<float>(sine * p.scaling));
  }
};

struct RopeKernelParams {
  RopeParams rope;
  uint32_t *faults;
};

/// A block per row; a thread owns whole pairs, so that src may be dst.
struct RopeKernel {
  using Params = RopeKernelParams;
  static constexpr int threads = blockSize, minBlocks = 1;

  static QRT_DEVICE void run(const Params &params) {
    const RopeParams &p = params.rope;
    const int64_t row = blockIndex().x;
    const int64_t from = row * p.src.stride, to = row * p.dst.stride;
    const auto half = static_cast<int>(p.half), headDim = static_cast<int>(p.headDim);
    const int passed = headDim - 2 * half, perHead = half + passed;
    for (int64_t i = threadIndex(); i < p.heads * perHead; i += threads) {
      const int64_t head = i / perHead * headDim;
      const auto pair = static_cast<int>(i % perHead);
      if (pair >= half) { // beyond the rotated features
        int64_t at = head + half + pair;
        storeElement(p.dst, to + at, loadElement(p.src, from + at), params.faults);
        continue;
      }
      const int64_t first = head + (p.interleaved ? 2 * pair : pair);
      const int64_t second = first + (p.interleaved ? 1 : half);
      const float cosine = loadGlobal(p.cos + row * half + pair);
      const float sine = loadGlobal(p.sin + row * half + pair);
      const float a = loadElement(p.src, from + first), b = loadElement(p.src, from + second);
      storeElement(p.dst, to + first, a * cosine - b * sine, params.faults);
      storeElement(p.dst, to + second, b * cosine + a * sine, params.faults);
    }
  }
};

} // namespace

int launchRopeTable(const Launch &launch, const RopeTableParams &params) {
  int64_t blocks = (params.rows * params.half + blockSize - 1) / blockSize;
  if (blocks > INT32_MAX)
    return invalidLaunch;
  return launchKernel<RopeTableKernel>(launch, {int32_t(blocks), 1, 1}, 0, params);
}

int launchRope(const Launch &launch, const RopeParams &params) {
  if (params.headDim <= 0 || 2 * params.half > params.headDim || params.rows > INT32_MAX)
    return invalidLaunch;
  return launchKernel<RopeKernel>(launch, {int32_t(params.rows), 1, 1}, 0, {params, launch.faults});
}

} // namespace qrt::cuda
