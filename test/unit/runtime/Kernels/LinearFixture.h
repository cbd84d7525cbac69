//===- LinearFixture.h - random packed weights for tests and benchmarks ------===//
//
// Builds a weight in the packed layout together with what it stands for.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_TEST_KERNELS_LINEARFIXTURE_H
#define QRT_TEST_KERNELS_LINEARFIXTURE_H

#include "kernels/cpu/linear/linear.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace qrt::kernels::test {

/// 64-byte aligned bytes, as the mapped file gives them.
class AlignedBytes {
public:
  explicit AlignedBytes(size_t size);
  uint8_t *data() const { return memory.get(); }

private:
  struct Free {
    void operator()(uint8_t *p) const;
  };
  std::unique_ptr<uint8_t[], Free> memory;
};

struct RandomWeight {
  WeightDesc desc;
  std::vector<uint8_t> codes;      ///< quantized: [n, k]
  std::vector<float> scales;       ///< quantized: [n, G] as stored (rounded to the scale type)
  std::vector<uint8_t> zeroPoints; ///< [n, G], also filled where symmetric
  std::vector<float> values;       ///< [n, k], what the weight stands for
  AlignedBytes data, packedScales, packedZeroPoints;

  WeightView view() const;
};

/// Codes over the whole range; zero points over the whole range where asymmetric; some scales
/// negative or tiny where they are f32.
RandomWeight randomWeight(const WeightDesc &desc, uint32_t seed);

} // namespace qrt::kernels::test

#endif // QRT_TEST_KERNELS_LINEARFIXTURE_H
