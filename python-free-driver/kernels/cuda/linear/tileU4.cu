//===- tileU4.cu - products of many tokens with U4 weights ---===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/TileLinear.h"

namespace qrt::cuda {

QRT_DEFINE_TILE(WeightFormat::U4)

} // namespace qrt::cuda
