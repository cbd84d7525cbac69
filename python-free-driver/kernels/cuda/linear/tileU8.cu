//===- tileU8.cu - products of many tokens with U8 weights ---===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/TileLinear.h"

namespace qrt::cuda {

QRT_DEFINE_TILE(WeightFormat::U8)

} // namespace qrt::cuda
