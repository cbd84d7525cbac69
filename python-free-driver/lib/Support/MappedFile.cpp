//===- MappedFile.cpp - Read-only memory mapping of a whole file -----------------------------===//
#include "Support/MappedFile.h"

#include "Support/PageMemory.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace qrt {

MappedFile::MappedFile(MappedFile &&other) noexcept
    : base(std::exchange(other.base, nullptr)), length(std::exchange(other.length, 0)) {}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(base, other.base);
  std::swap(length, other.length);
  return *this;
}

MappedFile::~MappedFile() {
  if (base)
    munmap(base, length);
}

Result<MappedFile> MappedFile::open(const std::string &path) {
  // Non-blocking, so that opening a pipe or a device by mistake fails below instead of hanging.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return cannotRead(path + ": " + std::strerror(errno));
  struct stat info;
  if (fstat(fd, &info) != 0) {
    int error = errno;
    close(fd);
    return cannotRead(path + ": " + std::strerror(error));
  }
  if (!S_ISREG(info.st_mode)) {
    close(fd);
    return cannotRead(path + (S_ISDIR(info.st_mode) ? ": is a directory" : ": not a regular file"));
  }
  MappedFile file;
  file.length = static_cast<size_t>(info.st_size);
  if (file.length > 0) {
    void *address = mapPages(fd, file.length);
    if (!address) {
      int error = errno;
      close(fd);
      file.length = 0;
      return cannotRead(path + ": cannot map " + std::to_string(info.st_size) +
                        " bytes: " + std::strerror(error));
    }
    file.base = address;
  }
  close(fd);
  return file;
}

Result<std::string> readFile(const std::string &path, size_t limit) {
  QRT_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  if (file.size() > limit)
    return invalidArgument(path + ": " + std::to_string(file.size()) +
                           " bytes, more than the limit of " + std::to_string(limit));
  return std::string(file.text());
}

} // namespace qrt
