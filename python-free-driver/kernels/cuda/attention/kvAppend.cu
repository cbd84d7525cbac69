//===- kvAppend.cu - keys and values into the cache
//-----------------------------------------------===//
//
// A warp per (row, head, keys or values). Quantized caches: one scale per head (8 bits) or per 32
// dims (4 bits), each computed and applied by the same warp (KvLayout.h).
//
//===----------------------------------------------------------------------===//

#include "kernels/cuda/attention/KvElement.h"
#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/device/Reduce.h"

#include <cmath>

namespace qrt::cuda {

namespace {

struct KvAppendKernel {
  struct Params {
    KvAppendParams op;
    uint32_t *faults;
  };
  static constexpr int threads = 128, minBlocks = 1, warps = threads / 32;

  /// Codes of `count` dims from `first` on; returns nothing to the caller but the stored bytes.
  static QRT_DEVICE void quantize(const Matrix &src, int64_t from, int bits, int first, int count,
                                  uint8_t *row, uint16_t *scale) {
    const int lane = laneIndex();
    float most = 0.0f;
    for (int i = lane; i < count; i += 32) {
      const float x = fabsf(loadElement(src, from + first + i));
      most = x > most ? x : most;
    }
    most = warpMax(most);
    const int top = (1 << (bits - 1)) - 1, zero = 1 << (bits - 1);
    float s = most / static_cast<float>(top);
    s = s < 6.103515625e-5f ? 6.103515625e-5f : s > maxF16 ? maxF16 : s;
    const auto stored = static_cast<uint16_t>(packF16(s, 0.0f));
    s = floatOfF16(stored);
    if (lane == 0)
      storeGlobal(scale, stored);
    auto code = [&](int i) {
      if (i >= count)
        return zero;
      float q = rintf(loadElement(src, from + first + i) / s) + static_cast<float>(zero);
      q = q < 0.0f                               ? 0.0f
          : q > static_cast<float>(2 * zero - 1) ? static_cast<float>(2 * zero - 1)
                                                 : q;
      return static_cast<int>(q);
    };
    if (bits == 8) {
      for (int i = lane; i < count; i += 32)
        storeGlobal(row + first + i, static_cast<uint8_t>(code(i)));
    } else {
      for (int i = 2 * lane; i < count; i += 64)
        storeGlobal(row + (first + i) / 2, static_cast<uint8_t>(code(i) | code(i + 1) << 4));
    }
  }

  static QRT_DEVICE void run(const Params &params) {
    const KvAppendParams &p = params.op;
    const int64_t row = blockIndex().x;
    const RowPlace place = rowPlace(p.step, row);
    if (place.part < 0)
      return;
    const int task = int(blockIndex().y) * warps + warpIndex();
    if (task >= 2 * p.kvHeads)
      return;
    const bool isKey = task < p.kvHeads;
    const int64_t head = isKey ? task : task - p.kvHeads, dim = isKey ? p.headDim : p.valueDim;
    const Matrix &src = isKey ? p.k : p.v;
    const int64_t from = row * src.stride + head * dim;
    const int64_t token = place.position % kvBlockTokens;
    uint8_t *page =
        kvPage(p.step, p.kv, place.part, place.position, isKey ? p.kv.keyOffset : p.kv.valueOffset);
    uint8_t *to = page + kvRowOffset(head, token, dim, p.kv.type);
    if (p.kv.type == DType::F32 || p.kv.type == DType::F16) {
      const Matrix dst = {to, 0, p.kv.type};
      for (int64_t i = laneIndex(); i < dim; i += 32)
        storeElement(dst, i, loadElement(src, from + i), params.faults);
      return;
    }
    auto *scales =
        reinterpret_cast<uint16_t *>(page + kvScaleOffset(p.kvHeads, head, token, dim, p.kv.type));
    if (p.kv.type == DType::I8) {
      quantize(src, from, 8, 0, int(dim), to, scales);
      return;
    }
    for (int first = 0; first < dim; first += kvGroup4)
      quantize(src, from, 4, first, dim - first < kvGroup4 ? int(dim) - first : kvGroup4, to,
               scales + first / kvGroup4);
  }
};

} // namespace

int64_t kvPageBytes(int64_t kvHeads, int64_t dim, DType type) {
  return isKvType(type) && kvHeads > 0 && dim > 0 ? kvPageSize(kvHeads, dim, type) : -1;
}

int launchKvAppend(const Launch &launch, const KvAppendParams &params) {
  const int64_t tasks = (2 * params.kvHeads + KvAppendKernel::warps - 1) / KvAppendKernel::warps;
  if (!isKvType(params.kv.type) || params.rows > INT32_MAX || tasks > 65535)
    return invalidLaunch;
  return launchKernel<KvAppendKernel>(launch, {int32_t(params.rows), int32_t(tasks), 1}, 0,
                                      {params, launch.faults});
}

} // namespace qrt::cuda
