//===- embedding.cu - token embedding lookup ------------------------------------------===//

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/WeightElement.h"

namespace qrt::cuda {

namespace {

struct EmbedKernelParams {
  EmbedParams embed;
  uint32_t *faults;
};

/// A block covers a run of one row's features.
struct EmbedKernel {
  using Params = EmbedKernelParams;
  static constexpr int threads = 256, minBlocks = 1;

  static QRT_DEVICE void run(const Params &params) {
    const EmbedParams &p = params.embed;
    const int64_t row = blockIndex().x, k = int64_t(blockIndex().y) * threads + threadIndex();
    const int64_t index = loadGlobal(p.index + row) + p.offset;
    const bool bad = index < 0 || index >= p.table.desc.n;
    if (bad && k == 0 && params.faults)
      atomicOr(params.faults, BadIndex);
    if (k < p.table.desc.k)
      storeElement(p.out, row * p.out.stride + k,
                   bad ? floatOfBits(0x7fc00000u) : weightElement(p.table, index, k),
                   params.faults);
  }
};

} // namespace

int launchEmbed(const Launch &launch, const EmbedParams &params) {
  const int64_t runs = (params.table.desc.k + EmbedKernel::threads - 1) / EmbedKernel::threads;
  if (params.rows > INT32_MAX || runs > 65535 || repackedBytes(params.table.desc) < 0)
    return invalidLaunch;
  return launchKernel<EmbedKernel>(launch, {int32_t(params.rows), int32_t(runs), 1}, 0,
                                   {params, launch.faults});
}

} // namespace qrt::cuda
