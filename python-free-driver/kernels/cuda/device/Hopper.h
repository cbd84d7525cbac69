//===- Hopper.h - instructions of sm_90a --------------------------------------===//
//
// For kernels in files named *Sm90a.cu only. Not emulated: barriers between roles of a block, and
// products that read shared memory behind the threads' backs (the asynchronous proxy).
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_DEVICE_HOPPER_H
#define QRT_KERNELS_CUDA_DEVICE_HOPPER_H

#include "kernels/cuda/device/Elements.h"

namespace qrt::cuda {

QRT_DEVICE uint32_t sharedAddress(const void *p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

/// The same value, but computed here and kept: the compiler would compute cheap ones again in every
/// iteration.
QRT_DEVICE uint32_t kept(uint32_t value) {
  asm volatile("" : "+r"(value));
  return value;
}

// ---- Barriers in shared memory: 8 bytes each.

QRT_DEVICE void initBarrier(uint64_t *barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;\n" ::"r"(sharedAddress(barrier)),
               "r"(arrivals)
               : "memory");
}
/// After initBarrier, before others use them.
QRT_DEVICE void fenceBarrierInit() {
  asm volatile("fence.mbarrier_init.release.cluster;\n" ::: "memory");
}
QRT_DEVICE void arriveBarrier(uint64_t *barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];\n" ::"r"(sharedAddress(barrier))
               : "memory");
}
/// An arrival once this thread's copyAsync so far are complete.
QRT_DEVICE void arriveWhenCopied(uint64_t *barrier) {
  asm volatile(
      "cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];\n" ::"r"(sharedAddress(barrier))
      : "memory");
}
/// Until the phase of this parity is complete.
QRT_DEVICE void waitBarrier(uint64_t *barrier, uint32_t parity) {
  asm volatile("{\n"
               ".reg .pred done;\n"
               "again:\n"
               "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
               "@!done bra again;\n"
               "}\n" ::"r"(sharedAddress(barrier)),
               "r"(parity)
               : "memory");
}
/// Of `threads` threads of the block that use barrier `id` (1 .. 15).
template <int threads>
QRT_DEVICE void syncSome(int id) {
  asm volatile("bar.sync %0, %1;\n" ::"r"(id), "n"(threads) : "memory");
}
// ---- Copies of many bytes by one thread.

/// An arrival that also announces bytes which copyBulk will bring: the phase waits for them.
QRT_DEVICE void arriveExpecting(uint64_t *barrier, int bytes) {
  asm volatile(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;\n" ::"r"(sharedAddress(barrier)),
      "r"(bytes)
      : "memory");
}
/// `bytes` and both addresses are multiples of 16. Threads that have waited for the barrier see
/// them, and so does wgmma.
QRT_DEVICE void copyBulk(void *shared, const void *global, int bytes, uint64_t *barrier) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, "
               "[%3];\n" ::"r"(sharedAddress(shared)),
               "l"(global), "r"(bytes), "r"(sharedAddress(barrier))
               : "memory");
}

// ---- Registers of a role.

template <int registers>
QRT_DEVICE void growRegisters() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;\n" ::"n"(registers));
}
template <int registers>
QRT_DEVICE void shrinkRegisters() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;\n" ::"n"(registers));
}

// ---- wgmma.

/// Before the first wgmma, and after registers that one will use were written.
QRT_DEVICE void fenceWgmma() { asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory"); }
QRT_DEVICE void commitWgmma() { asm volatile("wgmma.commit_group.sync.aligned;\n" ::: "memory"); }
/// All but the newest `pending` groups are complete.
template <int pending>
QRT_DEVICE void waitWgmma() {
  asm volatile("wgmma.wait_group.sync.aligned %0;\n" ::"n"(pending) : "memory");
}
/// Keeps the compiler from moving accesses to registers of a wgmma across this point.
template <int count>
QRT_DEVICE void pinRegisters(float (&r)[count]) {
  QRT_UNROLL
  for (int i = 0; i < count; ++i)
    asm volatile("" : "+f"(r[i])::"memory");
}
template <int count>
QRT_DEVICE void pinRegisters(uint32_t (&r)[count]) {
  QRT_UNROLL
  for (int i = 0; i < count; ++i)
    asm volatile("" : "+r"(r[i])::"memory");
}

/// d += a b, or d = a b where `accumulate` is 0: 64 rows, A in registers (Fragments.h), `tokens`
/// columns of B behind a descriptor (WgmmaTile.h), f32 sums.
template <class T, int tokens>
struct Wgmma;

// Registers of d as operands of the assembly: their numbers, and what stands behind them.
#define QRT_WGMMA_NAMES16 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"
#define QRT_WGMMA_NAMES32                                                                          \
  QRT_WGMMA_NAMES16                                                                                \
  ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define QRT_WGMMA_NAMES64                                                                          \
  QRT_WGMMA_NAMES32                                                                                \
  ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "             \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define QRT_WGMMA_D4(i) "+f"(d[i]), "+f"(d[(i) + 1]), "+f"(d[(i) + 2]), "+f"(d[(i) + 3])
#define QRT_WGMMA_D16(i)                                                                           \
  QRT_WGMMA_D4(i), QRT_WGMMA_D4(i + 4), QRT_WGMMA_D4(i + 8), QRT_WGMMA_D4(i + 12)
#define QRT_WGMMA_D32(i) QRT_WGMMA_D16(i), QRT_WGMMA_D16(i + 16)
#define QRT_WGMMA_D64(i) QRT_WGMMA_D32(i), QRT_WGMMA_D32(i + 32)

// The operands behind d (a, b, accumulate) have the numbers that follow.
#define QRT_WGMMA(T, type, tokens, count, aNames, bName, accumulateName)                           \
  template <>                                                                                      \
  struct Wgmma<T, tokens> {                                                                        \
    static QRT_DEVICE void run(float (&d)[count], const uint32_t (&a)[4], uint64_t b,              \
                               int accumulate) {                                                   \
      asm volatile("{\n"                                                                           \
                   ".reg .pred p;\n"                                                               \
                   "setp.ne.b32 p, " accumulateName ", 0;\n"                                       \
                   "wgmma.mma_async.sync.aligned.m64n" #tokens "k16.f32." type "." type            \
                   " {" QRT_WGMMA_NAMES##count "}, {" aNames "}, " bName ", p, 1, 1, 0;\n"         \
                                               "}\n"                                               \
                   : QRT_WGMMA_D##count(0)                                                         \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate));         \
    }                                                                                              \
  }
#define QRT_WGMMA_OF(T, type)                                                                      \
  QRT_WGMMA(T, type, 32, 16, "%16, %17, %18, %19", "%20", "%21");                                  \
  QRT_WGMMA(T, type, 64, 32, "%32, %33, %34, %35", "%36", "%37");                                  \
  QRT_WGMMA(T, type, 128, 64, "%64, %65, %66, %67", "%68", "%69")

QRT_WGMMA_OF(F16, "f16");
QRT_WGMMA_OF(BF16, "bf16");

#undef QRT_WGMMA_OF
#undef QRT_WGMMA
#undef QRT_WGMMA_D64
#undef QRT_WGMMA_D32
#undef QRT_WGMMA_D16
#undef QRT_WGMMA_D4
#undef QRT_WGMMA_NAMES64
#undef QRT_WGMMA_NAMES32
#undef QRT_WGMMA_NAMES16

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_DEVICE_HOPPER_H
