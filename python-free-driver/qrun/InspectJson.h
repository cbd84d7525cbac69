//===- InspectJson.h - Everything a file says about itself, as JSON --------------------------===//
#ifndef QRUN_INSPECTJSON_H
#define QRUN_INSPECTJSON_H

#include "Support/Json.h"
#include "qrt/Model.h"

namespace qrt {

/// The object that `qrun inspect --json` prints; docs/cli.md lists its members.
OrderedJson inspectJson(const Model &model);

} // namespace qrt

#endif // QRUN_INSPECTJSON_H
