//===- TestVariants.h - which variants a kernel test walks -------------------===//
//
// The native table cut at what this processor executes, then the copies that SIMDe emulates: every
// variant is checked on every machine.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_TEST_KERNELS_TESTVARIANTS_H
#define QRT_TEST_KERNELS_TESTVARIANTS_H

#include "kernels/cpu/Isa.h"

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace qrt::kernels::test {

/// A table row of any op and the name it has in test output.
template <typename Kernels>
struct Variant {
  const Kernels *kernels;
  std::string name;
};

template <typename Kernels>
std::vector<Variant<Kernels>> runnable(std::span<const Kernels *const> native,
                                       std::span<const Kernels *const> emulated) {
  std::vector<Variant<Kernels>> all;
  for (const Kernels *kernels : native)
    if (kernels->isa <= detectIsa())
      all.push_back({kernels, kernels->name});
  for (const Kernels *kernels : emulated)
    all.push_back({kernels, std::string("simde_") + kernels->name});
  return all;
}

inline std::vector<float> randomFloats(size_t count, uint32_t seed, float scale = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(random);
  return values;
}

} // namespace qrt::kernels::test

#endif // QRT_TEST_KERNELS_TESTVARIANTS_H
