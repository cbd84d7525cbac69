//===- streamInt8U4.cu - products of few tokens of 8-bit activations with U4 weights ---===//

#include "kernels/cuda/linear/StreamInt8Launch.h"

namespace qrt::cuda {

QRT_DEFINE_STREAM_INT8(WeightFormat::U4)

} // namespace qrt::cuda
