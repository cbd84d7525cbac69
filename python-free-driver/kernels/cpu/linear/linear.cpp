//===- linear.cpp - validation, input preparation and dispatch of linear ------===//
//
// Two phases with a barrier between them: activations to integers (split over tokens),
// then products (split over output rows, so that each worker streams its own weights). Few tokens
// are rounded by every worker for itself, which costs less than the barrier and fetching what the
// others have written.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/linear/linear.h"

#include "kernels/cpu/linear/Variants.h"
#include "kernels/onednn/Adapter.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>

namespace qrt::kernels {

namespace {

/// Dense rows per split, a multiple of every register tile.
constexpr int64_t rowGrain = 12;
/// Blocks of one token per split of the rounding: fewer cost less than a barrier.
constexpr int64_t quantizeGrain = 32;
/// Every worker rounds for itself up to this many blocks, all workers together.
constexpr int64_t ownRoundingBlocks = 640;
/// From this many tokens BF16 weights may use bf16 products.
constexpr int64_t bf16FromTokens = 16;

/// oneDNN's f32 product, 128 rows at a time whatever the number of threads (so that results do not
/// depend on it). Zen 5, one thread, 2048 x 2048, Gflop/s oneDNN : own: AVX-512 with 64 tokens
/// 176 : 133, with 512 tokens 240 : 137 (weights in f16: 184); AVX2 128 : 127, not worth it.
constexpr int64_t oneDnnFromTokens = 64;
constexpr int64_t oneDnnRows = 128;

Status invalid(const std::string &what) {
  return Status::error(StatusCode::InvalidArgument, "linear: " + what);
}

Status validate(const LinearArgs &args) {
  Result<PackedSizes> sizes = packedSizes(args.weight.desc);
  if (!sizes)
    return sizes.status();
  const WeightDesc &desc = args.weight.desc;
  if (args.m < 0)
    return invalid("negative number of tokens");
  if (!args.weight.data || (sizes->scales && !args.weight.scales) ||
      (sizes->zeroPoints && !args.weight.zeroPoints))
    return invalid("the weight lacks its data, scales or zero points");
  if (args.m > 0 && (!args.src || !args.dst))
    return invalid("null source or destination");
  if (args.m > 1 && (args.srcStride < desc.k || args.dstStride < desc.n))
    return invalid("a row stride is shorter than the row");
  if (args.activation == Activation::A8 && !isQuantized(desc.format))
    return invalid("8-bit activations need quantized weights");
  if (args.activationScales && args.activation != Activation::A8)
    return invalid("static scales need 8-bit activations");
  return Status::ok();
}

size_t alignUp(size_t bytes) { return (bytes + 63) / 64 * 64; }

/// Arrays of an IntegerInput within the workspace.
struct InputBytes {
  size_t values, scales, sums;
  size_t total() const { return values + scales + sums; }
};

InputBytes inputBytes(const PanelGeometry &g, int64_t m, int words) {
  size_t perToken = static_cast<size_t>(g.paddedK) * words;
  size_t blocks = static_cast<size_t>(g.blocks) * 4;
  return {alignUp(m * perToken), alignUp(m * blocks), alignUp(m * blocks)};
}

bool roundsForItself(int64_t m, int64_t blocks, int threads) {
  return m * blocks * threads <= ownRoundingBlocks;
}

/// Scratch of up to maxM tokens: one input, or one and a line with a flag per worker.
size_t integerBytes(const PanelGeometry &g, int64_t maxM, int words, int threads) {
  const int64_t few = std::min(maxM, ownRoundingBlocks / threads / g.blocks);
  const size_t own = few > 0 ? threads * (lineBytes + inputBytes(g, few, words).total()) : 0;
  return std::max(own, inputBytes(g, maxM, words).total());
}

int64_t bf16Stride(int64_t k) { return (k + 31) / 32 * 32; }

/// All parts, which are groupable and valid: one rounding, one split over the panels of all.
void runInteger(const LinearKernels &kernels, ThreadPool &pool, std::span<const LinearArgs> parts,
                std::byte *scratch) {
  const LinearArgs &first = parts.front();
  const WeightDesc &desc = first.weight.desc;
  const PanelGeometry g = panelGeometry(desc);
  const InputForm form = kernels.inputForm(desc.format, first.activation, first.m);
  const InputBytes bytes = inputBytes(g, first.m, form.words);
  auto inputAt = [&](std::byte *at) {
    return IntegerInput{
        reinterpret_cast<int32_t *>(at), reinterpret_cast<float *>(at + bytes.values),
        reinterpret_cast<int32_t *>(at + bytes.values + bytes.scales), form, first.activation};
  };
  auto round = [&](const IntegerInput &input, int64_t begin, int64_t end) {
    const int32_t sumFactor = desc.symmetric ? -int32_t(symmetricZeroPoint(desc.format)) : 1;
    kernels.quantizeInput({first.src, first.srcStride, first.m, desc.k, g.block, g.blocks,
                           sumFactor, first.activationScales, input},
                          begin, end);
  };
  const int64_t items = (first.m + form.tile - 1) / form.tile * g.blocks;
  const bool own = roundsForItself(first.m, g.blocks, pool.size());
  const size_t ownBytes = lineBytes + bytes.total();
  if (own)
    for (int worker = 0; worker < pool.size(); ++worker)
      scratch[worker * ownBytes] = std::byte(0);
  else
    pool.parallelFor(items, (quantizeGrain + form.tile - 1) / form.tile,
                     [&](int64_t begin, int64_t end, int) { round(inputAt(scratch), begin, end); });
  int64_t panels = 0;
  for (const LinearArgs &part : parts)
    panels += panelGeometry(part.weight.desc).panels;
  pool.parallelForBalanced(panels, 1, [&](int64_t begin, int64_t end, int worker) {
    IntegerInput input = inputAt(scratch);
    if (own) {
      std::byte *mine = scratch + worker * ownBytes;
      input = inputAt(mine + lineBytes);
      if (mine[0] == std::byte(0)) {
        round(input, 0, items);
        mine[0] = std::byte(1);
      }
    }
    int64_t start = 0; // of the part
    for (const LinearArgs &part : parts) {
      const PanelArgs args = {&part, panelGeometry(part.weight.desc), input};
      const int64_t from = std::max(begin, start) - start;
      const int64_t to = std::min(end - start, args.geometry.panels);
      if (from < to)
        kernels.panels(args, from, to);
      start += args.geometry.panels;
    }
  });
}

void runBf16(const LinearKernels &kernels, ThreadPool &pool, const LinearArgs &args,
             std::byte *scratch) {
  auto *src = reinterpret_cast<uint16_t *>(scratch);
  int64_t k = args.weight.desc.k, stride = bf16Stride(k);
  pool.parallelFor(args.m, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t m = begin; m < end; ++m) {
      kernels.roundBf16(args.src + m * args.srcStride, src + m * stride, k);
      std::fill(src + m * stride + k, src + (m + 1) * stride, uint16_t(0));
    }
  });
  pool.parallelForBalanced(args.weight.desc.n, rowGrain, [&](int64_t begin, int64_t end, int) {
    kernels.denseBf16(args, src, stride, begin, end);
  });
}

