//===- TinyModel.h - Small random transformers and their float64 reference -------------------===//
// Builds a token-major program by hand, writes it with QmodWriter, and evaluates the same network
// naively in double, from the weights the test itself generated. Nothing of the engine or the
// kernels takes part in the reference.
#ifndef QRT_TEST_TINYMODEL_H
#define QRT_TEST_TINYMODEL_H

#include "qrt/Engine.h"
#include "qrt/Model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qrt::test {

struct TinyConfig {
  int64_t layers = 2, hidden = 48, heads = 4, kvHeads = 2, headDim = 12, ffn = 80, vocab = 50;
  int64_t window = 0; ///< of the first layer; the others see everything
  kernels::WeightFormat format = kernels::WeightFormat::F32;
  int32_t groupSize = 32;
  bool symmetric = true;
  std::string activation = "f32";
  bool gptStyle = false; ///< LayerNorm, fused qkv, gelu, learned positions, biases
  bool interleavedRope = false;
  double ropeScaling = 1.0;
  double softcap = 0; ///< on attention scores and on logits
  bool selectRows = true;
  /// Hadamard in front of the down-projection: blocks (0: none) with a random base of some order.
  int64_t hadamardBlock = 0, hadamardBase = 1;
  /// Every linear has an alternate weight, other random numbers than its own.
  std::optional<kernels::WeightFormat> alternates;
  std::string alternatesOf; ///< only of linears that are called so in a layer, like "q"; empty: all
  double outliers = 0; ///< share of each (quantized) weight that is random numbers in f16 on top
  std::vector<double> activationScales; ///< static ones of linears with one block of K, or empty
  int64_t positions = 96;               ///< rows of the learned position table
  uint32_t seed = 1;
};

/// A matrix or vector in double, row-major.
struct Matrix {
  int64_t rows = 0, columns = 0;
  std::vector<double> data;
  double at(int64_t r, int64_t c) const { return data[size_t(r * columns + c)]; }
};

class TinyModel {
public:
  explicit TinyModel(const TinyConfig &config);
  ~TinyModel();

  /// Logits of every position, [tokens][vocab]. alternate[t]: token t uses the second weight set.
  std::vector<std::vector<double>> reference(const std::vector<int32_t> &tokens,
                                             const std::vector<bool> &alternate = {}) const;
  std::shared_ptr<const Model> load() const;
  std::unique_ptr<Engine> engine(const EngineOptions &options = {}) const;

  TinyConfig config;
  std::string path;

private:
  void build();
  std::vector<double> projected(const std::string &name, const std::vector<double> &x,
                                bool alternate) const;
  std::vector<double> normed(const std::string &name, std::vector<double> x, size_t chunk) const;
  void rotate(std::vector<double> &x, int64_t position) const;
  void transform(std::vector<double> &x) const;

  std::map<std::string, Matrix> weights;
};

/// Random token ids below `vocab`.
std::vector<int32_t> randomTokens(size_t count, int64_t vocab, uint32_t seed);

/// Runs one chunk and returns the logits as rows.
std::vector<std::vector<float>> runChunk(Engine &engine, int seq, std::span<const int32_t> tokens,
                                         Engine::Logits logits = Engine::Logits::All);

/// Largest |a - b| over all rows, relative to the largest |b|.
template <class A, class B>
double relativeDistance(const std::vector<std::vector<A>> &a,
                        const std::vector<std::vector<B>> &b) {
  double worst = a.size() == b.size() ? 0 : INFINITY, scale = 1e-30;
  for (size_t r = 0; r < std::min(a.size(), b.size()); ++r)
    for (size_t i = 0; i < b[r].size(); ++i) {
      double difference = std::abs(double(a[r][i]) - double(b[r][i]));
      worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
      scale = std::max(scale, std::abs(double(b[r][i])));
    }
  return worst / scale;
}

} // namespace qrt::test

#endif // QRT_TEST_TINYMODEL_H
