//===- FloatElements.h - Float constants as f32 -----------------------------------------------===//
// Reads f32, f16, bf16 and f64 constants as float, whole or in pieces, so that the writer can
// convert a matrix of any size a few rows at a time. f64 is rounded to f32.
// Thread safety: free functions without state.
#ifndef QOPT_SUPPORT_FLOATELEMENTS_H
#define QOPT_SUPPORT_FLOATELEMENTS_H

#include "mlir/IR/BuiltinAttributes.h"

#include <vector>

namespace qopt {

/// Converts `count` elements of type `element` at `bytes` (any alignment) to f32. False for types
/// that are no floats.
bool convertToFloat(mlir::Type element, const char *bytes, size_t count, float *out);

/// All elements in row-major order; failure for released blobs and element types that are no
/// floats.
mlir::FailureOr<std::vector<float>> readFloats(mlir::ElementsAttr value);

} // namespace qopt

#endif // QOPT_SUPPORT_FLOATELEMENTS_H
