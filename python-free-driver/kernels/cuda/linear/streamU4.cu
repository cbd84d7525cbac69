//===- streamU4.cu - products of few tokens with U4 weights ---===//

#include "kernels/cuda/linear/StreamLaunch.h"

namespace qrt::cuda {

QRT_DEFINE_STREAM(WeightFormat::U4)

} // namespace qrt::cuda
