//===- streamU3.cu - products of few tokens with U3 weights ---===//

#include "kernels/cuda/linear/StreamLaunch.h"

namespace qrt::cuda {

QRT_DEFINE_STREAM(WeightFormat::U3)

} // namespace qrt::cuda
