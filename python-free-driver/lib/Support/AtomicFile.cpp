//===- AtomicFile.cpp - Write a file completely or not at all --------------------------------===//
#include "Support/AtomicFile.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace qrt {

static std::string directoryOf(const std::string &path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

AtomicFile::AtomicFile(AtomicFile &&other) noexcept
    : target(std::move(other.target)), temporary(std::move(other.temporary)),
      fd(std::exchange(other.fd, -1)), written(other.written) {}

AtomicFile::~AtomicFile() {
  if (fd < 0)
    return;
  close(fd);
  unlink(temporary.c_str());
}

Status AtomicFile::failure(const char *what) {
  return cannotWrite(target + ": " + what + ": " + std::strerror(errno));
}

Result<AtomicFile> AtomicFile::create(const std::string &path) {
  AtomicFile file;
  file.target = path;
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return cannotWrite(path + ": exists and is not a regular file");
  file.temporary = path + ".XXXXXX";
  file.fd = mkstemp(file.temporary.data());
  if (file.fd < 0)
    return file.failure("cannot create a temporary file beside it");
  // mkstemp makes the file private; the result should have the usual permissions.
  mode_t mask = umask(0);
  umask(mask);
  if (fchmod(file.fd, 0666 & ~mask) != 0)
    return file.failure("cannot set permissions");
  return file;
}

Status AtomicFile::write(const void *data, size_t size) {
  const char *from = static_cast<const char *>(data);
  while (size > 0) {
    // Linux writes at most about 2 GiB per call.
    ssize_t done = ::write(fd, from, std::min<size_t>(size, size_t(1) << 30));
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0)
      return failure("write failed");
    from += done;
    size -= static_cast<size_t>(done);
    written += static_cast<uint64_t>(done);
  }
  return Status::ok();
}

Status AtomicFile::padTo(uint64_t alignment) {
  static const char zeros[4096] = {};
  uint64_t missing = (alignment - written % alignment) % alignment;
  while (missing > 0) {
    size_t part = std::min<uint64_t>(missing, sizeof(zeros));
    QRT_RETURN_IF_ERROR(write(zeros, part));
    missing -= part;
  }
  return Status::ok();
}

Status AtomicFile::reserve(uint64_t size) {
  if (size > uint64_t(INT64_MAX))
    return cannotWrite(target + ": " + std::to_string(size) + " bytes are too many for a file");
  if (size > written && fallocate(fd, 0, 0, off_t(size)) == 0)
    return Status::ok();
  // Some file systems cannot claim space; a file with a hole has to do there.
  if (size > written && errno != EOPNOTSUPP && errno != ENOSYS)
    return failure("cannot reserve space");
  if (size > written && ftruncate(fd, off_t(size)) != 0)
    return failure("cannot reserve space");
  return Status::ok();
}

Status AtomicFile::rewrite(uint64_t offset, const void *data, size_t size) {
  const char *from = static_cast<const char *>(data);
  while (size > 0) {
    ssize_t done = pwrite(fd, from, std::min<size_t>(size, size_t(1) << 30), off_t(offset));
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return failure("write failed");
    from += done;
    size -= static_cast<size_t>(done);
    offset += static_cast<uint64_t>(done);
  }
  return Status::ok();
}

Status AtomicFile::commit() {
  if (fsync(fd) != 0)
    return failure("sync failed");
  if (rename(temporary.c_str(), target.c_str()) != 0)
    return failure("rename failed");
  close(std::exchange(fd, -1));
  // The rename itself is durable only when the directory is; file systems that cannot sync a
  // directory have nothing to lose by it.
  int directory = open(directoryOf(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    (void)fsync(directory);
    close(directory);
  }
  return Status::ok();
}

} // namespace qrt
