//===- streamU8.cu - products of few tokens with U8 weights ---===//

#include "kernels/cuda/linear/StreamLaunch.h"

namespace qrt::cuda {

QRT_DEFINE_STREAM(WeightFormat::U8)

} // namespace qrt::cuda
