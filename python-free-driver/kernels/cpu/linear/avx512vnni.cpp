//===- avx512vnni.cpp - linear for AVX-512 with VNNI -------------------------===//
//
// Instantiates the kernels; the work is in the headers. Compiled with this instruction set's
// flags, and a second time through SIMDe for the test.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/linear/Dense.h"
#include "kernels/cpu/linear/PanelsAvx512.h"
#include "kernels/cpu/linear/PanelsF32.h"
#include "kernels/cpu/linear/QuantizeInput.h"
#include "kernels/cpu/simd/VecAvx512.h"

namespace qrt::kernels::QRT_VARIANT(avx512vnni) {

extern const LinearKernels linearKernels;
const LinearKernels linearKernels = {
    .name = "avx512vnni",
    .isa = Isa::Avx512Vnni,
    .inputForm = inputFormAvx512,
    .quantizeInput = quantizeInputGeneric,
    .panels = panelsAvx512,
    .panelsF32 = panelsF32Generic<VecAvx512, 8>,
    .dense = denseGeneric<VecAvx512, 4, 4>,
    .roundBf16 = nullptr,
    .denseBf16 = nullptr,
    .widenRow = widenRowGeneric<VecAvx512>,
};

} // namespace qrt::kernels::QRT_VARIANT(avx512vnni)
