//===- avx2.cpp - linear for AVX2, FMA and F16C ------------------------------===//
//
// Instantiates the kernels; the work is in the headers. Compiled with this instruction set's
// flags, and a second time through SIMDe for the test.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/linear/Dense.h"
#include "kernels/cpu/linear/PanelsF32.h"
#include "kernels/cpu/linear/QuantizeInput.h"
#include "kernels/cpu/linear/UnpackedAvx2.h"
#include "kernels/cpu/simd/VecAvx2.h"

namespace qrt::kernels::QRT_VARIANT(avx2) {

extern const LinearKernels linearKernels;
const LinearKernels linearKernels = {
    .name = "avx2",
    .isa = Isa::Avx2,
    .inputForm = inputFormAvx2,
    .quantizeInput = quantizeInputGeneric,
    .panels = panelsAvx2,
    .panelsF32 = panelsF32Generic<VecAvx2, 6>,
    .dense = denseGeneric<VecAvx2, 3, 4>,
    .roundBf16 = nullptr,
    .denseBf16 = nullptr,
    .widenRow = widenRowGeneric<VecAvx2>,
};

} // namespace qrt::kernels::QRT_VARIANT(avx2)
