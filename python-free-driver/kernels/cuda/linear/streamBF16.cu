//===- streamBF16.cu - products of few tokens with BF16 weights ---===//

#include "kernels/cuda/linear/StreamLaunch.h"

namespace qrt::cuda {

QRT_DEFINE_STREAM(WeightFormat::BF16)

} // namespace qrt::cuda
