//===- FileSize.h - How large a .qmod file will be -------------------------------------------===//
// Thread safety: free function on values.
#ifndef QRT_FORMAT_FILESIZE_H
#define QRT_FORMAT_FILESIZE_H

#include "Format/Program.h"
#include "qrt/Status.h"

#include <cstdint>
#include <span>

namespace qrt {

/// Bytes of the file that QmodWriter makes of these tensors (in order), text sections of these
/// sizes and the program, without the bytes of either: the layout is known from the entries.
/// InvalidArgument for entries that the writer would refuse.
Result<int64_t> plannedFileBytes(Program program, std::span<const TensorEntry> tensors,
                                 std::span<const int64_t> textSections);

} // namespace qrt

#endif // QRT_FORMAT_FILESIZE_H
