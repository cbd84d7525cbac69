//===- streamInt8U2.cu - products of few tokens of 8-bit activations with U2 weights ---===//

#include "kernels/cuda/linear/StreamInt8Launch.h"

namespace qrt::cuda {

QRT_DEFINE_STREAM_INT8(WeightFormat::U2)

} // namespace qrt::cuda
