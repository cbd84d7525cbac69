//===- KernelWords.h - Words of attributes as enumerators of the kernels ---------------------===//
// The verifier (R20) admits only the words that are known here. Thread safety: pure functions.
#ifndef QRT_ENGINE_KERNELWORDS_H
#define QRT_ENGINE_KERNELWORDS_H

#include "kernels/cpu/elementwise/elementwise.h"

#include <string_view>

namespace qrt {

/// "kind" of a GatedActivation or Unary.
kernels::UnaryKind unaryKindFromWord(std::string_view word);
/// "kind" of a Binary.
kernels::BinaryKind binaryKindFromWord(std::string_view word);

} // namespace qrt

#endif // QRT_ENGINE_KERNELWORDS_H
