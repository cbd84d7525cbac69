//===- NpyWriter.h - Writes float32 arrays as .npy files -------------------------------------===//
// Format 1.0 of NumPy ("numpy/lib/format.py"): little endian, C order. Streams: the array is never
// whole in memory, and elements may come in any order. The file appears only with commit().
// Thread safety: one thread at a time.
#ifndef QRUN_NPYWRITER_H
#define QRUN_NPYWRITER_H

#include "Support/AtomicFile.h"
#include "qrt/Status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qrt {

class NpyWriter {
public:
  /// CannotWrite: path; InvalidArgument: a shape of more than 2^58 elements.
  /// Disk space for all of it is claimed here.
  static Result<NpyWriter> create(const std::string &path, std::span<const int64_t> shape);
  /// Writes values to elements first, first + 1 ... in C order.
  Status writeAt(int64_t first, std::span<const float> values);
  /// Every element must have been written: what was not reads as 0.
  Status commit();

private:
  NpyWriter(AtomicFile file, uint64_t dataOffset) : file(std::move(file)), dataOffset(dataOffset) {}

  AtomicFile file;
  uint64_t dataOffset;
};

} // namespace qrt

#endif // QRUN_NPYWRITER_H
