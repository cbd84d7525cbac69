//===- linearGroup.cu - products of few tokens by one to three weights ------------------------===//

#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/layout/Int8Layout.h"
#include "kernels/cuda/linear/FormatLaunch.h"
#include "kernels/cuda/linear/ResidentPlan.h"
#include "kernels/cuda/linear/StreamInt8.h"

#include <cstdlib>

namespace qrt::cuda {

namespace {

bool isAlike(const WeightDesc &a, const WeightDesc &b) {
  return a.format == b.format && a.k == b.k && a.groupSize == b.groupSize &&
         a.symmetric == b.symmetric && a.scaleType == b.scaleType;
}

/// Elements of a normalised row in shared memory: whole quanta, and eight rows on different banks.
int64_t normStride(int64_t k) { return (k + 127) / 128 * 128 + 32; }

bool isNormTaken(const Launch &launch, const LinearGroupParams &params) {
  const int64_t k = params.parts[0].weight.desc.k;
  return params.src.type == DType::F32 && params.rows <= 8 && k % 4 == 0 &&
         params.rows * normStride(k) * 2 <= launch.sharedBytesPerBlock / 5;
}

bool isMultiplied(DType type) {
  return type == DType::F16 || type == DType::BF16 || type == DType::I8;
}

/// Whether StreamLinear, or of I8 StreamInt8, computes them together.
bool isTaken(const Launch &launch, const LinearGroupParams &params) {
  const WeightDesc &desc = params.parts[0].weight.desc;
  if (params.count < 1 || params.count > 3 || params.rows < 0 || repackedBytes(desc) < 0 ||
      desc.k > (int64_t(1) << 30) || desc.format == WeightFormat::F32 ||
      (params.normWeight ? !isNormTaken(launch, params) : !isMultiplied(params.src.type)) ||
      !streamTakes(desc, params.src.type, params.rows))
    return false;
  for (int i = 1; i < params.count; ++i)
    if (!isAlike(desc, params.parts[i].weight.desc))
      return false;
  return !params.gated || (params.count == 2 && streamItemPanels(desc.format) == 2 &&
                           params.parts[1].weight.desc.n == desc.n);
}

/// Items up to the end of each part.
void countItems(const LinearGroupParams &params, int32_t (&end)[3]) {
  const int panels = streamItemPanels(params.parts[0].weight.desc.format);
  int64_t items = 0;
  for (int i = 0; i < 3; ++i) {
    if (i < params.count && !(params.gated && i == 1)) {
      const int64_t of = unitGeometry(params.parts[i].weight.desc).panels;
      items += params.gated ? of : (of + panels - 1) / panels;
    }
    end[i] = int32_t(std::min<int64_t>(items, INT32_MAX));
  }
}

int environmentNumber(const char *name, int otherwise) {
  const char *text = std::getenv(name);
  return text ? std::atoi(text) : otherwise;
}

/// QRT_CUDA_RESIDENT=0 leaves out ResidentLinear, to compare.
ResidentPlan residentPlan(const Launch &launch, const LinearGroupParams &params, int64_t items,
                          int64_t rows) {
  static const bool enabled = environmentNumber("QRT_CUDA_RESIDENT", 1) != 0;
  return !enabled || params.normWeight
             ? ResidentPlan{}
             : planResident(launch, params.parts[0].weight.desc, params.src.type, items, rows);
}

/// QRT_CUDA_STREAM_WARPS=4 or 8: blocks of fewer warps, of which a multiprocessor holds two, so
/// that the next kernel of a graph fetches its weights while this one ends; to compare.
StreamPlan streamPlan(const Launch &launch, const WeightDesc &desc, int64_t items) {
  static const int most = environmentNumber("QRT_CUDA_STREAM_WARPS", 16);
  StreamPlan plan = planStream(launch, desc, items);
  plan.warps = std::min(plan.warps, most >= 16 ? 16 : most >= 8 ? 8 : 4);
  return plan;
}

/// launchResident, where the weights' format has it.
int launchResidentPlan(const Launch &launch, StreamLinearParams stream, const ResidentPlan &plan,
                       WeightFormat format) {
  stream.splits = plan.splits;
  stream.sliceQuanta = plan.sliceQuanta;
  stream.blockSlices = int32_t(stream.items / plan.blocks);
  stream.blockRest = int32_t(stream.items % plan.blocks);
  stream.runs = plan.runs;
  stream.runQuanta = plan.sliceQuanta / plan.runs;
  stream.runRest = plan.sliceQuanta % plan.runs;
  stream.rowStride = residentStride(plan.sliceQuanta);
  switch (format) {
  case WeightFormat::U4:
    return launchResident<WeightFormat::U4>(launch, stream, plan);
  case WeightFormat::U3:
    return launchResident<WeightFormat::U3>(launch, stream, plan);
  case WeightFormat::U2:
    return launchResident<WeightFormat::U2>(launch, stream, plan);
  default:
    return invalidLaunch;
  }
}

} // namespace

int64_t linearGroupWorkspaceBytes(const Launch &launch, const LinearGroupParams &params) {
  if (!isTaken(launch, params))
    return -1;
  const WeightDesc &desc = params.parts[0].weight.desc;
  int32_t end[3];
  countItems(params, end);
  const int64_t splits = std::max(streamPlan(launch, desc, end[2]).splits,
                                  residentPlan(launch, params, end[2], maxGroupRows).splits);
  const int64_t itemRows = streamItemPanels(desc.format) * kernels::panelRows;
  return ticketCounters * 4 + (splits > 1 ? splits * maxGroupRows * end[2] * itemRows * 4 : 0);
}

int launchLinearGroup(const Launch &launch, const LinearGroupParams &params) {
  const bool isInt8 = params.src.type == DType::I8;
  if (!isTaken(launch, params) || reinterpret_cast<uintptr_t>(params.src.data) % 16 != 0 ||
      (!isInt8 && (params.src.stride * byteWidth(params.src.type) % 16 != 0 ||
                   params.src.stride * maxGroupRows > INT32_MAX)))
    return invalidLaunch;
  if (params.rows == 0)
    return 0;
  const WeightDesc &desc = params.parts[0].weight.desc;
  const UnitGeometry g = unitGeometry(desc);
  StreamLinearParams stream;
  stream.src = params.src;
  for (int i = 0; i < params.count; ++i) {
    stream.parts[i] = params.parts[i];
    stream.lastPanel[i] = int32_t(unitGeometry(params.parts[i].weight.desc).panels - 1);
  }
  countItems(params, stream.endItem);
  stream.items = stream.endItem[2];
  const StreamPlan plan = streamPlan(launch, desc, stream.items);
  const ResidentPlan resident = residentPlan(launch, params, stream.items, params.rows);
  if ((resident.runs ? resident.splits : plan.splits) > 1 && !params.workspace)
    return invalidLaunch;
  stream.rows = int32_t(params.rows);
  stream.gated = params.gated;
  stream.kind = params.kind;
  stream.splits = plan.splits;
  stream.quanta = int32_t(streamQuanta(desc));
  stream.sliceQuanta = plan.sliceQuanta;
  stream.blockSlices = int32_t(stream.items * plan.splits / plan.grid);
  stream.blockRest = int32_t(stream.items * plan.splits % plan.grid);
  stream.fullQuanta = int32_t(desc.k / (streamQuantumUnits(desc.format) * unitK));
  if (params.normWeight) {
    stream.normWeight = params.normWeight;
    stream.epsilon = params.epsilon;
    stream.rowStride = int32_t(normStride(desc.k));
  }
  stream.panelUnits = int32_t(g.panelUnits);
  stream.groups = int32_t(g.groups);
  stream.counters = static_cast<uint32_t *>(params.workspace);
  stream.partials = reinterpret_cast<float *>(stream.counters + ticketCounters);
  stream.faults = launch.faults;
  if (resident.runs)
    return launchResidentPlan(launch, stream, resident, desc.format);
  if (isInt8) {
    const Int8Geometry src = int8Geometry(params.rows, desc.k, int8Block(desc));
    if (src.bytes > INT32_MAX)
      return invalidLaunch;
    const StreamInt8Params int8 = {stream, int32_t(src.rowBytes), int32_t(src.planeRows),
                                   int32_t(src.scaleStart), int32_t(src.sumStart)};
    return withFormat(desc.format, [&]<WeightFormat format>() {
      if constexpr (kernels::isQuantized(format))
        return launchStreamInt8<format>(launch, int8, plan);
      else
        return invalidLaunch;
    });
  }
  return withFormat(desc.format, [&]<WeightFormat format>() {
    return launchStream<format>(launch, stream, plan);
  });
}

} // namespace qrt::cuda
