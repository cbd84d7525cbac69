//===- variants.cpp - the table of linear variants ---------------------------===//
//
// Declared and listed from variants.inc.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/linear/Variants.h"

namespace qrt::kernels {

#define QRT_LINEAR_VARIANT(ns)                                                                     \
  namespace ns {                                                                                   \
  extern const LinearKernels linearKernels;                                                        \
  }
#include "kernels/cpu/linear/variants.inc"

std::span<const LinearKernels *const> linearVariants() {
  static const LinearKernels *const table[] = {
#define QRT_LINEAR_VARIANT(ns) &ns::linearKernels,
#include "kernels/cpu/linear/variants.inc"
  };
  return table;
}

} // namespace qrt::kernels
