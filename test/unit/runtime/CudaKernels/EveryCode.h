//===- EveryCode.h - Every code of a weight in every slot of a lane's words ------------------===//
#ifndef QRT_TEST_CUDAKERNELS_EVERYCODE_H
#define QRT_TEST_CUDAKERNELS_EVERYCODE_H

#include "kernels/cuda/layout/WeightOrder.h"

namespace qrt::cuda::test {

/// Puts each code into each slot, among codes that differ; expands each step, and calls
/// check(register, one of its halves, the code that belongs there).
template <WeightFormat format, class Expand, class Check>
void forEveryCode(const Expand &expand, const Check &check) {
  constexpr int codes = 1 << laneWords(format);
  for (int first = 0; first < codes; ++first) {
    uint32_t words[laneWords(format)] = {};
    auto code = [&](int step, int reg, int half) {
      return uint32_t(first + 5 * (8 * step + 2 * reg + half)) % codes;
    };
    for (int step = 0; step < unitSteps; ++step)
      for (int reg = 0; reg < 4; ++reg)
        for (int half = 0; half < 2; ++half)
          storeSlot(format, words, step, reg, half, code(step, reg, half));
    for (int step = 0; step < unitSteps; ++step) {
      uint32_t a[4];
      expand(words, step, a);
      for (int reg = 0; reg < 4; ++reg)
        for (int half = 0; half < 2; ++half)
          check(reg, uint16_t(a[reg] >> (16 * half)), int(code(step, reg, half)));
    }
  }
}

} // namespace qrt::cuda::test

#endif // QRT_TEST_CUDAKERNELS_EVERYCODE_H
