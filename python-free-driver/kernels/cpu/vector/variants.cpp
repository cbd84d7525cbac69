//===- variants.cpp - the table of vector kernels ----------------------------===//
//
// Declared and listed from variants.inc.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/vector/Variants.h"

namespace qrt::kernels {

#define QRT_VECTOR_VARIANT(ns)                                                                     \
  namespace ns {                                                                                   \
  extern const VectorKernels vectorKernels;                                                        \
  }
#include "kernels/cpu/vector/variants.inc"

std::span<const VectorKernels *const> vectorVariants() {
  static const VectorKernels *const table[] = {
#define QRT_VECTOR_VARIANT(ns) &ns::vectorKernels,
#include "kernels/cpu/vector/variants.inc"
  };
  return table;
}

const VectorKernels &activeVectorKernels() {
  static const VectorKernels *const active = [] {
    const VectorKernels *best = nullptr;
    for (const VectorKernels *kernels : vectorVariants())
      if (kernels->isa <= activeIsa())
        best = kernels;
    return best;
  }();
  return *active;
}

} // namespace qrt::kernels
