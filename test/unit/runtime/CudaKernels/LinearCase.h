//===- LinearCase.h - one product on the emulator, against float64 --------------------------===//

#ifndef QRT_TEST_CUDAKERNELS_LINEARCASE_H
#define QRT_TEST_CUDAKERNELS_LINEARCASE_H

#include "DeviceWeight.h"

namespace qrt::cuda::test {

struct LinearCase {
  kernels::WeightDesc desc;
  int64_t rows;
  DType src, dst;
  bool bias, add;
};

/// launchLinear once per seed on a device of so many multiprocessors: the result is that of float64
/// on the dequantized weights and the activations as rounded to 16 bits, and the same bits for all
/// seeds; the workspace's counters are left zero.
void checkLinearOn(int sharedKilobytes, const LinearCase &c, int multiprocessors,
                   const std::vector<uint64_t> &seeds);

/// On what sm_90 has, and on the least, sm_89's: there with smaller blocks.
void checkLinear(const LinearCase &c, int multiprocessors = 132,
                 const std::vector<uint64_t> &seeds = {0, 1, 2});

} // namespace qrt::cuda::test

#endif // QRT_TEST_CUDAKERNELS_LINEARCASE_H
