//===- EmulatedVariants.cpp - kernel variants built through SIMDe ------------===//
//
// Empty tables where SIMDe is not installed; the native variants are still tested.
//
//===----------------------------------------------------------------------===//

#include "EmulatedVariants.h"

namespace qrt::kernels {

#if defined(QRT_HAVE_SIMDE)
namespace simde_avx2 {
extern const LinearKernels linearKernels;
extern const VectorKernels vectorKernels;
} // namespace simde_avx2
namespace simde_avx512vnni {
extern const LinearKernels linearKernels;
extern const VectorKernels vectorKernels;
} // namespace simde_avx512vnni
namespace simde_avx512bf16 {
extern const LinearKernels linearKernels;
extern const VectorKernels vectorKernels;
} // namespace simde_avx512bf16
#endif

namespace test {

std::span<const LinearKernels *const> emulatedLinearVariants() {
#if defined(QRT_HAVE_SIMDE)
  static const LinearKernels *const table[] = {&simde_avx2::linearKernels,
                                               &simde_avx512vnni::linearKernels,
                                               &simde_avx512bf16::linearKernels};
  return table;
#else
  return {};
#endif
}

std::span<const VectorKernels *const> emulatedVectorVariants() {
#if defined(QRT_HAVE_SIMDE)
  static const VectorKernels *const table[] = {&simde_avx2::vectorKernels,
                                               &simde_avx512vnni::vectorKernels,
                                               &simde_avx512bf16::vectorKernels};
  return table;
#else
  return {};
#endif
}

} // namespace test

} // namespace qrt::kernels
