//===- ReplaceSection.h - Copies a .qmod file with another text section ----------------------===//
#ifndef QRT_FORMAT_REPLACESECTION_H
#define QRT_FORMAT_REPLACESECTION_H

#include "Format/Program.h"
#include "qrt/Status.h"

#include <string>
#include <string_view>

namespace qrt {

/// Writes `to`, which may be `from`: the same file with `bytes` as its section of that kind, in the
/// place of the one it has or as a further one; empty bytes take it away. Every other section,
/// those of unknown kind included, is copied byte for byte after its checksum was checked. `to`
/// appears complete or not at all. InvalidArgument: the kind is Program or Weights; CannotRead,
/// InvalidModel (the first violated rule), CannotWrite.
Status replaceSection(const std::string &from, const std::string &to, SectionKind kind,
                      std::string_view bytes);

} // namespace qrt

#endif // QRT_FORMAT_REPLACESECTION_H
