//===- Lend.h - The kernels' thread pool for the numerics ------------------------------------===//
#ifndef QOPT_LIB_CALIBRATION_LEND_H
#define QOPT_LIB_CALIBRATION_LEND_H

#include "qopt/Dialect/QIR/IR/QIROps.h"
#include "qopt/Quantization/GPTQ.h"
#include "qopt/Quantization/Parallel.h"
#include "qopt/Quantization/RoundToNearest.h"

#include "kernels/cpu/threading/ThreadPool.h"

namespace qopt::calibration {

/// `pool` outlives the result.
inline quantization::ParallelFor lend(qrt::kernels::ThreadPool &pool) {
  return [&pool](int64_t count, const quantization::IndexBody &body) {
    pool.parallelFor(count, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i)
        body(i);
    });
  };
}

/// Rounds of refinement; fewer than 0: what pays (docs/quality.md).
inline int roundsFor(const quantization::GptqOptions &options) {
  return options.rounds >= 0 ? options.rounds : options.format.bits < 4 ? 4 : 1;
}

inline quantization::GroupFormat formatOf(qir::SchemeAttr scheme) {
  return {static_cast<int>(scheme.getWeightBits()), scheme.getGroupSize(), scheme.getSymmetric(),
          false};
}

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_LEND_H
