//===- Output.h - Results on stdout ----------------------------------------------------------===//
// Every result passes through here, so that a full disk or a closed pipe is an error (CannotWrite,
// exit code 10) instead of a result that is silently cut.
#ifndef QRUN_OUTPUT_H
#define QRUN_OUTPUT_H

#include "Support/Json.h"
#include "qrt/Status.h"

#include <string_view>

namespace qrt {

/// Writes to stdout at once, unbuffered.
Status writeOutput(std::string_view text);
/// One line of JSON, or indented lines.
Status writeJson(const OrderedJson &value, int indent = -1);
Status writeJson(const Json &value, int indent = -1);

} // namespace qrt

#endif // QRUN_OUTPUT_H
