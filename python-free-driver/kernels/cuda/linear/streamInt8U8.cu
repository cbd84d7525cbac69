//===- streamInt8U8.cu - products of few tokens of 8-bit activations with U8 weights ---===//

#include "kernels/cuda/linear/StreamInt8Launch.h"

namespace qrt::cuda {

QRT_DEFINE_STREAM_INT8(WeightFormat::U8)

} // namespace qrt::cuda
