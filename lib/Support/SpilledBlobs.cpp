//===- SpilledBlobs.cpp - Weight blobs in unnamed files --------------------------------------===//
#include "SpilledBlobs.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <sys/mman.h>
#include <unistd.h>

namespace qopt {

/// Blobs below this stay on the heap: a file each would cost more than it saves.
static constexpr size_t smallest = size_t(1) << 20;

SpilledBlobs &SpilledBlobs::instance() {
  static SpilledBlobs &blobs = *new SpilledBlobs; // outlives every context
  return blobs;
}

void setSpillPolicy(const SpillPolicy &policy) { SpilledBlobs::instance().policy = policy; }
const SpillPolicy &spillPolicy() { return SpilledBlobs::instance().policy; }

int64_t blobGrowth(int64_t more) { return SpilledBlobs::instance().growth(more); }

static std::string spillDirectory() {
  if (!spillPolicy().directory.empty())
    return spillPolicy().directory;
  const char *variable = std::getenv("TMPDIR");
  return variable && *variable ? variable : "/tmp";
}

int64_t spillSpace() {
  std::error_code error;
  const auto space = std::filesystem::space(spillDirectory(), error);
  return error ? 0 : static_cast<int64_t>(space.available);
}

static char *mapUnnamed(size_t size) {
  std::error_code error;
  std::filesystem::create_directories(spillDirectory(), error); // mkstemp says if that failed
  std::string path = spillDirectory() + "/qopt-weights-XXXXXX";
  const int fd = mkstemp(path.data());
  if (fd < 0)
    return nullptr;
  unlink(path.c_str());
  // Reserved now: a full disk is to be an answer here, not a signal when a page is written.
  void *data = posix_fallocate(fd, 0, static_cast<off_t>(size)) == 0
                   ? mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                   : MAP_FAILED;
  close(fd);
  return data == MAP_FAILED ? nullptr : static_cast<char *>(data);
}

char *SpilledBlobs::allocate(size_t size) {
  std::unique_lock lock(mutex);
  const auto bytes = static_cast<int64_t>(size);
  if (size < smallest || bytes <= policy.heapBytes - heap) {
    heap += bytes;
    return nullptr;
  }
  lock.unlock();
  char *data = mapUnnamed(size);
  lock.lock();
  if (data)
    blobs[data] = size;
  else
    heap += bytes;
  lock.unlock();
  if (data)
    touch(data, size);
  return data;
}

void SpilledBlobs::free(char *data) {
  std::lock_guard lock(mutex);
  auto it = blobs.find(data);
  if (it == blobs.end())
    return;
  munmap(data, it->second);
  blobs.erase(it);
}

void SpilledBlobs::heapFreed(size_t size) {
  std::lock_guard lock(mutex);
  heap -= static_cast<int64_t>(size);
}

int64_t SpilledBlobs::growth(int64_t more) {
  std::lock_guard lock(mutex);
  const int64_t onHeap = std::clamp<int64_t>(policy.heapBytes - heap, 0, more);
  int64_t inFiles = more - onHeap;
  for (auto [data, size] : blobs)
    inFiles += static_cast<int64_t>(size);
  return onHeap + std::min(inFiles, policy.residentBytes);
}

void SpilledBlobs::touch(const char *data, size_t size) {
  std::lock_guard lock(mutex);
  auto it = blobs.upper_bound(data);
  if (it == blobs.begin() || data >= std::prev(it)->first + std::prev(it)->second)
    return;
  touched += static_cast<int64_t>(size);
  if (touched <= policy.residentBytes)
    return;
  dropAll(std::prev(it)->first);
  touched = static_cast<int64_t>(size);
}

void SpilledBlobs::dropAll(const char *except) {
  for (auto [data, size] : blobs)
    if (data != except)
      madvise(const_cast<char *>(data), size, MADV_DONTNEED); // shared: the file keeps them
}

} // namespace qopt
