//===- Tickets.h - the last of several blocks finishes their work -----------------------------===//
//
// Workspaces of kernels that cut a sum in parts begin with ticketCounters words, which are zero
// between launches: at the same place for every shape, so that launches that follow one another on
// a stream can share a workspace.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_DEVICE_TICKETS_H
#define QRT_KERNELS_CUDA_DEVICE_TICKETS_H

#include "kernels/cuda/device/Simt.h"

namespace qrt::cuda {

inline constexpr int64_t ticketCounters = 4096;

/// Called by all threads of a block when its part is stored in global memory: true in the block
/// that came last of `parts`, whose threads then see what all have stored (loadCoherent). `flag`: a
/// word of shared memory; `mine`: how many of the parts this block has.
QRT_DEVICE bool arriveLast(uint32_t *counter, uint32_t parts, uint32_t *flag, uint32_t mine = 1) {
  syncThreads();
  if (threadIndex() == 0) {
    fenceGlobal(); // of all threads' writes, which the barrier has put before
    const bool last = atomicAdd(counter, mine) + mine == parts;
    if (last)
      storeGlobal(counter, 0u); // for the next launch
    fenceGlobal();
    storeShared(flag, last ? 1u : 0u);
  }
  syncThreads();
  return loadShared(flag) != 0;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_DEVICE_TICKETS_H
