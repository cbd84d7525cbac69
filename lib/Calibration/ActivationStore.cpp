//===- ActivationStore.cpp - Activations between two groups ----------------------------------===//
#include "ActivationStore.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <unistd.h>

using qrt::Status;

namespace qopt::calibration {

static qrt::Result<int> openUnnamed(std::string directory) {
  if (directory.empty()) {
    const char *variable = std::getenv("TMPDIR");
    directory = variable && *variable ? variable : "/tmp";
  }
  std::string path = directory + "/qopt-activations-XXXXXX";
  int fd = mkstemp(path.data());
  if (fd < 0)
    return qrt::cannotWrite("activations cannot be spilled to '" + directory +
                            "': " + std::strerror(errno));
  unlink(path.c_str());
  return fd;
}

qrt::Result<std::unique_ptr<ActivationStore>> ActivationStore::create(int64_t rows, int64_t width,
                                                                      ActivationBudget &budget) {
  std::unique_ptr<ActivationStore> store(new ActivationStore(width, budget));
  const int64_t bytes = rows * width * static_cast<int64_t>(sizeof(float));
  if (bytes <= budget.free) {
    store->memory.reset(new (std::nothrow) float[rows * width]);
    if (store->memory) { // else as if it were beyond the budget
      store->bytes = bytes;
      budget.free -= bytes;
      return store;
    }
  }
  QRT_ASSIGN_OR_RETURN(store->fd, openUnnamed(budget.directory));
  budget.spilledBytes += bytes;
  return store;
}

ActivationStore::~ActivationStore() {
  budget.free += bytes;
  if (fd >= 0)
    close(fd);
}

Status ActivationStore::write(int64_t first, int64_t count, const float *values) {
  if (fd < 0) {
    std::memcpy(rows(first), values, count * width * sizeof(float));
    return Status::ok();
  }
  const char *bytes = reinterpret_cast<const char *>(values);
  int64_t left = count * width * static_cast<int64_t>(sizeof(float));
  int64_t at = first * width * static_cast<int64_t>(sizeof(float));
  while (left > 0) {
    ssize_t done = pwrite(fd, bytes, left, at);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return qrt::cannotWrite("activations cannot be spilled: " + std::string(strerror(errno)));
    bytes += done, at += done, left -= done;
  }
  return Status::ok();
}

Status ActivationStore::read(int64_t first, int64_t count, float *values) const {
  if (fd < 0) {
    std::memcpy(values, memory.get() + first * width, count * width * sizeof(float));
    return Status::ok();
  }
  char *bytes = reinterpret_cast<char *>(values);
  int64_t left = count * width * static_cast<int64_t>(sizeof(float));
  int64_t at = first * width * static_cast<int64_t>(sizeof(float));
  while (left > 0) {
    ssize_t done = pread(fd, bytes, left, at);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return qrt::cannotRead("spilled activations: " +
                             std::string(done < 0 ? strerror(errno) : "file is too short"));
    bytes += done, at += done, left -= done;
  }
  return Status::ok();
}

} // namespace qopt::calibration
