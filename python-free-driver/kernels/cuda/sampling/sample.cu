//===- sample.cu - the sampler -------------------------------------------------===//
//
// Two kernels, each with several blocks per row, the last of which finishes. The first finds the
// best raw logit, applies penalties and, for greedy rows, chooses. The second (DrawKernel.h) draws.
// Every quantity that decides is an integer or a rounded f32/f64 operation of Support/DrawMath.h
// (the file is compiled without contraction), so the token is the CPU sampler's, and does not
// depend on the grid.
//
//===----------------------------------------------------------------------===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/sampling/DrawKernel.h"

#include <algorithm>

namespace qrt::cuda {

namespace {

struct SampleKernel {
  using Params = SampleKernelParams;
  static constexpr int threads = sampleThreads, minBlocks = 1;
  static constexpr int sharedBytes = Row::sharedBytes + 16;

  /// Does penalise() change anything?
  static QRT_DEVICE bool changes(const SampleRow &s, bool markers, int32_t carried) {
    return s.bias.count > 0 || markers || s.dry.count > 0 || s.banned.count > 0 ||
           (s.repetition != 1 && (s.seen.count > 0 || carried >= 0)) ||
           ((s.presence != 0 || s.frequency != 0) && (s.generated.count > 0 || carried >= 0));
  }

  static QRT_DEVICE void run(const Params &params) {
    const SampleParams &p = params.sample;
    const int index = blockIndex().y, slice = blockIndex().x, slices = gridSize().x;
    auto *shared = reinterpret_cast<uint64_t *>(sharedMemory());
    auto *flag = reinterpret_cast<uint32_t *>(sharedMemory() + Row::sharedBytes);
    uint64_t *scratch = p.scratch + index * sampleScratchWords(p.vocab);
    Row row = {p.logits + index * p.stride, int(p.vocab), shared};
    const int first = slice * params.sliceTokens;
    const int end = first + params.sliceTokens < row.vocab ? first + params.sliceTokens : row.vocab;
    uint64_t raw = row.bestKey(first, end);
    if (slices > 1) {
      uint64_t *bests = scratch + SampleScratch::bests;
      if (threadIndex() == 0)
        storeGlobal(bests + slice, raw);
      if (!arriveLast(reinterpret_cast<uint32_t *>(scratch + SampleScratch::counters),
                      uint32_t(slices), flag))
        return;
      raw = blockMax64<threads>(threadIndex() < slices ? loadCoherent(bests + threadIndex()) : 0,
                                row.nextScratch());
    }
    const SampleRow s = p.rows[index];
    DrawState state = {};
    SampleResult &result = state.result;
    result.rawBest = raw ? draw::tokenOfKey(raw) : -1;
    const float rawMax = raw ? logitOfKey(raw) : 0;
    // What the controls count: would the model have taken a banned token?
    const int counted = s.banned.count < 32 ? s.banned.count : 32;
    for (int i = 0; i < counted; ++i) {
      const float logit = loadGlobal(row.logits + loadGlobal(&p.entries[s.banned.first + i].token));
      result.bannedBest |= !raw || !(rawMax > logit) ? 1u << i : 0;
    }
    bool markers = s.penalties.count > 0;
    if (markers && s.entropyMin > 0) {
      result.entropy = raw && rawMax < INFINITY ? row.entropy(rawMax) : 0;
      markers = !(result.entropy < double(s.entropyMin));
    }
    result.penalised = markers;
    if (s.forced >= 0) {
      result.token = s.forced;
    } else {
      uint64_t best = raw;
      const int32_t carried = s.carries ? loadGlobal(p.fed + index) : -1;
      if (changes(s, markers, carried)) {
        syncThreads(); // everyone has read the raw logits
        row.penalise(p.entries, s, markers, carried);
        best = row.bestKey(0, row.vocab);
      }
      if (best && logitOfKey(best) < INFINITY) {
        if (s.temperature == 0)
          result.token = draw::tokenOfKey(best);
        else
          state.best = best;
      }
    }
    if (threadIndex() != 0)
      return;
    if (s.forced < 0 && s.temperature != 0) // for the second kernel to finish, or to see that it
      *reinterpret_cast<DrawState *>(scratch + SampleScratch::state) = state; // has nothing to do
    if (state.best == 0)
      finishRow(params, index, s, result);
  }
};

} // namespace

int launchSample(const Launch &launch, const SampleParams &params) {
  if (params.vocab <= 0 || params.vocab > (1 << 23) || params.count > 65535 || params.stride % 4)
    return invalidLaunch;
  if (params.count <= 0)
    return 0;
  // As many slices as fill the device twice.
  const int64_t rounds = (params.vocab + sampleRound - 1) / sampleRound;
  const int64_t most = std::clamp<int64_t>(2 * std::max(launch.multiprocessors, 1) / params.count,
                                           1, maxSampleSlices);
  const int64_t perSlice = (rounds + most - 1) / most;
  SampleKernelParams kernel = {params, int32_t(perSlice * sampleRound), launch.faults};
  const GridSize grid = {int32_t((rounds + perSlice - 1) / perSlice), int32_t(params.count), 1};
  if (int error = launchKernel<SampleKernel>(launch, grid, SampleKernel::sharedBytes, kernel))
    return error;
  return launchKernel<DrawKernel>(launch, grid, DrawKernel::sharedBytes, kernel);
}

} // namespace qrt::cuda
