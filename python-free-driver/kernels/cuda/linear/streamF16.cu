//===- streamF16.cu - products of few tokens with F16 weights ---===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/StreamLinear.h"

namespace qrt::cuda {

QRT_DEFINE_STREAM(WeightFormat::F16)

} // namespace qrt::cuda
