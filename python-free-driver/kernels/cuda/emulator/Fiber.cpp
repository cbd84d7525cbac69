//===- Fiber.cpp - stack switching --------------------------------------------===//

#include "kernels/cuda/emulator/Fiber.h"

#include <cstdlib>

#if defined(__x86_64__)
#define QRT_FIBER_BY_HAND
#else
#include <ucontext.h>
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace qrt::cuda::emulator {

#ifdef QRT_FIBER_BY_HAND
extern "C" void qrtFiberSwitch(void **save, void *to);
// Saves what a call preserves and changes the stack.
asm(R"(
.text
.globl qrtFiberSwitch
.hidden qrtFiberSwitch
.type qrtFiberSwitch, @function
qrtFiberSwitch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size qrtFiberSwitch, .-qrtFiberSwitch
)");
#endif

struct Fiber::State {
  size_t bytes;
  std::unique_ptr<uint8_t[]> stack;
  Entry entry = nullptr;
  void *argument = nullptr;
  bool finished = true;
#ifdef QRT_FIBER_BY_HAND
  void *inside = nullptr, *outside = nullptr; ///< stack pointers
#else
  ucontext_t inside, outside;
#endif
#ifdef __SANITIZE_ADDRESS__
  const void *outsideStack = nullptr;
  size_t outsideBytes = 0;
  void *fakeStack = nullptr;
#endif

  void leave() {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(finished ? nullptr : &fakeStack, outsideStack, outsideBytes);
#endif
#ifdef QRT_FIBER_BY_HAND
    qrtFiberSwitch(&inside, outside);
#else
    swapcontext(&inside, &outside);
#endif
    arrived();
  }
  /// Runs on the fiber's stack after each switch to it.
  void arrived() {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(fakeStack, &outsideStack, &outsideBytes);
#endif
  }
};

namespace {
void *starting; ///< State of the fiber that is entered for the first time
} // namespace

Fiber::Fiber(size_t stackBytes) : state(new State) {
  state->bytes = stackBytes;
  state->stack.reset(new uint8_t[stackBytes]);
}
Fiber::~Fiber() = default;
Fiber::Fiber(Fiber &&) noexcept = default;

bool Fiber::done() const { return state->finished; }

void Fiber::start(Entry entry, void *argument) {
  State &s = *state;
  s.entry = entry;
  s.argument = argument;
  s.finished = false;
#ifdef __SANITIZE_ADDRESS__
  s.fakeStack = nullptr;
  __asan_unpoison_memory_region(s.stack.get(), s.bytes); // frames of an abandoned run
#endif
  void (*first)() = [] {
    State &self = *static_cast<State *>(starting);
    self.arrived();
    self.entry(self.argument);
    self.finished = true;
    self.leave();
    std::abort(); // a finished fiber is not resumed
  };
#ifdef QRT_FIBER_BY_HAND
  auto top = reinterpret_cast<uintptr_t>(s.stack.get() + s.bytes) & ~uintptr_t(15);
  auto *sp = reinterpret_cast<void **>(top) - 2; // entered as if called: sp % 16 = 8
  *sp = reinterpret_cast<void *>(first);
  for (int i = 0; i < 6; ++i)
    *--sp = nullptr;
  s.inside = sp;
#else
  getcontext(&s.inside);
  s.inside.uc_stack.ss_sp = s.stack.get();
  s.inside.uc_stack.ss_size = s.bytes;
  s.inside.uc_link = nullptr;
  makecontext(&s.inside, first, 0);
#endif
}

void Fiber::resume() {
  State &s = *state;
  starting = &s;
#ifdef __SANITIZE_ADDRESS__
  void *fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, s.stack.get(), s.bytes);
#endif
#ifdef QRT_FIBER_BY_HAND
  qrtFiberSwitch(&s.outside, s.inside);
#else
  swapcontext(&s.outside, &s.inside);
#endif
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

void Fiber::suspend() { state->leave(); }

} // namespace qrt::cuda::emulator
