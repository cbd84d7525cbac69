//===- wgmmaU3Sm90a.cu - products of many tokens with U3 weights, sm_90a ---===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/WgmmaLaunch.h"
#include "kernels/cuda/linear/WgmmaLinear.h"

namespace qrt::cuda {

QRT_DEFINE_WGMMA(WeightFormat::U3, F16)

} // namespace qrt::cuda
