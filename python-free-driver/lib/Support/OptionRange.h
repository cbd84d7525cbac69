//===- OptionRange.h - Is a number of the options in its range? ------------------------------===//
#ifndef QRT_SUPPORT_OPTIONRANGE_H
#define QRT_SUPPORT_OPTIONRANGE_H

#include "qrt/Status.h"

#include <string>

namespace qrt {

/// InvalidArgument "<what>: <value> is not in [low, high]"; NaN is in no range.
inline Status checkRange(const std::string &what, double value, double low, double high) {
  if (!(value >= low && value <= high)) // also false for NaN
    return invalidArgument(what + ": " + std::to_string(value) + " is not in [" +
                           std::to_string(low) + ", " + std::to_string(high) + "]");
  return Status::ok();
}

} // namespace qrt

#endif // QRT_SUPPORT_OPTIONRANGE_H
