//===- residentU3.cu - products of 9 to 16 tokens with U3 weights ---===//

#include "kernels/cuda/linear/ResidentLaunch.h"

namespace qrt::cuda {

QRT_DEFINE_RESIDENT(WeightFormat::U3)

} // namespace qrt::cuda
