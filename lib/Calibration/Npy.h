//===- Npy.h - Arrays in NumPy's file format -------------------------------------------------===//
// Version 1 to 3 headers, C order, little-endian or one-byte numbers, up to three dimensions. The
// bytes are hostile: every size is checked. Specification: numpy.lib.format.
#ifndef QOPT_LIB_CALIBRATION_NPY_H
#define QOPT_LIB_CALIBRATION_NPY_H

#include "qrt/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qopt::calibration {

struct NpyArray {
  std::string type; ///< "<i4", "|u1" ...
  std::vector<int64_t> shape;
  std::vector<double> values; ///< row-major; integers up to 2^53 are exact
  bool isInteger() const { return type[1] == 'i' || type[1] == 'u' || type[1] == 'b'; }
};

/// BadCalibration, beginning with `what`, for anything that is no such array.
qrt::Result<NpyArray> parseNpy(std::string_view bytes, const std::string &what);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_NPY_H