bool useOneDnn(const LinearKernels &kernels, const LinearArgs &args) {
  return onednn::available() && kernels.isa >= Isa::Avx512Vnni && args.m >= oneDnnFromTokens &&
         args.weight.desc.n >= oneDnnRows;
}

/// Rows of f16 or bf16 weights are widened into a worker's share of the scratch.
size_t oneDnnBytes(int workers, int64_t k) {
  return static_cast<size_t>(workers) * oneDnnRows * alignUp(k * 4);
}

Status runOneDnn(const LinearKernels &kernels, ThreadPool &pool, const LinearArgs &args,
                 std::byte *scratch) {
  const WeightDesc &desc = args.weight.desc;
  const int64_t rowFloats = static_cast<int64_t>(alignUp(desc.k * 4) / 4);
  std::atomic<bool> failed{false};
  pool.parallelFor(desc.n, oneDnnRows, [&](int64_t begin, int64_t end, int worker) {
    for (int64_t row = begin; row < end; row += oneDnnRows) {
      int64_t rows = std::min(oneDnnRows, end - row);
      const float *weight = static_cast<const float *>(args.weight.data) + row * rowFloats;
      if (desc.format != WeightFormat::F32) {
        auto *wide = reinterpret_cast<float *>(scratch) + worker * oneDnnRows * rowFloats;
        for (int64_t r = 0; r < rows; ++r)
          kernels.widenRow(args.weight, row + r, wide + r * rowFloats);
        weight = wide;
      }
      float *dst = args.dst + row;
      if (!onednn::matmul({args.src, args.srcStride, weight, rowFloats, dst, args.dstStride, args.m,
                           rows, desc.k}))
        failed = true;
      for (int64_t m = 0; args.bias && m < args.m; ++m)
        for (int64_t r = 0; r < rows; ++r)
          dst[m * args.dstStride + r] += args.bias[row + r];
    }
  });
  return failed ? Status::error(StatusCode::Internal, "linear: oneDNN failed") : Status::ok();
}

} // namespace

