//===- Hessian.cpp - Second moments of a linear's inputs --------------------------------------===//
#include "qopt/Quantization/Hessian.h"

#include "MomentSum.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace qopt::quantization {

namespace {

/// Collects tokens until a chunk is full, so that chunks do not depend on the calls.
struct Chunk {
  int64_t k;
  int64_t count = 0;
  std::vector<float> x, scaled; ///< [chunk, k]: b, and a = weight times what is summed

  explicit Chunk(int64_t k) : k(k), x(MomentSum::chunk * k), scaled(x.size()) {}
  bool full() const { return count == MomentSum::chunk; }
};

} // namespace

struct HessianAccumulator::Impl {
  Impl(int64_t k, const ParallelFor &parallel)
      : parallel(parallel), sum(k, true, parallel), pending(k), absSum(k, 0.0), maxAbs(k, 0.0f) {}

  void flush() {
    if (pending.count == 0)
      return;
    sum.add(pending.scaled.data(), pending.x.data(), pending.count);
    const int64_t k = pending.k, strip = 64;
    parallel((k + strip - 1) / strip, [&](int64_t index) {
      const int64_t begin = index * strip, end = std::min(k, begin + strip);
      for (int64_t t = 0; t < pending.count; ++t)
        for (int64_t j = begin; j < end; ++j) {
          const float weighted = std::fabs(pending.scaled[t * k + j]);
          absSum[j] += weighted;
          if (weighted > 0)
            maxAbs[j] = std::max(maxAbs[j], std::fabs(pending.x[t * k + j]));
        }
    });
    pending.count = 0;
  }

  ParallelFor parallel;
  MomentSum sum;
  Chunk pending;
  std::vector<double> absSum;
  std::vector<float> maxAbs;
  double weights = 0;
  int64_t tokens = 0;
};

HessianAccumulator::HessianAccumulator(int64_t k, ParallelFor parallel)
    : impl(std::make_unique<Impl>(k, parallel)) {}
HessianAccumulator::~HessianAccumulator() = default;
HessianAccumulator::HessianAccumulator(HessianAccumulator &&) noexcept = default;
HessianAccumulator &HessianAccumulator::operator=(HessianAccumulator &&) noexcept = default;

void HessianAccumulator::add(const float *x, int64_t tokens, int64_t rowStride,
                             std::span<const float> tokenWeights) {
  Chunk &pending = impl->pending;
  for (int64_t t = 0; t < tokens; ++t) {
    const float weight = tokenWeights.empty() ? 1.0f : tokenWeights[t];
    const float *row = x + t * rowStride;
    float *kept = pending.x.data() + pending.count * pending.k;
    float *scaled = pending.scaled.data() + pending.count * pending.k;
    std::memcpy(kept, row, pending.k * sizeof(float));
    for (int64_t j = 0; j < pending.k; ++j)
      scaled[j] = weight * row[j];
    impl->weights += weight;
    if (++pending.count; pending.full())
      impl->flush();
  }
  impl->tokens += tokens;
}

int64_t HessianAccumulator::columns() const { return impl->pending.k; }
double HessianAccumulator::weightSum() const { return impl->weights; }
int64_t HessianAccumulator::tokens() const { return impl->tokens; }

bool HessianAccumulator::finish(std::span<float> h) {
  impl->flush();
  return impl->weights > 0 && impl->sum.write(1.0 / impl->weights, h);
}

ChannelStatistics HessianAccumulator::channels() const {
  impl->flush();
  ChannelStatistics statistics;
  statistics.maxAbs = impl->maxAbs;
  for (double sum : impl->absSum)
    statistics.meanAbs.push_back(impl->weights > 0 ? static_cast<float>(sum / impl->weights) : 0);
  return statistics;
}

int64_t HessianAccumulator::bytes(int64_t k) {
  return MomentSum::bytes(k, true) + k * (2 * MomentSum::chunk * int64_t(sizeof(float)) + 12);
}

struct CrossMoment::Impl {
  Impl(int64_t k, const ParallelFor &parallel) : sum(k, false, parallel), pending(k) {}

  void flush() {
    if (pending.count)
      sum.add(pending.scaled.data(), pending.x.data(), pending.count);
    pending.count = 0;
  }

  MomentSum sum;
  Chunk pending;
  double weights = 0;
};

CrossMoment::CrossMoment(int64_t k, ParallelFor parallel)
    : impl(std::make_unique<Impl>(k, parallel)) {}
CrossMoment::~CrossMoment() = default;
CrossMoment::CrossMoment(CrossMoment &&) noexcept = default;
CrossMoment &CrossMoment::operator=(CrossMoment &&) noexcept = default;

void CrossMoment::add(const float *xf, const float *xq, int64_t tokens, int64_t rowStride,
                      std::span<const float> tokenWeights) {
  Chunk &pending = impl->pending;
  for (int64_t t = 0; t < tokens; ++t) {
    const float weight = tokenWeights.empty() ? 1.0f : tokenWeights[t];
    const float *f = xf + t * rowStride, *q = xq + t * rowStride;
    float *kept = pending.x.data() + pending.count * pending.k;
    float *scaled = pending.scaled.data() + pending.count * pending.k;
    for (int64_t j = 0; j < pending.k; ++j) {
      kept[j] = q[j];
      scaled[j] = weight * (f[j] - q[j]);
    }
    impl->weights += weight;
    if (++pending.count; pending.full())
      impl->flush();
  }
}

bool CrossMoment::finish(std::span<float> d) {
  impl->flush();
  return impl->weights > 0 && impl->sum.write(1.0 / impl->weights, d);
}

} // namespace qopt::quantization
