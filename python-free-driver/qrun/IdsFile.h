//===- IdsFile.h - Token ids from files ------------------------------------------------------===//
#ifndef QRUN_IDSFILE_H
#define QRUN_IDSFILE_H

#include "qrt/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace qrt {

/// Reads [[int, ...], ...] from a JSON file: at least one list, no list empty, every id in
/// [0, vocabSize). CannotRead: the file; InvalidArgument names list and element.
Result<std::vector<std::vector<int32_t>>> readIdsFile(const std::string &path, int32_t vocabSize);

} // namespace qrt

#endif // QRUN_IDSFILE_H
