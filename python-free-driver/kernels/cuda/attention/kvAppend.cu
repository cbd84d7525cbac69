//===- kvAppend.cu - keys and values into the cache -------------------------------------------===//
//
// A warp per (row, head, keys or values); it computes and applies the scales of its row. With
// rotary embedding fused, keys are rotated on the way, and warps of their own rotate the queries.
//
//===----------------------------------------------------------------------===//

#include "kernels/cuda/attention/KvCode.h"
#include "kernels/cuda/attention/KvElement.h"
#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/device/Reduce.h"
#include "kernels/cuda/layout/Fragments.h"
#include "kernels/cuda/rope/RopePair.h"

namespace qrt::cuda {

namespace {

struct KvAppendKernel {
  struct Params {
    KvAppendParams op;
    uint32_t *faults;
  };
  static constexpr int threads = 128, minBlocks = 1, warps = threads / 32;

  /// A row's elements as they are cached: keys are rotated and divided by the balance.
  struct Row {
    const Matrix &src;
    int64_t from;
    const float *balance;   ///< null: none
    const float *cos, *sin; ///< of the row; null: not rotated
    int half;
    bool interleaved;
    QRT_DEVICE float operator()(int i) const {
      float x = loadElement(src, from + i);
      if (cos && i < 2 * half) {
        const RopePair pair = ropePair(i, half, interleaved);
        const float other = loadElement(src, from + pair.other);
        const float c = loadGlobal(cos + pair.index), s = loadGlobal(sin + pair.index);
        x = pair.isSecond ? x * c + other * s : x * c - other * s;
      }
      return balance ? x / loadConstant(balance + i) : x;
    }
  };

  /// A head of the queries, in place: a lane owns whole pairs.
  static QRT_DEVICE void rotateQuery(const Params &params, int64_t row, int64_t head) {
    const KvAppendParams &p = params.op;
    const int64_t from = row * p.q.stride + head * p.headDim;
    const auto half = static_cast<int>(p.half);
    for (int pair = laneIndex(); pair < half; pair += warpLanes) {
      const int first = p.interleaved ? 2 * pair : pair;
      const int second = first + (p.interleaved ? 1 : half);
      const float c = loadGlobal(p.cos + row * half + pair);
      const float s = loadGlobal(p.sin + row * half + pair);
      const float a = loadElement(p.q, from + first), b = loadElement(p.q, from + second);
      storeElement(p.q, from + first, a * c - b * s, params.faults);
      storeElement(p.q, from + second, b * c + a * s, params.faults);
    }
  }

  /// Codes, scale and zero point of `count` dims from `first` on (docs/semantics.md).
  static QRT_DEVICE void quantize(const Row &x, DType type, int first, int count, uint8_t *row,
                                  uint16_t *scale, uint8_t *zeroPoint) {
    const int lane = laneIndex(), bits = type == DType::I8 ? 8 : 4;
    float high = 0.0f, low = 0.0f; // the range holds zero
    bool finite = true;
    for (int i = lane; i < count; i += warpLanes) {
      const float v = x(first + i);
      finite = finite && v - v == 0.0f;
      high = v > high ? v : high;
      low = v < low ? v : low;
    }
    high = warpMax(high);
    low = -warpMax(-low);
    finite = warpMax(finite ? 0.0f : 1.0f) == 0.0f;
    const KvCode group(low, high, finite, bits);
    auto code = [&](int i) { return i < count ? group.code(x(first + i)) : 1 << (bits - 1); };
    if (lane == 0) {
      storeGlobal(scale, group.stored);
      if (bits == 4)
        storeGlobal(zeroPoint, static_cast<uint8_t>(group.zero));
    }
    if (bits == 8) {
      for (int i = lane; i < count; i += warpLanes)
        storeGlobal(row + first + i, static_cast<uint8_t>(code(i)));
    } else {
      for (int i = 2 * lane; i < count; i += 2 * warpLanes)
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
    if (task >= 2 * p.kvHeads) {
      if (p.q.data && task - 2 * p.kvHeads < p.heads)
        rotateQuery(params, row, task - 2 * p.kvHeads);
      return;
    }
    const bool isKey = task < p.kvHeads;
    const int64_t head = isKey ? task : task - p.kvHeads, dim = isKey ? p.headDim : p.valueDim;
    const Matrix &src = isKey ? p.k : p.v;
    const DType type = p.kv.type(isKey);
    const int64_t from = row * src.stride + head * dim;
    const int64_t token = place.position % kvBlockTokens;
    uint8_t *page =
        kvPage(p.step, p.kv, place.part, place.position, isKey ? p.kv.keyOffset : p.kv.valueOffset);
    uint8_t *to = page + kvRowOffset(head, token, dim, type);
    const bool rotated = isKey && p.cos;
    const Row x = {src,
                   from,
                   isKey && p.balance ? p.balance + head * dim : nullptr,
                   rotated ? p.cos + row * p.half : nullptr,
                   rotated ? p.sin + row * p.half : nullptr,
                   static_cast<int>(p.half),
                   p.interleaved};
    if (p.kv.preciseBase)
      if (uint8_t *copies = precisePage(p.step, p.kv, place.part, place.position, isKey)) {
        const Matrix dst = {copies + kvRowOffset(head, token, dim, DType::F16), 0, DType::F16};
        for (int i = laneIndex(); i < dim; i += warpLanes)
          storeElement(dst, i, x(i), params.faults);
      }
    if (type == DType::F32 || type == DType::F16 || type == DType::BF16) {
      const Matrix dst = {to, 0, type};
      for (int i = laneIndex(); i < dim; i += warpLanes)
        storeElement(dst, i, x(i), params.faults);
      return;
    }
    auto *scales =
        reinterpret_cast<uint16_t *>(page + kvScaleOffset(p.kvHeads, head, token, dim, type));
    uint8_t *zeros = page + kvZeroOffset(p.kvHeads, head, token, dim, type);
    const int group = kvGroup(int(dim), type);
    for (int first = 0; first < dim; first += group)
      quantize(x, type, first, group, to, scales + first / group, zeros + first / group);
  }
};

} // namespace

int64_t kvPageBytes(int64_t kvHeads, int64_t dim, DType type) {
  return isKvType(type) && kvHeads > 0 && dim > 0 ? kvPageSize(kvHeads, dim, type) : -1;
}

int launchKvAppend(const Launch &launch, const KvAppendParams &params) {
  const int64_t heads = 2 * params.kvHeads + (params.q.data ? params.heads : 0);
  const int64_t tasks = (heads + KvAppendKernel::warps - 1) / KvAppendKernel::warps;
  if (!isKvType(params.kv.keyType) || !isKvType(params.kv.valueType) || params.rows > INT32_MAX ||
      tasks > 65535 || (params.q.data && !params.cos) ||
      (params.kv.preciseBase && !params.step.preciseBlocks) ||
      (params.cos && 2 * params.half > params.headDim))
    return invalidLaunch;
  return launchKernel<KvAppendKernel>(launch, {int32_t(params.rows), int32_t(tasks), 1}, 0,
                                      {params, launch.faults});
}

} // namespace qrt::cuda
