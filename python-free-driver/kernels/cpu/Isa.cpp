//===- Isa.cpp - detection and choice of the instruction set -----------------===//
//
// Uses the compiler's cpuid helpers, which also check that the operating system saves
// the wide registers.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/Isa.h"

#include <array>
#include <cstdlib>
#include <string>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace qrt::kernels {

static constexpr std::array<std::string_view, numIsas> isaNames = {"scalar", "avx2", "avx512vnni",
                                                                   "avx512bf16"};

std::string_view isaName(Isa isa) { return isaNames[static_cast<size_t>(isa)]; }

Isa detectIsa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  // clang 14 does not know "f16c" here: leaf 1, ecx bit 29.
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  bool f16c = __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & (1u << 29));
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && f16c;
  if (!avx2)
    return Isa::Scalar;
  bool vnni = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vnni");
  if (!vnni)
    return Isa::Avx2;
  return __builtin_cpu_supports("avx512bf16") ? Isa::Avx512Bf16 : Isa::Avx512Vnni;
#else
  return Isa::Scalar;
#endif
}

Result<Isa> requestedIsa() {
  const char *text = std::getenv("QRT_ISA");
  Isa best = detectIsa();
  if (!text || !*text)
    return best;
  for (int i = 0; i < numIsas; ++i) {
    if (isaNames[i] != text)
      continue;
    if (static_cast<Isa>(i) > best)
      return Status::error(StatusCode::Unsupported,
                           "QRT_ISA=" + std::string(text) +
                               ": this processor cannot execute it; its best is " +
                               std::string(isaName(best)));
    return static_cast<Isa>(i);
  }
  return Status::error(StatusCode::InvalidArgument,
                       "QRT_ISA=" + std::string(text) +
                           ": unknown; use scalar, avx2, avx512vnni or avx512bf16");
}

Isa activeIsa() {
  static const Isa active = [] {
    Result<Isa> requested = requestedIsa();
    return requested ? *requested : detectIsa();
  }();
  return active;
}

} // namespace qrt::kernels
