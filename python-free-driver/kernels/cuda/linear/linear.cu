//===- linear.cu - chooses the kernel of a product --------------------------------------------===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/F32Linear.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/WgmmaLaunch.h"

#include <bit>
#include <cstdlib>
#include <string_view>

namespace qrt::cuda {

namespace {

int launchF32(const Launch &launch, const LinearParams &params) {
  const int64_t outputs = (params.weight.desc.n + 3) / 4;
  const int64_t passes = (params.rows + F32Linear::perPass - 1) / F32Linear::perPass;
  if (outputs > INT32_MAX || passes > 65535)
    return invalidLaunch;
  return launchKernel<F32Linear>(launch, {int32_t(outputs), int32_t(passes), 1}, 0,
                                 {params, launch.faults});
}

#ifdef __CUDACC__
/// QRT_CUDA_WGMMA=0 leaves out the kernels for sm_90a, to compare.
bool useWgmma(const Launch &launch, const WeightDesc &desc, DType type, int64_t rows) {
  static const bool enabled = [] {
    const char *text = std::getenv("QRT_CUDA_WGMMA");
    return !text || std::string_view(text) != "0";
  }();
  return enabled && wgmmaTakes(launch, desc, type, rows);
}
#else // only a library for GPUs has them
bool useWgmma(const Launch &, const WeightDesc &, DType, int64_t) { return false; }
#endif

template <WeightFormat format>
int launchFormat(const Launch &launch, const LinearParams &op, LinearWork work) {
#ifdef __CUDACC__
  if (useWgmma(launch, op.weight.desc, op.src.type, op.rows)) {
    const WgmmaPlan plan = planWgmma(launch, op.weight.desc, op.rows);
    if (!op.workspace)
      return invalidLaunch;
    void *tiles = work.partials + plan.partialFloats();
    if (int error = launchWgmmaTokens(launch, op, plan, tiles))
      return error;
    return launchWgmma<format>(launch, op, work, plan, tiles);
  }
#endif
  const TilePlan plan = planTile(launch, op.weight.desc, op.src.type, op.rows);
  work.splits = plan.splits;
  if (plan.panelBlocks > 65535 || plan.tokenBlocks > INT32_MAX ||
      (work.splits > 1 && !op.workspace))
    return invalidLaunch;
  if constexpr (kernels::isQuantized(format))
    if (op.src.type == DType::I8)
      return launchInt8<format>(launch, op, work, plan);
  return launchTile<format>(launch, op, work, plan);
}

bool aligned(const Matrix &m) {
  if (m.type == DType::I8)
    return reinterpret_cast<uintptr_t>(m.data) % 16 == 0;
  return reinterpret_cast<uintptr_t>(m.data) % 16 == 0 && m.stride * byteWidth(m.type) % 16 == 0;
}

LinearWork workOf(const Launch &launch, const LinearParams &params) {
  const UnitGeometry g = unitGeometry(params.weight.desc);
  LinearWork work;
  work.units = int32_t(g.units);
  work.panelUnits = int32_t(g.panelUnits);
  work.panels = int32_t(g.panels);
  work.groups = int32_t(g.groups);
  if (params.weight.desc.groupSize)
    work.groupShift = std::countr_zero(uint32_t(params.weight.desc.groupSize));
  work.counters = static_cast<uint32_t *>(params.workspace);
  work.partials = reinterpret_cast<float *>(work.counters + ticketCounters);
  work.faults = launch.faults;
  return work;
}

} // namespace

int64_t linearWorkspaceBytes(const Launch &launch, const LinearParams &params) {
  if (params.src.type == DType::F32 || params.weight.desc.format == WeightFormat::F32)
    return 0;
  // Of any number of rows up to params.rows; a splitting plan's need grows with the rows until the
  // next plan begins.
  const WeightDesc &desc = params.weight.desc;
  const int64_t width = unitGeometry(desc).panels * kernels::panelRows * 4;
  int64_t most = 0;
  auto need = [&](int64_t rows, int splits) {
    if (splits > 1)
      most = std::max(most, rows * splits * width);
  };
  LinearGroupParams group;
  group.src = params.src;
  group.parts[0].weight = params.weight;
  group.count = 1;
  group.rows = std::min(params.rows, maxGroupRows);
  most = std::max(most, linearGroupWorkspaceBytes(launch, group) - ticketCounters * 4);
  for (int64_t rows = 16; rows < params.rows + 128; rows += rows < 128 ? rows : 128) {
    const TilePlan plan = planTile(launch, desc, params.src.type, rows);
    need(std::min(rows, params.rows), plan.splits);
    if (plan.splits == 1 && rows >= 128)
      break;
  }
  for (int64_t rows = maxStreamRows + 1; rows < params.rows + 128; rows = (rows / 16 + 1) * 16)
    if (useWgmma(launch, desc, params.src.type, rows)) {
      const WgmmaPlan plan = planWgmma(launch, desc, std::min(rows, params.rows));
      most = std::max(most, plan.partialFloats() * 4 + plan.tokenBytes(unitGeometry(desc).units));
    }
  return ticketCounters * 4 + most;
}

int launchLinear(const Launch &launch, const LinearParams &params) {
  const WeightDesc &desc = params.weight.desc;
  if (repackedBytes(desc) < 0 || params.rows < 0 || !aligned(params.src) ||
      desc.k > (int64_t(1) << 30))
    return invalidLaunch;
  if (params.src.type == DType::F32)
    return launchF32(launch, params);
  const bool halves = params.src.type == DType::F16 || params.src.type == DType::BF16;
  const bool bytes = params.src.type == DType::I8 && kernels::isQuantized(desc.format);
  if (desc.format == WeightFormat::F32 || !(halves || bytes))
    return invalidLaunch;
  if (params.rows == 0)
    return 0;
  if (streamTakes(desc, params.src.type, params.rows)) {
    LinearGroupParams group;
    group.src = params.src;
    group.parts[0] = {params.weight, params.bias, params.add, params.dst};
    group.count = 1;
    group.rows = params.rows;
    group.workspace = params.workspace;
    return launchLinearGroup(launch, group);
  }
  const LinearWork work = workOf(launch, params);
  return withFormat(desc.format, [&]<WeightFormat format>() {
    return launchFormat<format>(launch, params, work);
  });
}

} // namespace qrt::cuda
