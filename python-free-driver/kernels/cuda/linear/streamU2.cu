//===- streamU2.cu - products of few tokens with U2 weights ---===//

#include "kernels/cuda/linear/StreamLaunch.h"

namespace qrt::cuda {

QRT_DEFINE_STREAM(WeightFormat::U2)

} // namespace qrt::cuda
