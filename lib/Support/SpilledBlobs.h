//===- SpilledBlobs.h - Weight blobs in unnamed files ----------------------------------------===//
// What WeightStore allocates past its heap share: memory that is mapped from an unlinked file, so
// that its pages can leave the process and come back. Pages of all such blobs are dropped from the
// process whenever those touched since the last time are more than the policy's resident bytes;
// whoever reads or writes them meanwhile only gets them back from the page cache. Thread safe.
#ifndef QOPT_LIB_SUPPORT_SPILLEDBLOBS_H
#define QOPT_LIB_SUPPORT_SPILLEDBLOBS_H

#include "qopt/Support/SpillPolicy.h"

#include <map>
#include <mutex>

namespace qopt {

class SpilledBlobs {
public:
  static SpilledBlobs &instance();

  SpillPolicy policy; ///< changed while nobody allocates

  /// Zeros of `size` bytes, page-aligned, or null: the heap is to be used (its share is then taken
  /// up), also where the file cannot have that size.
  char *allocate(size_t size);
  void free(char *data);
  /// A heap blob of this size is gone.
  void heapFreed(size_t size);
  /// See blobGrowth().
  int64_t growth(int64_t more);
  /// Somebody is about to use this memory, which may be anything.
  void touch(const char *data, size_t size);

private:
  void dropAll(const char *except);

  std::mutex mutex;
  int64_t heap = 0, touched = 0;
  std::map<const char *, size_t> blobs;
};

} // namespace qopt

#endif // QOPT_LIB_SUPPORT_SPILLEDBLOBS_H
