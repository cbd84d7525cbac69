//===- Functions.h - the scalar functions of elementwise.h on the device ----------===//

#ifndef QRT_KERNELS_CUDA_ELEMENTWISE_FUNCTIONS_H
#define QRT_KERNELS_CUDA_ELEMENTWISE_FUNCTIONS_H

#include "kernels/cpu/elementwise/elementwise.h"
#include "kernels/cuda/device/Simt.h"

#include <cmath>

namespace qrt::cuda {

QRT_DEVICE float unaryFunction(kernels::UnaryKind kind, float x, float parameter) {
  using kernels::UnaryKind;
  switch (kind) {
  case UnaryKind::Gelu:
    return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
  case UnaryKind::GeluTanh:
    return 0.5f * x * (1.0f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
  case UnaryKind::QuickGelu:
    return x / (1.0f + expf(-1.702f * x));
  case UnaryKind::Silu:
    return x / (1.0f + expf(-x));
  case UnaryKind::Relu:
    return x > 0.0f || x != x ? x : 0.0f;
  case UnaryKind::Tanh:
    return tanhf(x);
  case UnaryKind::Sigmoid:
    return 1.0f / (1.0f + expf(-x));
  case UnaryKind::Softcap:
    return parameter * tanhf(x / parameter);
  }
  return x;
}

QRT_DEVICE float binaryFunction(kernels::BinaryKind kind, float a, float b) {
  using kernels::BinaryKind;
  switch (kind) {
  case BinaryKind::Add:
    return a + b;
  case BinaryKind::Sub:
    return a - b;
  case BinaryKind::Mul:
    return a * b;
  case BinaryKind::Div:
    return a / b;
  }
  return a;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ELEMENTWISE_FUNCTIONS_H
