//===- MappedFile.h - Read-only memory mapping of a whole file -------------------------------===//
// Model files are mapped, never read into memory: loading costs no copy and the kernel may drop
// pages under pressure. The mapping is private and read-only and stays valid, at one address, until
// the object is destroyed. Truncating the file while it is mapped raises SIGBUS on access, as for
// every mapping; writers in this project replace files by rename, which is safe.
// Thread safety: immutable after open().
#ifndef QRT_SUPPORT_MAPPEDFILE_H
#define QRT_SUPPORT_MAPPEDFILE_H

#include "qrt/Status.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace qrt {

class MappedFile {
public:
  MappedFile() = default;
  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  ~MappedFile();

  /// CannotRead, with the reason of the system, if the path is not a readable regular file.
  /// An empty file maps to an empty span.
  static Result<MappedFile> open(const std::string &path);

  size_t size() const { return length; }
  const uint8_t *data() const { return static_cast<const uint8_t *>(base); }
  std::span<const uint8_t> bytes() const { return {data(), length}; }
  std::string_view text() const { return {static_cast<const char *>(base), length}; }

private:
  void *base = nullptr;
  size_t length = 0;
};

/// The whole of a small file (configuration, template) as a string. InvalidArgument above
/// `limit` bytes, so that a mistaken path cannot fill the memory.
Result<std::string> readFile(const std::string &path, size_t limit = size_t(256) << 20);

} // namespace qrt

#endif // QRT_SUPPORT_MAPPEDFILE_H
