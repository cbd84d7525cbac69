//===- residentU4.cu - products of 9 to 16 tokens with U4 weights ---===//

#include "kernels/cuda/linear/ResidentLaunch.h"

namespace qrt::cuda {

QRT_DEFINE_RESIDENT(WeightFormat::U4)

} // namespace qrt::cuda
