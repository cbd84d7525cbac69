//===- int8U2.cu - products of 8-bit activations with U2 weights ---===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/Int8Linear.h"

namespace qrt::cuda {

QRT_DEFINE_INT8(WeightFormat::U2)

} // namespace qrt::cuda
