//===- HadamardBench.cpp - speed of the Walsh-Hadamard transform on every variant ---===//
//
// The widths of down-projections: 4864 = 76 * 64 (0.5B), 8960 = 140 * 64 (1.5B), 8192 (1B), 11008 =
// 43 blocks of 256 (7B of the first generation). Decode is one token, timed in runs of 100 so that
// the caches are warm, as behind an activation; prefill 512 tokens. Additions count, factors not.
//
//===----------------------------------------------------------------------===//

#include "kernels/bench/KernelBench.h"
#include "kernels/cpu/vector/Variants.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace qrt::kernels::bench {
namespace {

struct Size {
  int64_t width, block, order;
};

void transform(benchmark::State &state, const VectorKernels &kernels, Size size, int64_t tokens) {
  std::vector<float> x(size_t(tokens * size.width), 0.25f), y(x.size()),
      base(size_t(size.order * size.order), 1.0f);
  HadamardArgs args = {};
  args.dst = y.data();
  args.src = x.data();
  args.dstStride = args.srcStride = args.width = size.width;
  args.base = size.order > 1 ? base.data() : nullptr;
  args.baseOrder = size.order;
  args.tokens = tokens;
  args.block = size.block;
  const int64_t inner = size.block / size.order, rows = tokens * size.width / inner;
  const int calls = tokens == 1 ? 100 : 1;
  double best = 1e9;
  for (auto _ : state) {
    const double time = seconds([&] {
                          for (int i = 0; i < calls; ++i)
                            pool().parallelFor(rows, 4, [&](int64_t begin, int64_t end, int) {
                              kernels.hadamard(args, begin, end);
                            });
                        }) /
                        calls;
    state.SetIterationTime(time);
    best = std::min(best, time);
  }
  const auto stages = double(std::countr_zero(uint64_t(inner)));
  const double adds = double(tokens * size.width) * (stages + (args.base ? double(size.order) : 0));
  state.counters["us"] = 1e6 * best;
  state.counters["Gadd/s"] = 1e-9 * adds / best;
}

} // namespace

void registerHadamard() {
  for (const VectorKernels *kernels : vectorVariants()) {
    if (kernels->isa > detectIsa() || kernels->isa == Isa::Scalar)
      continue;
    for (Size size : {Size{4864, 4864, 76}, {8960, 8960, 140}, {8192, 8192, 1}, {11008, 256, 1}})
      for (int64_t tokens : {1, 512})
        add("hadamard/" + std::to_string(size.width) + "/" + kernels->name + "/m" +
                std::to_string(tokens),
            [=](benchmark::State &state) { transform(state, *kernels, size, tokens); });
  }
}

} // namespace qrt::kernels::bench
