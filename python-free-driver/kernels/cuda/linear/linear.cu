//===- linear.cu - chooses the kernel of a product --------------------------------------------===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/linear/F32Linear.h"
#include "kernels/cuda/linear/StreamLaunch.h"

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

int launchStreamOf(const Launch &launch, const LinearParams &op, const LinearWork &work,
                   const StreamPlan &plan) {
  switch (op.weight.desc.format) {
  case WeightFormat::F16:
    return launchStream<WeightFormat::F16>(launch, op, work, plan);
  case WeightFormat::BF16:
    return launchStream<WeightFormat::BF16>(launch, op, work, plan);
  case WeightFormat::U8:
    return launchStream<WeightFormat::U8>(launch, op, work, plan);
  case WeightFormat::U4:
    return launchStream<WeightFormat::U4>(launch, op, work, plan);
  case WeightFormat::U3:
    return launchStream<WeightFormat::U3>(launch, op, work, plan);
  case WeightFormat::U2:
    return launchStream<WeightFormat::U2>(launch, op, work, plan);
  case WeightFormat::F32:
    break;
  }
  return invalidLaunch;
}

bool aligned(const Matrix &m) {
  return reinterpret_cast<uintptr_t>(m.data) % 16 == 0 && m.stride * byteWidth(m.type) % 16 == 0;
}

LinearWork workOf(const Launch &launch, const LinearParams &params) {
  const UnitGeometry g = unitGeometry(params.weight.desc);
  LinearWork work;
  work.units = int32_t(g.units);
  work.panels = int32_t(g.panels);
  work.groups = int32_t(g.groups);
  work.counters = static_cast<uint32_t *>(params.workspace);
  work.partials = reinterpret_cast<float *>(work.counters + linearCounters);
  work.faults = launch.faults;
  return work;
}

} // namespace

int64_t linearWorkspaceBytes(const Launch &launch, const LinearParams &params) {
  if (params.src.type == DType::F32 || params.weight.desc.format == WeightFormat::F32)
    return 0;
  int64_t most = 0; // of any number of rows up to params.rows
  for (int64_t rows : {8, 16, 32, 64}) {
    const StreamPlan plan = planStream(launch, params.weight.desc, rows);
    if (plan.splits > 1)
      most = std::max(most, std::min(rows, params.rows) * plan.splits *
                                unitGeometry(params.weight.desc).panels * kernels::panelRows * 4);
    if (rows >= params.rows)
      break;
  }
  return linearCounters * 4 + most;
}

int launchLinear(const Launch &launch, const LinearParams &params) {
  const WeightDesc &desc = params.weight.desc;
  if (repackedBytes(desc) < 0 || params.rows < 0 || !aligned(params.src))
    return invalidLaunch;
  if (params.src.type == DType::F32)
    return launchF32(launch, params);
  if (desc.format == WeightFormat::F32 ||
      (params.src.type != DType::F16 && params.src.type != DType::BF16))
    return invalidLaunch;
  LinearWork work = workOf(launch, params);
  for (int64_t first = 0; first < params.rows; first += maxStreamRows) {
    LinearParams part = params;
    part.rows = std::min(maxStreamRows, params.rows - first);
    auto skip = [&](Matrix &m) {
      if (m.data)
        m.data = static_cast<uint8_t *>(m.data) + first * m.stride * byteWidth(m.type);
    };
    skip(part.src);
    skip(part.dst);
    skip(part.add);
    const StreamPlan plan = planStream(launch, desc, part.rows);
    if (plan.splits > 1 && !params.workspace)
      return invalidLaunch;
    work.splits = plan.splits;
    if (int error = launchStreamOf(launch, part, work, plan))
      return error;
  }
  return 0;
}

} // namespace qrt::cuda
