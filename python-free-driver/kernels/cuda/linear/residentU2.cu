//===- residentU2.cu - products of 9 to 16 tokens with U2 weights ---===//

#include "kernels/cuda/linear/ResidentLaunch.h"

namespace qrt::cuda {

QRT_DEFINE_RESIDENT(WeightFormat::U2)

} // namespace qrt::cuda
