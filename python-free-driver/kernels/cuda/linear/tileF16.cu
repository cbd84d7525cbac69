//===- tileF16.cu - products of many tokens with F16 weights ---===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/TileLinear.h"

namespace qrt::cuda {

QRT_DEFINE_TILE(WeightFormat::F16)

} // namespace qrt::cuda
