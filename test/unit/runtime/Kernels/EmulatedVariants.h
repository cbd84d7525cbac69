//===- EmulatedVariants.h - kernel variants built through SIMDe --------------===//
//
// The same sources as the native variants, without their instruction set's flags.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_TEST_KERNELS_EMULATEDVARIANTS_H
#define QRT_TEST_KERNELS_EMULATEDVARIANTS_H

#include "kernels/cpu/linear/Variants.h"
#include "kernels/cpu/vector/Variants.h"

#include <span>

namespace qrt::kernels::test {

std::span<const LinearKernels *const> emulatedLinearVariants();
std::span<const VectorKernels *const> emulatedVectorVariants();

} // namespace qrt::kernels::test

#endif // QRT_TEST_KERNELS_EMULATEDVARIANTS_H
