//===- Block.h - one block of threads, emulated on the CPU --------------------===//
//
// For tests only; the runtime never links it. A block's threads are fibers of one OS thread. A
// thread runs until it reaches a barrier or a warp collective; what runs next is chosen by
// Options::seed, so that several seeds show results that depend on the order. A collective is
// executed when the last of the 32 lanes has arrived, on the operands of all of them.
//
// Errors that are found, each with kernel, block and thread:
//   * a race on shared memory: two threads touch a byte, one of them writes, and no barrier (or, in
//     one warp, no syncWarp) lies between. Checked per byte against the last writer and readers, so
//     it does not depend on the order in which threads happened to run;
//   * a use of bytes that an asynchronous copy still may write, which are filled only when
//   waitAsync
//     covers the copy's group;
//   * a read of shared memory that was never written; an access outside of it, or misaligned;
//   * lanes of a warp in different collectives, or some that ended; barriers that cannot be met.
// Not modelled: the memory model of global memory between blocks (blocks run one after the other,
// in an order that the seed permutes), bank conflicts, timing, rounding inside the tensor cores
// (products are summed in f64 and rounded once).
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_EMULATOR_BLOCK_H
#define QRT_KERNELS_CUDA_EMULATOR_BLOCK_H

#include "kernels/cuda/device/GridSize.h"
#include "kernels/cuda/emulator/Fiber.h"
#include "kernels/cuda/emulator/SharedShadow.h"

#include <string>
#include <vector>

namespace qrt::cuda::emulator {

struct Options {
  /// Order of threads and blocks: 0 ascending, 1 descending, else random.
  uint64_t seed = 0;
  bool checkShared = true; ///< look for races; off: several times faster
};

/// Operands of one lane in a collective; what they mean is the collective's affair.
using LaneOperands = void *;
/// Executes a collective for all lanes at once.
using Collective = void (*)(LaneOperands (&lanes)[32]);

class Block {
public:
  using Body = void (*)(const void *params);

  Block();
  /// Runs one block of a kernel to its end; an error's text, or "".
  std::string run(Body body, const void *params, GridSize grid, GridSize index, int threads,
                  size_t sharedBytes, const Options &options);

  // What follows is called by the threads of the running block.
  static Block &running() { return *current; }
  int thread() const { return active; }
  int threads() const { return threadCount; }
  GridSize index() const { return blockIndex; }
  GridSize grid() const { return gridSize; }
  uint8_t *shared() { return sharedBase; }

  void barrier();
  void collective(Collective function, LaneOperands operands);
  void syncWarp();

  /// A thread's access to shared memory is about to happen.
  void touch(const void *address, size_t bytes, bool write) {
    touchAs(active, address, bytes, write);
  }
  void touchAs(int thread, const void *address, size_t bytes, bool write);

  void copyAsync(void *to, const void *from, int bytes);
  void commitAsync();
  void waitAsync(int pending);

  /// Ends the block with an error; does not return.
  [[noreturn]] void fail(const std::string &what);

private:
  enum class Waiting : uint8_t { No, Barrier, Collective };
  struct Copy {
    uint8_t *to;
    const uint8_t *from;
    int bytes;
  };
  struct Thread {
    Waiting waiting = Waiting::No;
    bool ended = false;
    LaneOperands operands = nullptr;
    std::vector<std::vector<Copy>> groups; ///< of asynchronous copies; the last is open
  };
  struct Warp {
    Collective function = nullptr;
    int arrived = 0;
    uint32_t epoch = 0; ///< syncWarps so far
  };

  static void enter(void *block);
  int pickReady();
  void wait(Waiting reason);
  void releaseBarrier();
  AccessTime timeOf(int thread) const { return {blockEpoch, warps[thread / 32].epoch}; }
  std::string place(int thread) const;

  static Block *current;
  std::vector<Fiber> fibers;
  std::vector<Thread> states;
  std::vector<Warp> warps;
  std::vector<int> ready;
  std::vector<uint8_t> sharedBuffer;
  uint8_t *sharedBase = nullptr;
  SharedShadow shadow;
  Options options;
  Body body = nullptr;
  const void *params = nullptr;
  GridSize gridSize, blockIndex;
  size_t sharedSize = 0;
  int threadCount = 0, active = 0, alive = 0, atBarrier = 0;
  uint32_t blockEpoch = 0;
  uint64_t random = 0;
  std::string error;
};

} // namespace qrt::cuda::emulator

#endif // QRT_KERNELS_CUDA_EMULATOR_BLOCK_H
