//===- GridSize.h - sizes and indices of blocks -------------------------------===//

#ifndef QRT_KERNELS_CUDA_DEVICE_GRIDSIZE_H
#define QRT_KERNELS_CUDA_DEVICE_GRIDSIZE_H

#include <cstdint>

namespace qrt::cuda {

struct GridSize {
  int32_t x = 1, y = 1, z = 1;
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_DEVICE_GRIDSIZE_H
