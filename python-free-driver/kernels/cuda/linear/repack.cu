//===- repack.cu - a file's weights into fragment order ------------------------------===//
//
// One warp per unit, a lane builds its words. Runs once per weight when a model is loaded; the
// upload takes far longer. Padding rows and columns get the code that stands for zero.
//
//===----------------------------------------------------------------------===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/layout/FileCode.h"

namespace qrt::cuda {

namespace {

template <WeightFormat format>
struct RepackKernel {
  using Params = RepackParams;
  static constexpr int threads = 256, minBlocks = 1;

  static QRT_DEVICE void run(const Params &p) {
    const UnitGeometry g = unitGeometry(p.desc);
    const int64_t unit = int64_t(blockIndex().x) * (threads / 32) + warpIndex();
    if (unit >= g.panels * g.panelUnits)
      return;
    const int lane = laneIndex();
    uint32_t words[laneWords(format)] = {};
    QRT_UNROLL
    for (int step = 0; step < unitSteps; ++step) {
      QRT_UNROLL
      for (int i = 0; i < 8; ++i) {
        const FragmentPlace at = placeOf({lane, step, i / 2, i % 2});
        storeSlot(format, words, step, i / 2, i % 2,
                  fileCode(p.desc, static_cast<const uint8_t *>(p.src),
                           unit / g.panelUnits * kernels::panelRows + at.row,
                           unit % g.panelUnits * unitK + at.col));
      }
    }
    uint32_t *to = static_cast<uint32_t *>(p.dst) + unit * (unitBytes(format) / 4);
    QRT_UNROLL
    for (int word = 0; word < laneWords(format); ++word)
      storeGlobal(to + wordOffset(format, lane, word), words[word]);
  }
};

struct CopyWordsKernel {
  struct Params {
    const uint32_t *src;
    uint32_t *dst;
    int64_t words;
  };
  static constexpr int threads = 256, minBlocks = 1;
  static QRT_DEVICE void run(const Params &p) {
    int64_t at = int64_t(blockIndex().x) * threads + threadIndex();
    if (at < p.words)
      storeGlobal(p.dst + at, loadConstant(p.src + at));
  }
};

template <WeightFormat format>
int launchRepackOf(const Launch &launch, const RepackParams &params) {
  const UnitGeometry g = unitGeometry(params.desc);
  const int64_t blocks = (g.panels * g.panelUnits + 7) / 8;
  if (blocks > INT32_MAX)
    return invalidLaunch;
  return launchKernel<RepackKernel<format>>(launch, {int32_t(blocks), 1, 1}, 0, params);
}

} // namespace

int64_t repackedBytes(const kernels::WeightDesc &desc) {
  if (desc.n <= 0 || desc.k <= 0 || laneWords(desc.format) == 0)
    return -1;
  if (desc.format == WeightFormat::F32)
    return desc.n * kernels::denseRowBytes(desc);
  return unitGeometry(desc).bytes;
}

int launchRepack(const Launch &launch, const RepackParams &params) {
  switch (params.desc.format) {
  case WeightFormat::F32: {
    const int64_t words = repackedBytes(params.desc) / 4, blocks = (words + 255) / 256;
    if (blocks > INT32_MAX)
      return invalidLaunch;
    return launchKernel<CopyWordsKernel>(
        launch, {int32_t(blocks), 1, 1}, 0,
        {static_cast<const uint32_t *>(params.src), static_cast<uint32_t *>(params.dst), words});
  }
  case WeightFormat::F16:
  case WeightFormat::BF16:
    return launchRepackOf<WeightFormat::F16>(launch, params);
  case WeightFormat::U8:
    return launchRepackOf<WeightFormat::U8>(launch, params);
  case WeightFormat::U4:
    return launchRepackOf<WeightFormat::U4>(launch, params);
  case WeightFormat::U3:
    return launchRepackOf<WeightFormat::U3>(launch, params);
  case WeightFormat::U2:
    return launchRepackOf<WeightFormat::U2>(launch, params);
  }
  return invalidLaunch;
}

} // namespace qrt::cuda
