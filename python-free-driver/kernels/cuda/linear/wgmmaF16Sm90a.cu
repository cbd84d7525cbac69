//===- wgmmaF16Sm90a.cu - products of many tokens with F16 weights, sm_90a ---===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/WgmmaLaunch.h"
#include "kernels/cuda/linear/WgmmaLinear.h"

namespace qrt::cuda {

QRT_DEFINE_WGMMA(WeightFormat::F16, F16)

} // namespace qrt::cuda
