//===- KernelBench.cpp - speed of every linear variant ------------------------===//
//
// Walks the variant table. Decode runs the linears of a 0.5B-parameter model (896 wide, 4864 in the
// MLP, 24 layers, a head of 151936) as often as a token does, and reports the bytes it streams per
// second beside a read probe over the same memory, timed in turns with it: shared machines change
// their bandwidth within minutes, so only the ratio means something. Prefill reports arithmetic
// rates of one linear. AttentionBench.cpp has attention.
//
//===----------------------------------------------------------------------===//

#include "kernels/bench/KernelBench.h"
#include "kernels/cpu/linear/Variants.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

using namespace qrt::kernels;
using namespace qrt::kernels::bench;

namespace {

struct Shape {
  int64_t n, k;
};
constexpr Shape layerShapes[] = {{1152, 896}, {896, 896}, {9728, 896}, {896, 4864}};
constexpr Shape headShape = {151936, 896};
constexpr int layers = 24;

const char *formatName(WeightFormat format) {
  constexpr const char *names[] = {"f32", "f16", "bf16", "w8", "w4", "w3", "w2"};
  return names[static_cast<int>(format)];
}
const char *activationName(Activation activation) {
  constexpr const char *names[] = {"a32", "a16", "a8"};
  return names[static_cast<int>(activation)];
}

struct Model {
  std::vector<WeightView> weights;
  size_t bytes = 0; ///< data and scales
  std::unique_ptr<Memory> memory;
};

Model makeModel(WeightFormat format, int32_t group, const std::vector<Shape> &shapes) {
  Model model;
  std::vector<size_t> offsets;
  size_t at = 0;
  for (Shape shape : shapes) {
    WeightDesc desc{format, shape.n, shape.k, group, true, ScaleType::F16};
    PackedSizes sizes = *packedSizes(desc);
    offsets.push_back(at);
    at += (sizes.data + 63) / 64 * 64;
    offsets.push_back(at);
    at += (sizes.scales + 63) / 64 * 64;
    model.weights.push_back({desc, nullptr, nullptr, nullptr});
  }
  model.bytes = at;
  model.memory = std::make_unique<Memory>(at + 64);
  for (size_t i = 0; i < shapes.size(); ++i) {
    model.weights[i].data = model.memory->data() + offsets[2 * i];
    model.weights[i].scales = model.memory->data() + offsets[2 * i + 1];
  }
  return model;
}

void decode(benchmark::State &state, const LinearKernels &kernels, WeightFormat format,
            int32_t group, Activation activation, int64_t tokens, bool small) {
  std::vector<Shape> shapes;
  for (int i = 0; i < (small ? 4 : layers); ++i)
    shapes.insert(shapes.end(), std::begin(layerShapes), std::end(layerShapes));
  if (!small)
    shapes.push_back(headShape);
  Model model = makeModel(format, group, shapes);
  std::vector<float> src(tokens * 4864, 0.25f), dst(tokens * headShape.n);
  Workspace workspace;
  auto step = [&] {
    for (const WeightView &weight : model.weights) {
      LinearArgs args{dst.data(), weight.desc.n, src.data(), weight.desc.k,
                      tokens,     weight,        nullptr,    activation};
      if (!linearWith(kernels, pool(), args, workspace))
        std::abort();
    }
  };
  step();
  double best = 1e9, bestProbe = 1e9, ratios = 0;
  int64_t rounds = 0;
  for (auto _ : state) {
    double probe = seconds([&] { readAll(model.memory->data(), model.bytes); });
    double time = seconds(step);
    probe = (probe + seconds([&] { readAll(model.memory->data(), model.bytes); })) / 2;
    state.SetIterationTime(time);
    best = std::min(best, time);
    bestProbe = std::min(bestProbe, probe);
    ratios += probe / time;
    ++rounds;
  }
  double gigabytes = static_cast<double>(model.bytes) * 1e-9;
  state.counters["GB/s"] = gigabytes / best;
  state.counters["probe GB/s"] = gigabytes / bestProbe;
  state.counters["of probe"] = ratios / static_cast<double>(rounds);
}

void prefill(benchmark::State &state, const LinearKernels &kernels, WeightFormat format,
             int32_t group, Activation activation, Shape shape) {
  constexpr int64_t tokens = 512;
  Model model = makeModel(format, group, {shape});
  std::vector<float> src(tokens * shape.k, 0.25f), dst(tokens * shape.n);
  Workspace workspace;
  LinearArgs args{dst.data(), shape.n,          src.data(), shape.k,
                  tokens,     model.weights[0], nullptr,    activation};
  double best = 1e9;
  for (auto _ : state) {
    double time = seconds([&] {
      if (!linearWith(kernels, pool(), args, workspace))
        std::abort();
    });
    state.SetIterationTime(time);
    best = std::min(best, time);
  }
  state.counters["Gop/s"] =
      2e-9 * static_cast<double>(tokens) * static_cast<double>(shape.n * shape.k) / best;
}

void registerAll() {
  for (const LinearKernels *kernels : linearVariants()) {
    if (kernels->isa > detectIsa() || kernels->isa == Isa::Scalar)
      continue;
    auto both = [&](WeightFormat format, int32_t group, Activation activation) {
      std::string suffix = std::string(formatName(format)) + activationName(activation) +
                           (group ? "/g" + std::to_string(group) : "") + "/" + kernels->name;
      bool small = !isQuantized(format);
      for (int64_t tokens : {1, 4, 8, 16, 32})
        add("decode/" + suffix + "/m" + std::to_string(tokens), [=](benchmark::State &state) {
          decode(state, *kernels, format, group, activation, tokens, small);
        });
      for (Shape shape : {Shape{4864, 896}, {896, 4864}, {2048, 2048}})
        add("prefill/" + suffix + "/" + std::to_string(shape.n) + "x" + std::to_string(shape.k),
            [=](benchmark::State &state) {
              prefill(state, *kernels, format, group, activation, shape);
            });
    };
    for (auto format : {WeightFormat::U8, WeightFormat::U4, WeightFormat::U3, WeightFormat::U2})
      for (int32_t group : {128, 32})
        for (auto activation : {Activation::F32, Activation::A16, Activation::A8})
          both(format, group, activation);
    for (auto format : {WeightFormat::F32, WeightFormat::F16, WeightFormat::BF16})
      both(format, 0, Activation::F32);
    both(WeightFormat::BF16, 0, Activation::A16);
  }
}

} // namespace

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 2;
  registerAll();
  registerAttention();
  registerHadamard();
  registerSparse();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
