//===- elementwise.cu - activation functions, arithmetic, copies ------------------===//
//
// A block covers a run of one row; f32 arithmetic whatever the types of the operands.
//
//===----------------------------------------------------------------------===//

#include "kernels/cuda/device/Elements.h"
#include "kernels/cuda/device/Launch.h"
#include "kernels/cuda/device/Vectors.h"
#include "kernels/cuda/elementwise/Functions.h"

namespace qrt::cuda {

namespace {

constexpr int blockSize = 256;
constexpr int perThread = 4;
constexpr int perBlock = blockSize * perThread;

/// Calls body(row, column) for the columns of this thread; grid: (rows, runs of a row).
template <class Body>
QRT_DEVICE void forColumns(int64_t width, const Body &body) {
  const int64_t first = int64_t(blockIndex().y) * perBlock + threadIndex();
  QRT_UNROLL
  for (int i = 0; i < perThread; ++i)
    if (first + i * blockSize < width)
      body(int64_t(blockIndex().x), first + i * blockSize);
}

template <class P>
struct WithFaults {
  P op;
  uint32_t *faults;
};

struct GatedKernel {
  using Params = WithFaults<GatedParams>;
  static constexpr int threads = blockSize, minBlocks = 1;

  static QRT_DEVICE void run(const Params &p) {
    forColumns(p.op.width, [&](int64_t row, int64_t i) {
      float gate = loadElement(p.op.gate, row * p.op.gate.stride + i);
      float up = loadElement(p.op.up, row * p.op.up.stride + i);
      storeElement(p.op.dst, row * p.op.dst.stride + i, unaryFunction(p.op.kind, gate, 0.0f) * up,
                   p.faults);
    });
  }
};

/// Four columns of a thread at a time, where every row allows it.
struct VectorGatedKernel {
  using Params = WithFaults<GatedParams>;
  static constexpr int threads = blockSize, minBlocks = 1;

  static QRT_DEVICE void run(const Params &p) {
    const int at = (int(blockIndex().y) * threads + threadIndex()) * 4;
    if (at >= p.op.width)
      return;
    const int64_t row = blockIndex().x;
    const Float4 gate =
        loadFour(static_cast<const float *>(p.op.gate.data) + row * p.op.gate.stride + at);
    const Float4 up =
        loadFour(static_cast<const float *>(p.op.up.data) + row * p.op.up.stride + at);
    Float4 out;
    if (p.op.kind == kernels::UnaryKind::Silu) {
      QRT_UNROLL
      for (int j = 0; j < 4; ++j)
        out.v[j] = unaryFunction(kernels::UnaryKind::Silu, gate.v[j], 0.0f) * up.v[j];
    } else {
      QRT_UNROLL
      for (int j = 0; j < 4; ++j)
        out.v[j] = unaryFunction(p.op.kind, gate.v[j], 0.0f) * up.v[j];
    }
    storeFour(p.op.dst, row * p.op.dst.stride + at, out, p.faults);
  }
};

struct UnaryKernel {
  using Params = WithFaults<UnaryParams>;
  static constexpr int threads = blockSize, minBlocks = 1;

  static QRT_DEVICE void run(const Params &p) {
    forColumns(p.op.width, [&](int64_t row, int64_t i) {
      float x = loadElement(p.op.src, row * p.op.src.stride + i);
      storeElement(p.op.dst, row * p.op.dst.stride + i, unaryFunction(p.op.kind, x, p.op.parameter),
                   p.faults);
    });
  }
};

struct BinaryKernel {
  using Params = WithFaults<BinaryParams>;
  static constexpr int threads = blockSize, minBlocks = 1;

  static QRT_DEVICE void run(const Params &p) {
    forColumns(p.op.width, [&](int64_t row, int64_t i) {
      const int64_t right = p.op.broadcast == kernels::Broadcast::None  ? row * p.op.rhs.stride + i
                            : p.op.broadcast == kernels::Broadcast::Row ? i
                                                                        : 0;
      float a = loadElement(p.op.lhs, row * p.op.lhs.stride + i);
      float b = loadElement(p.op.rhs, right);
      float result =
          p.op.swapped ? binaryFunction(p.op.kind, b, a) : binaryFunction(p.op.kind, a, b);
      storeElement(p.op.dst, row * p.op.dst.stride + i, result, p.faults);
    });
  }
};

struct CopyKernel {
  using Params = WithFaults<CopyParams>;
  static constexpr int threads = blockSize, minBlocks = 1;

  static QRT_DEVICE void run(const Params &p) {
    const int64_t block = blockIndex().x;
    const int64_t from = p.op.rowIndex ? loadGlobal(p.op.rowIndex + block) : block;
    forColumns(p.op.width, [&](int64_t row, int64_t i) {
      storeElement(p.op.dst, row * p.op.dst.stride + i,
                   loadElement(p.op.src, from * p.op.src.stride + i), p.faults);
    });
  }
};

template <class Kernel, class P>
int launchColumns(const Launch &launch, const P &params) {
  const int64_t runs = (params.width + perBlock - 1) / perBlock;
  if (params.rows > INT32_MAX || runs > 65535)
    return invalidLaunch;
  return launchKernel<Kernel>(launch, {int32_t(params.rows), int32_t(runs), 1}, 0,
                              {params, launch.faults});
}

} // namespace

int launchGated(const Launch &launch, const GatedParams &params) {
  if (params.width % 4 == 0 && params.gate.stride % 4 == 0 && params.up.stride % 4 == 0 &&
      params.dst.stride % 4 == 0 && params.gate.type == DType::F32 &&
      params.up.type == DType::F32 && params.width <= 65535 * perBlock && params.rows <= INT32_MAX)
    return launchKernel<VectorGatedKernel>(
        launch, {int32_t(params.rows), int32_t((params.width + perBlock - 1) / perBlock), 1}, 0,
        {params, launch.faults});
  return launchColumns<GatedKernel>(launch, params);
}
int launchUnary(const Launch &launch, const UnaryParams &params) {
  return launchColumns<UnaryKernel>(launch, params);
}
int launchBinary(const Launch &launch, const BinaryParams &params) {
  return launchColumns<BinaryKernel>(launch, params);
}
int launchCopy(const Launch &launch, const CopyParams &params) {
  return launchColumns<CopyKernel>(launch, params);
}

} // namespace qrt::cuda
