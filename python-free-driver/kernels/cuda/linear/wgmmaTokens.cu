//===- wgmmaTokens.cu - activations into the tiles of WgmmaLinear ----------------------------===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/WgmmaLaunch.h"
#include "kernels/cuda/linear/WgmmaTokens.h"

namespace qrt::cuda {

int launchWgmmaTokens(const Launch &launch, const LinearParams &op, const WgmmaPlan &plan,
                      void *tiles) {
  const UnitGeometry g = unitGeometry(op.weight.desc);
  const int64_t work = int64_t(plan.tokenBlocks) * plan.tokens * g.units * 2;
  const int64_t blocks = (work + WgmmaTokens::threads - 1) / WgmmaTokens::threads;
  if (blocks > INT32_MAX)
    return invalidLaunch;
  return launchKernel<WgmmaTokens>(
      launch, {int32_t(blocks), 1, 1}, 0,
      {op.src, op.rows, op.weight.desc.k, plan.tokens, plan.tokenBlocks, int32_t(g.units), tiles});
}

} // namespace qrt::cuda
