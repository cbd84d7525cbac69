//===- ModelOpsRotary.cpp - rotary_embedding and rope -----------------------------------------===//
#include "Tensor/ModelOps.h"
#include "Tensor/WideElements.h"

#include <cmath>

namespace qrt::tensor {

/// (a, b) -> (a cos - b sin, b cos + a sin) for the first 2 * half features of one head.
static void rotate(double *head, int64_t half, bool interleaved, const double *cos,
                   const double *sin) {
  for (int64_t i = 0; i < half; ++i) {
    double &a = head[interleaved ? 2 * i : i], &b = head[interleaved ? 2 * i + 1 : half + i];
    const double first = a * cos[i] - b * sin[i];
    b = b * cos[i] + a * sin[i];
    a = first;
  }
}

Result<std::vector<Tensor>> evaluateRotaryEmbedding(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0], &cosines = *operands[1], &sines = *operands[2];
  QRT_RETURN_IF_ERROR(checkFloats(operands));
  if (x.shape.size() != 4 || cosines.shape.size() != 3 || cosines.shape != sines.shape)
    return badOperands(operands, "expects x [B, H, S, D], cos and sin [B or 1, S, R / 2]");
  const int64_t batch = x.shape[0], heads = x.shape[1], tokens = x.shape[2], width = x.shape[3];
  const int64_t half = cosines.shape[2];
  if ((cosines.shape[0] != batch && cosines.shape[0] != 1) || cosines.shape[1] != tokens ||
      half > width / 2)
    return badOperands(operands, "expects x [B, H, S, D], cos and sin [B or 1, S, R / 2]");
  QRT_ASSIGN_OR_RETURN(const bool interleaved, flagAttr(call, "interleaved"));
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, x.dtype));
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, x.shape));
  if (!result.data || countOf(x) == 0)
    return std::vector<Tensor>{result.tensor};

  std::vector<double> head(static_cast<size_t>(width)), cos(static_cast<size_t>(half)), sin(cos);
  for (int64_t row = 0; row < batch * heads * tokens; ++row) {
    const int64_t sequence = cosines.shape[0] == 1 ? 0 : row / (heads * tokens);
    const int64_t angles = (sequence * tokens + row % tokens) * half;
    widen(x, row * width, width, head.data());
    widen(cosines, angles, half, cos.data());
    widen(sines, angles, half, sin.data());
    rotate(head.data(), half, interleaved, cos.data(), sin.data());
    narrow(dtype, result.data, row * width, width, head.data());
  }
  return std::vector<Tensor>{result.tensor};
}

Result<std::vector<Tensor>> evaluateRope(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0], &positions = *operands[1], &frequencies = *operands[2];
  if (!isFloat(x.dtype) || !isInteger(positions.dtype) || !isFloat(frequencies.dtype))
    return badOperands(operands, "expects x of floats, integer positions and float frequencies");
  QRT_ASSIGN_OR_RETURN(const int64_t width, requiredInt(call, "head_dim"));
  const int64_t half = countOf(frequencies);
  if (x.shape.size() != 2 || countOf(positions) != x.shape[0])
    return badOperands(operands, "expects x [T, heads * head_dim] and positions [T]");
  const int64_t tokens = x.shape[0], features = x.shape[1];
  if (width < 1 || features % width != 0 || half > width / 2)
    return badOperands(operands, "expects heads of head_dim " + std::to_string(width) +
                                     " and at most half as many frequencies");
  QRT_ASSIGN_OR_RETURN(const bool interleaved, flagAttr(call, "interleaved"));
  QRT_ASSIGN_OR_RETURN(const double scaling, floatAttr(call, "scaling", 1.0));
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, x.dtype));
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, x.shape));
  if (!result.data)
    return std::vector<Tensor>{result.tensor};

  std::vector<double> row(static_cast<size_t>(features)), cos(static_cast<size_t>(half)), sin(cos);
  std::vector<double> inverse(static_cast<size_t>(half));
  widen(frequencies, 0, half, inverse.data());
  for (int64_t t = 0; t < tokens; ++t) {
    double position = 0;
    widen(positions, t, 1, &position);
    for (int64_t i = 0; i < half; ++i) {
      // The angle is rounded to f32, as the models' own graphs and the kernels do.
      const double angle = static_cast<float>(position) * static_cast<float>(inverse[i]);
      cos[i] = std::cos(angle) * scaling;
      sin[i] = std::sin(angle) * scaling;
    }
    widen(x, t * features, features, row.data());
    for (int64_t head = 0; head < features; head += width)
      rotate(row.data() + head, half, interleaved, cos.data(), sin.data());
    narrow(dtype, result.data, t * features, features, row.data());
  }
  return std::vector<Tensor>{result.tensor};
}

} // namespace qrt::tensor
