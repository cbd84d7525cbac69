//===- Stream.h - launches on the emulator -------------------------------------===//
//
// What Launch::stream points to in the emulated library. A launch runs at once, or, while `record`
// is set, hands over what would run: a capture. Null is allowed and means the default options. One
// OS thread at a time.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_EMULATOR_STREAM_H
#define QRT_KERNELS_CUDA_EMULATOR_STREAM_H

#include "kernels/cuda/Ops.h"
#include "kernels/cuda/emulator/Block.h"

#include <functional>
#include <string>
#include <typeinfo>

namespace qrt::cuda::emulator {

struct Stream {
  Options options;
  /// Takes the work of each launch instead of running it. The work returns as a launch does.
  std::function<void(std::function<int()>)> record;
  std::string error; ///< of the first launch that failed
  uint64_t launches = 0, blocks = 0;
};

inline constexpr int launchFailed = 719; ///< cudaErrorLaunchFailure

/// QRT_EMULATED_TRACE=FILE: appends the kernel's name, a line per launch.
/// Copies the parameters; returns 0, 1 for a launch that the device of `launch` would refuse
/// (shared memory, grid), or launchFailed with the words in Stream::error (stderr without a
/// stream).
int launch(const Launch &launch, Block::Body body, const void *params, size_t paramBytes,
           GridSize grid, int threads, int sharedBytes, const char *kernel);

} // namespace qrt::cuda::emulator

#endif // QRT_KERNELS_CUDA_EMULATOR_STREAM_H
