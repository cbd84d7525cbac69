//===- streamU3.cu - products of few tokens with U3 weights ---===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/StreamLinear.h"

namespace qrt::cuda {

QRT_DEFINE_STREAM(WeightFormat::U3)

} // namespace qrt::cuda
