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
  int64_t k, size;
  int64_t count = 0;
  bool weighted = false;                 ///< some weight is not 1
  std::vector<float> x, scaled, weights; ///< [size, k], and room to read 16 floats behind it

  Chunk(int64_t k, int64_t size) : k(k), size(size), weights(size) {}
  float *row(int64_t t) {
    x.resize(size * k + 16); // none where all chunks come whole
    return x.data() + t * k;
  }
  bool full() const { return count == size; }
};

} // namespace

struct HessianAccumulator::Impl {
  Impl(int64_t k, const ParallelFor &parallel, MomentPrecision precision,
       std::unique_ptr<ProductSum> elsewhere, bool countsChannels)
      : parallel(parallel), countsChannels(countsChannels),
        bytes(!elsewhere && precision == MomentPrecision::Int8),
        own(elsewhere ? nullptr : std::make_unique<MomentSum>(k, true, parallel)),
        other(std::move(elsewhere)), pending(k, bytes ? MomentSum::byteChunk : MomentSum::chunk),
        absSum(k, 0.0), maxAbs(k, 0.0f) {}

  /// Rows times factor(weight); x itself where all weights are 1.
  template <typename Factor>
  const float *weighted(const float *x, Factor factor) {
    if (!pending.weighted)
      return x;
    const int64_t k = pending.k;
    pending.scaled.resize(pending.size * k + 16);
    parallel(pending.count, [&](int64_t t) {
      const float by = factor(pending.weights[t]);
      for (int64_t j = t * k; j < (t + 1) * k; ++j)
        pending.scaled[j] = by * x[j];
    });
    return pending.scaled.data();
  }

  void flush() {
    if (pending.count > 0)
      flush(pending.x.data());
  }

  /// The chunk's tokens, of which `pending` has count and weights.
  void flush(const float *x) {
    if (bytes)
      own->addBytes(weighted(x, [](float w) { return std::sqrt(w); }), pending.count);
    else
      sum().add(weighted(x, [](float w) { return w; }), x, pending.count);
    if (countsChannels)
      addChannels(x);
    pending.count = 0;
    pending.weighted = false;
  }

  void addChannels(const float *x) {
    const int64_t k = pending.k, strip = 64;
    parallel((k + strip - 1) / strip, [&](int64_t index) {
      const int64_t begin = index * strip, count = std::min(k - begin, strip);
      float largest[strip] = {};
      std::copy_n(maxAbs.data() + begin, count, largest);
      for (int64_t t = 0; t < pending.count; ++t) {
        const float weight = pending.weights[t], *row = x + t * k + begin;
        if (!(weight > 0))
          continue;
        for (int64_t j = 0; j < count; ++j) {
          absSum[begin + j] += std::fabs(weight * row[j]);
          largest[j] = std::max(largest[j], std::fabs(row[j]));
        }
      }
      std::copy_n(largest, count, maxAbs.data() + begin);
    });
  }

  ParallelFor parallel;
  bool countsChannels;
  bool bytes; ///< MomentPrecision::Int8, on the CPU
  std::unique_ptr<MomentSum> own;
  std::unique_ptr<ProductSum> other; ///< instead of `own`
  ProductSum &sum() { return other ? *other : *own; }
  Chunk pending;
  std::vector<double> absSum;
  std::vector<float> maxAbs;
  double weights = 0;
  int64_t tokens = 0;
};

HessianAccumulator::HessianAccumulator(int64_t k, ParallelFor parallel, MomentPrecision precision,
                                       std::unique_ptr<ProductSum> elsewhere, bool channels)
    : impl(std::make_unique<Impl>(k, parallel, precision, std::move(elsewhere), channels)) {}
HessianAccumulator::~HessianAccumulator() = default;
HessianAccumulator::HessianAccumulator(HessianAccumulator &&) noexcept = default;
HessianAccumulator &HessianAccumulator::operator=(HessianAccumulator &&) noexcept = default;

void HessianAccumulator::add(const float *x, int64_t tokens, int64_t rowStride,
                             std::span<const float> tokenWeights) {
  Chunk &pending = impl->pending;
  // Whole chunks are read where they are; the byte kernels read whole vectors of 16.
  const bool inPlace = rowStride == pending.k && pending.k % 16 == 0;
  for (int64_t t = 0; t < tokens; ++t) {
    const bool whole = inPlace && pending.count == 0 && tokens - t >= pending.size;
    const int64_t count = whole ? pending.size : 1;
    for (int64_t i = 0; i < count; ++i) {
      const float weight = tokenWeights.empty() ? 1.0f : tokenWeights[t + i];
      pending.weights[pending.count++] = weight;
      pending.weighted |= weight != 1;
      impl->weights += weight;
    }
    const float *from = x + t * rowStride;
    if (whole) {
      impl->flush(from);
      t += count - 1;
      continue;
    }
    std::memcpy(pending.row(pending.count - 1), from, pending.k * sizeof(float));
    if (pending.full())
      impl->flush();
  }
  impl->tokens += tokens;
}

int64_t HessianAccumulator::columns() const { return impl->pending.k; }
double HessianAccumulator::weightSum() const { return impl->weights; }
int64_t HessianAccumulator::tokens() const { return impl->tokens; }

bool HessianAccumulator::finish(std::span<float> h) {
  impl->flush();
  return impl->weights > 0 && impl->sum().write(1.0 / impl->weights, h);
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
  return MomentSum::bytes(k, true) + k * (2 * MomentSum::byteChunk * int64_t(sizeof(float)) + 12);
}

struct CrossMoment::Impl {
  Impl(int64_t k, const ParallelFor &parallel, std::unique_ptr<ProductSum> elsewhere)
      : sum(elsewhere
                ? std::move(elsewhere)
                : std::unique_ptr<ProductSum>(std::make_unique<MomentSum>(k, false, parallel))),
        pending(k, MomentSum::chunk) {
    pending.scaled.resize(pending.size * k + 16);
  }

  void flush() {
    if (pending.count)
      sum->add(pending.scaled.data(), pending.x.data(), pending.count);
    pending.count = 0;
  }

  std::unique_ptr<ProductSum> sum;
  Chunk pending;
  double weights = 0;
};

CrossMoment::CrossMoment(int64_t k, ParallelFor parallel, std::unique_ptr<ProductSum> elsewhere)
    : impl(std::make_unique<Impl>(k, parallel, std::move(elsewhere))) {}
CrossMoment::~CrossMoment() = default;
CrossMoment::CrossMoment(CrossMoment &&) noexcept = default;
CrossMoment &CrossMoment::operator=(CrossMoment &&) noexcept = default;

void CrossMoment::add(const float *xf, const float *xq, int64_t tokens, int64_t rowStride,
                      std::span<const float> tokenWeights) {
  Chunk &pending = impl->pending;
  for (int64_t t = 0; t < tokens; ++t) {
    const float weight = tokenWeights.empty() ? 1.0f : tokenWeights[t];
    const float *f = xf + t * rowStride, *q = xq + t * rowStride;
    float *kept = pending.row(pending.count);
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
  return impl->weights > 0 && impl->sum->write(1.0 / impl->weights, d);
}

} // namespace qopt::quantization
