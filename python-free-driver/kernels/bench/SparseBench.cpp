//===- SparseBench.cpp - products with the outliers of a weight ---------------===//
//
// 1 % of a 4864 x 896 and of a 896 x 4864 weight, as an MLP of a 0.5B-shaped model has them:
// nanoseconds per outlier and token, to set beside what the dense product takes (KernelBench.cpp).
//
//===----------------------------------------------------------------------===//

#include "kernels/bench/KernelBench.h"
#include "kernels/cpu/vector/Variants.h"

#include <random>
#include <vector>

namespace qrt::kernels::bench {

namespace {

struct Outliers {
  std::vector<int32_t> rows = {0};
  std::vector<uint16_t> columns, values;
};

Outliers outliers(int64_t n, int64_t k) {
  std::mt19937 random(1);
  std::bernoulli_distribution chosen(0.01);
  Outliers out;
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t column = 0; column < k; ++column)
      if (chosen(random))
        out.columns.push_back(static_cast<uint16_t>(column));
    out.rows.push_back(static_cast<int32_t>(out.columns.size()));
  }
  out.values.assign(out.columns.size(), 0x3800); // 0.5
  return out;
}

void sparse(benchmark::State &state, const VectorKernels &kernels, int64_t n, int64_t k,
            int64_t tokens) {
  const Outliers matrix = outliers(n, k);
  std::vector<float> x(static_cast<size_t>(tokens * k), 0.25f),
      y(static_cast<size_t>(tokens * n), 0.0f);
  Workspace workspace;
  double best = 1e9;
  for (auto _ : state) {
    const double time = seconds([&] {
      const SparseArgs args = {
          y.data(), n, x.data(), k,
          tokens,   n, k,        {matrix.rows.data(), matrix.columns.data(), matrix.values.data()}};
      if (!sparseAddWith(kernels, pool(), args, workspace))
        state.SkipWithError("failed");
    });
    state.SetIterationTime(time);
    best = std::min(best, time);
  }
  state.counters["ns/outlier"] = 1e9 * best / double(matrix.values.size()) / double(tokens);
}

} // namespace

void registerSparse() {
  for (const VectorKernels *kernels : vectorVariants()) {
    if (kernels->isa > detectIsa())
      continue;
    for (auto [n, k] : {std::pair<int64_t, int64_t>{4864, 896}, {896, 4864}})
      for (int64_t tokens : {1, 8, 512})
        add("sparse1%/" + std::to_string(n) + "x" + std::to_string(k) + "/" + kernels->name + "/m" +
                std::to_string(tokens),
            [=](benchmark::State &state) { sparse(state, *kernels, n, k, tokens); });
  }
}

} // namespace qrt::kernels::bench
