//===- SharedShadow.h - who touched which byte of shared memory ----------------===//
//
// Happens-before for one block: an earlier access is ordered before a later one of another thread
// if a barrier lies between, or, within one warp, a syncWarp. For each byte the last write is kept
// and as many reads as decide whether a later write races with any of them: the last one, the last
// one by another warp, and the last one by another thread of the last reader's warp.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_EMULATOR_SHAREDSHADOW_H
#define QRT_KERNELS_CUDA_EMULATOR_SHAREDSHADOW_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace qrt::cuda::emulator {

/// Barriers and syncWarps that a thread has passed.
struct AccessTime {
  uint32_t block = 0, warp = 0;
};

enum class Hazard : uint8_t {
  None,
  Unwritten,   ///< read of a byte that nothing wrote
  ReadWrite,   ///< a read and a write, or two writes, without order
  AsyncPending ///< an asynchronous copy may still write the byte
};

class SharedShadow {
public:
  void reset(size_t bytes);

  struct Finding {
    Hazard hazard = Hazard::None;
    size_t byte = 0;
    int other = -1; ///< thread of the earlier access
  };
  Finding read(size_t first, size_t bytes, int thread, AccessTime now);
  Finding write(size_t first, size_t bytes, int thread, AccessTime now);
  /// An asynchronous copy begins: from now on it may write at any time.
  Finding beginAsync(size_t first, size_t bytes, int thread, AccessTime now);
  /// ... and has written.
  void endAsync(size_t first, size_t bytes, int thread, AccessTime now);

private:
  struct Access {
    int32_t thread = -1;
    AccessTime time;
  };
  struct Byte {
    Access written;
    Access read, readByOtherWarp, readBySameWarp;
    int32_t pending = -1; ///< thread whose copy is in flight
  };
  static bool ordered(const Access &earlier, int thread, AccessTime now);
  static int racingReader(const Byte &byte, int thread, AccessTime now);

  std::vector<Byte> bytes;
};

} // namespace qrt::cuda::emulator

#endif // QRT_KERNELS_CUDA_EMULATOR_SHAREDSHADOW_H
