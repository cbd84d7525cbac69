//===- AtomicFile.h - Write a file completely or not at all ----------------------------------===//
// Bytes go to a temporary name in the target's directory; commit() syncs it, renames it over the
// target and syncs the directory. Without commit() (error, exception elsewhere, early return) the
// temporary file is removed and the target is untouched, so nobody ever sees half a model.
// Thread safety: one thread at a time.
#ifndef QRT_SUPPORT_ATOMICFILE_H
#define QRT_SUPPORT_ATOMICFILE_H

#include "qrt/Status.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace qrt {

class AtomicFile {
public:
  AtomicFile(AtomicFile &&other) noexcept;
  AtomicFile &operator=(AtomicFile &&) = delete;
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;
  ~AtomicFile();

  /// CannotWrite if the directory is missing or not writable.
  static Result<AtomicFile> create(const std::string &path);

  /// Appends; CannotWrite (disk full ...) leaves the object only good for destruction.
  Status write(const void *data, size_t size);
  /// Appends zeros until position() is a multiple of `alignment`.
  Status padTo(uint64_t alignment);
  /// Makes the file `size` bytes long, zeros behind what was written, and claims the disk space
  /// now: a disk that is too full is an error before hours of work. position() does not move.
  Status reserve(uint64_t size);
  /// Overwrites bytes already written or reserved; position() does not move.
  Status rewrite(uint64_t offset, const void *data, size_t size);
  uint64_t position() const { return written; }
  Status commit();

private:
  AtomicFile() = default;
  Status failure(const char *what);

  std::string target, temporary;
  int fd = -1;
  uint64_t written = 0;
};

} // namespace qrt

#endif // QRT_SUPPORT_ATOMICFILE_H
