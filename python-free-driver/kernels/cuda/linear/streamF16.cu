//===- streamF16.cu - products of few tokens with F16 weights ---===//

#include "kernels/cuda/linear/StreamLaunch.h"

namespace qrt::cuda {

QRT_DEFINE_STREAM(WeightFormat::F16)

} // namespace qrt::cuda
