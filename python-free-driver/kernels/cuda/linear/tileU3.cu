//===- tileU3.cu - products of many tokens with U3 weights ---===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/TileLinear.h"

namespace qrt::cuda {

QRT_DEFINE_TILE(WeightFormat::U3)

} // namespace qrt::cuda
