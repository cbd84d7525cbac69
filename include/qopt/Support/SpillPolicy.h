//===- SpillPolicy.h - Where the blobs of WeightStore live ------------------------------------===//
// Owned blobs (WeightStore::allocate) past a limit live in unnamed files: same pointers, same
// contents, but the kernel can take their pages away, and pages that have not been used for a while
// leave the process. So a model whose weights or codes are larger than memory can be compiled.
// Thread safety: free functions; the policy is that of the process.
#ifndef QOPT_SUPPORT_SPILLPOLICY_H
#define QOPT_SUPPORT_SPILLPOLICY_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace qopt {

struct SpillPolicy {
  int64_t heapBytes = INT64_MAX;            ///< owned blobs past this go to unnamed files
  int64_t residentBytes = int64_t(1) << 29; ///< of those, about what is in memory at once
  std::string directory;                    ///< "": $TMPDIR, else /tmp
};

/// For blobs that are allocated from now on. The default is the heap, without limit.
void setSpillPolicy(const SpillPolicy &policy);
const SpillPolicy &spillPolicy();

/// What owned blobs add to the heap of now (qrt::residentMemory()) once `more` bytes of them are
/// allocated: the rest of the heap's share, and pages of files.
int64_t blobGrowth(int64_t more);

/// What the file system of the policy's directory has free; 0 if it cannot be asked.
int64_t spillSpace();

} // namespace qopt

#endif // QOPT_SUPPORT_SPILLPOLICY_H