size_t linearWorkspaceBytes(const WeightDesc &desc, int64_t maxM, Activation activation,
                            int threads) {
  if (maxM <= 0)
    return 0;
  if (threads <= 0)
    threads = ThreadPool::availableProcessors();
  if (isQuantized(desc.format)) // no form takes more than two words per step
    return activation == Activation::F32 ? 0 : integerBytes(panelGeometry(desc), maxM, 2, threads);
  size_t bytes = 0;
  if (desc.format != WeightFormat::F32 && onednn::available() && maxM >= oneDnnFromTokens)
    bytes = oneDnnBytes(threads, desc.k);
  if (desc.format == WeightFormat::BF16 && activation == Activation::A16)
    bytes = std::max(bytes, alignUp(maxM * bf16Stride(desc.k) * 2));
  return bytes;
}

Status linearWith(const LinearKernels &kernels, ThreadPool &pool, const LinearArgs &args,
                  Workspace &workspace) {
  QRT_RETURN_IF_ERROR(validate(args));
  if (args.m == 0)
    return Status::ok();
  const WeightDesc &desc = args.weight.desc;
  QRT_RETURN_IF_ERROR(
      workspace.reserve(linearWorkspaceBytes(desc, args.m, args.activation, pool.size())));

  if (!isQuantized(desc.format)) {
    if (desc.format == WeightFormat::BF16 && args.activation == Activation::A16 &&
        kernels.denseBf16 && args.m >= bf16FromTokens)
      runBf16(kernels, pool, args, workspace.data());
    else if (useOneDnn(kernels, args))
      return runOneDnn(kernels, pool, args, workspace.data());
    else
      pool.parallelForBalanced(desc.n, rowGrain, [&](int64_t begin, int64_t end, int) {
        kernels.dense(args, begin, end);
      });
    return Status::ok();
  }

  if (args.activation == Activation::F32) {
    const PanelArgs panelArgs = {&args, panelGeometry(desc), {}};
    pool.parallelForBalanced(panelArgs.geometry.panels, 1, [&](int64_t begin, int64_t end, int) {
      kernels.panelsF32(panelArgs, begin, end);
    });
  } else {
    runInteger(kernels, pool, {&args, 1}, workspace.data());
  }
  return Status::ok();
}

bool groupable(const WeightDesc &a, const WeightDesc &b) {
  return isQuantized(a.format) && a.format == b.format && a.k == b.k &&
         a.groupSize == b.groupSize && a.symmetric == b.symmetric;
}

Status linearsWith(const LinearKernels &kernels, ThreadPool &pool,
                   std::span<const LinearArgs> parts, Workspace &workspace) {
  if (parts.empty() || parts.size() > maxLinearParts)
    return invalid("a group of " + std::to_string(parts.size()) + " products");
  const LinearArgs &first = parts.front();
  bool alike = first.activation != Activation::F32;
  for (const LinearArgs &part : parts) {
    QRT_RETURN_IF_ERROR(validate(part));
    if (part.src != first.src || part.srcStride != first.srcStride || part.m != first.m ||
        part.weight.desc.k != first.weight.desc.k || part.activation != first.activation ||
        part.activationScales != first.activationScales)
      return invalid("the products of a group differ in their input");
    alike = alike && groupable(first.weight.desc, part.weight.desc);
  }
  if (!alike) {
    for (const LinearArgs &part : parts)
      QRT_RETURN_IF_ERROR(linearWith(kernels, pool, part, workspace));
    return Status::ok();
  }
  if (first.m == 0)
    return Status::ok();
  QRT_RETURN_IF_ERROR(workspace.reserve(
      linearWorkspaceBytes(first.weight.desc, first.m, first.activation, pool.size())));
  runInteger(kernels, pool, parts, workspace.data());
  return Status::ok();
}

Status linearWith(Isa isa, ThreadPool &pool, const LinearArgs &args, Workspace &workspace) {
  if (isa > detectIsa())
    return Status::error(StatusCode::Unsupported,
                         "linear: this processor cannot execute " + std::string(isaName(isa)));
  for (const LinearKernels *kernels : linearVariants())
    if (kernels->isa == isa)
      return linearWith(*kernels, pool, args, workspace);
  return Status::error(StatusCode::Unsupported,
                       "linear: this build has no variant for " + std::string(isaName(isa)));
}

static const LinearKernels &activeKernels() {
  static const LinearKernels *const active = [] {
    const LinearKernels *best = nullptr;
    for (const LinearKernels *kernels : linearVariants())
      if (kernels->isa <= activeIsa())
        best = kernels;
    return best;
  }();
  return *active;
}

Status linear(ThreadPool &pool, const LinearArgs &args, Workspace &workspace) {
  return linearWith(activeKernels(), pool, args, workspace);
}

Status linears(ThreadPool &pool, std::span<const LinearArgs> parts, Workspace &workspace) {
  return linearsWith(activeKernels(), pool, parts, workspace);
}

} // namespace qrt::kernels
