//===- Npy.h - Arrays of small integers from .npy files ---------------------------------------===//
// NumPy's format, versions 1 to 3, C order, little endian, of dimension 1 or 2: int32, int64,
// uint8, int8 and bool elements. Token ids and masks, so values must fit into int32. Hostile bytes:
// every size is checked before memory is taken. Thread safety: free function.
#ifndef QRT_SUPPORT_NPY_H
#define QRT_SUPPORT_NPY_H

#include "qrt/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace qrt {

struct IntMatrix {
  int64_t rows = 0, columns = 0; ///< one-dimensional files have one row
  std::vector<int32_t> values;   ///< row-major
};

/// CannotRead: the file; InvalidArgument: not such an array, "<path>: why".
Result<IntMatrix> readNpyIntegers(const std::string &path);

} // namespace qrt

#endif // QRT_SUPPORT_NPY_H
