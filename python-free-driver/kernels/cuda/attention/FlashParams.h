//===- FlashParams.h - parameters of the tensor-core attention --------------------------------===//

#ifndef QRT_KERNELS_CUDA_ATTENTION_FLASHPARAMS_H
#define QRT_KERNELS_CUDA_ATTENTION_FLASHPARAMS_H

#include "kernels/cuda/Ops.h"

namespace qrt::cuda {

struct FlashParams {
  AttentionParams op;
  int32_t group = 1;     ///< heads of a kv head
  int32_t headTiles = 1; ///< decode: blocks of 16 of them
  int32_t splits = 1;    ///< decode: blocks that share the keys of a row
  float *partials = nullptr;
  uint32_t *counters = nullptr;
  uint32_t *faults = nullptr;
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_ATTENTION_FLASHPARAMS_H
