//===- ModelOpsHadamard.cpp - hadamard --------------------------------------------------------===//
#include "Tensor/ModelOps.h"
#include "Tensor/WideElements.h"

#include <bit>
#include <cmath>

namespace qrt::tensor {

/// x (B (x) W) / sqrt(block) for every block of the last axis, as the kernel's contract has it
/// (kernels/cpu/hadamard/hadamard.h).
Result<std::vector<Tensor>> evaluateHadamard(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0], *b = operandAt(operands, 1);
  QRT_RETURN_IF_ERROR(checkFloats(operands));
  QRT_ASSIGN_OR_RETURN(const int64_t block, countAttr(call, "block", 0));
  const bool square = !b || (b->shape.size() == 2 && b->shape[0] == b->shape[1]);
  const int64_t order = b && square ? b->shape[0] : 1;
  if (!square || order < 1)
    return badOperands(operands, "expects a square base");
  if (block < 1 || block % order != 0 || !std::has_single_bit(uint64_t(block / order)))
    return invalidArgument("expects a block that is a power of two times " + std::to_string(order) +
                           ", got " + std::to_string(block));
  if (x.shape.empty() || x.shape.back() % block != 0)
    return badOperands(operands, "expects a last dimension that is a multiple of the block");
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, x.dtype));
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, x.shape));
  if (!result.data)
    return std::vector<Tensor>{result.tensor};

  const int64_t inner = block / order, count = countOf(x);
  std::vector<double> base(size_t(order * order), 1.0), values(static_cast<size_t>(block)),
      mixed(static_cast<size_t>(block));
  if (b)
    widen(*b, 0, order * order, base.data());
  const double factor = 1 / std::sqrt(static_cast<double>(block));
  for (int64_t first = 0; first < count; first += block) {
    widen(x, first, block, values.data());
    std::fill(mixed.begin(), mixed.end(), 0.0);
    for (int64_t i = 0; i < order; ++i)
      for (int64_t o = 0; o < order; ++o)
        for (int64_t k = 0; k < inner; ++k)
          mixed[size_t(o * inner + k)] +=
              factor * base[size_t(i * order + o)] * values[size_t(i * inner + k)];
    for (int64_t half = 1; half < inner; half *= 2)
      for (int64_t k = 0; k < block; ++k)
        if ((k % inner & half) == 0) {
          double &low = mixed[size_t(k)], &high = mixed[size_t(k + half)];
          const double sum = low + high;
          high = low - high;
          low = sum;
        }
    narrow(dtype, result.data, first, block, mixed.data());
  }
  return std::vector<Tensor>{result.tensor};
}

} // namespace qrt::tensor
