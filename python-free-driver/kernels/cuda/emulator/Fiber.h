//===- Fiber.h - cooperative threads for the emulator -------------------------===//
//
// A fiber runs a function on its own stack and gives control back with suspend(). x86-64 switches
// by hand (a few ns); other machines use ucontext. Not thread safe: a fiber belongs to one OS
// thread.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_EMULATOR_FIBER_H
#define QRT_KERNELS_CUDA_EMULATOR_FIBER_H

#include <cstddef>
#include <cstdint>
#include <memory>

namespace qrt::cuda::emulator {

class Fiber {
public:
  using Entry = void (*)(void *argument);

  explicit Fiber(size_t stackBytes);
  ~Fiber();
  Fiber(Fiber &&) noexcept;

  /// Prepares a run of entry(argument), abandoning an earlier one.
  void start(Entry entry, void *argument);
  /// Runs until the fiber suspends or its function returns; called from outside of all fibers.
  void resume();
  /// Back to who resumed; called by the running fiber.
  void suspend();
  bool done() const;

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace qrt::cuda::emulator

#endif // QRT_KERNELS_CUDA_EMULATOR_FIBER_H
