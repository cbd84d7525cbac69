//===- Summary.h - What a model file holds, in figures ---------------------------------------===//
#ifndef QRUN_SUMMARY_H
#define QRUN_SUMMARY_H

#include "qrt/Model.h"

#include <cstdint>
#include <optional>

namespace qrt {

/// Bytes of a tensor in the file: codes, scales, zero points and padding.
int64_t storedBytes(const TensorEntry &tensor);
int64_t elementCount(const TensorEntry &tensor);

struct BitsPerWeight {
  /// Over the quantized weights of linears, each stored tensor once, scales, zero points and
  /// padding included; nothing if no linear is quantized.
  std::optional<double> quantizedLinears;
  /// Bits of the whole file over all weights (elements of float and packed tensors, ties once).
  std::optional<double> file;
};
BitsPerWeight bitsPerWeight(const Model &model);

/// "token_major" or "generic".
const char *programKindName(ProgramKind kind);

} // namespace qrt

#endif // QRUN_SUMMARY_H
