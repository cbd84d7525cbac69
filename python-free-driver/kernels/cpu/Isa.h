//===- Isa.h - the instruction sets a kernel variant can need ----------------===//
//
// Kernels come in variants, one per instruction set; the newest one the machine
// executes is used. QRT_ISA=scalar|avx2|avx512vnni|avx512bf16 forces an older one.
// Thread safe: the choice is made once per process.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ISA_H
#define QRT_KERNELS_CPU_ISA_H

#include "qrt/Status.h"

#include <string_view>

namespace qrt::kernels {

/// Ordered: a machine that executes one also executes all that stand before it.
/// Avx2 includes FMA and F16C; Avx512Vnni includes F, BW, VL, DQ; Avx512Bf16 adds BF16.
enum class Isa { Scalar, Avx2, Avx512Vnni, Avx512Bf16 };
inline constexpr int numIsas = 4;

/// "scalar", "avx2", "avx512vnni", "avx512bf16": the spelling of QRT_ISA.
std::string_view isaName(Isa isa);

/// The newest instruction set that this processor and operating system execute.
Isa detectIsa();

/// What QRT_ISA asks for, or detectIsa() where it is unset or empty. An unknown name is
/// InvalidArgument, one that this machine cannot execute Unsupported. Call it when an engine
/// is created, so that a wrong setting is a message and not a silent default.
Result<Isa> requestedIsa();

/// The instruction set in use: requestedIsa() at the first call, detectIsa() if that failed.
Isa activeIsa();

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ISA_H
