//===- CudaAlternateTest.cpp - The second weight set on a device -----------------------------===//
#include "OnDevice.h"

using namespace qrt;
using namespace qrt::test;
using kernels::WeightFormat;

namespace {

class AlternateOnDevice : public OnDevice {};

/// Steps of one set and of both, eager and as graphs: each token is multiplied with its own set,
/// the first's with its outliers.
TEST_F(AlternateOnDevice, SecondWeightSet) {
  for (auto [second, outliers] :
       {std::pair{WeightFormat::F16, 0.0}, std::pair{WeightFormat::F16, 0.1},
        std::pair{WeightFormat::BF16, 0.0}, std::pair{WeightFormat::F32, 0.0}}) {
    SCOPED_TRACE(testing::Message() << int(second) << ", outliers " << outliers);
    TinyConfig config;
    config.layers = 1;
    config.format = WeightFormat::U4;
    config.activation = "a16";
    config.alternates = second;
    config.outliers = outliers;
    TinyModel model(config);
    auto engine = model.engine(onDevice({.alternateWeights = true}));
    ASSERT_TRUE(engine && engine->alternateWeights());
    std::vector<std::vector<int32_t>> tokens;
    std::vector<std::vector<bool>> sets;
    std::vector<std::vector<std::vector<double>>> expected;
    std::vector<int> seqs;
    for (uint32_t s = 0; s < 3; ++s) {
      tokens.push_back(randomTokens(9, config.vocab, 30 + s));
      sets.emplace_back();
      for (size_t t = 0; t < 9; ++t) // 0: never, 1: always, 2: by turns behind the prompt
        sets[s].push_back(s == 1 || (s == 2 && t >= 4 && t % 2));
      expected.push_back(model.reference(tokens[s], sets[s]));
      seqs.push_back(*engine->addSequence());
    }
    for (size_t t = 3; t < 9; ++t) {
      std::vector<Engine::Chunk> chunks;
      for (size_t s = 0; s < 3; ++s) {
        const std::span<const int32_t> all = tokens[s];
        chunks.push_back(
            {seqs[s], t == 3 ? all.first(4) : all.subspan(t, 1), Engine::Logits::Last, sets[s][t]});
      }
      auto result = engine->step(chunks);
      ASSERT_TRUE(result) << result.status().message();
      ASSERT_EQ(result->rows, 3);
      for (size_t s = 0; s < 3; ++s) {
        const std::vector<std::vector<float>> row = {
            {result->logits + s * size_t(config.vocab),
             result->logits + (s + 1) * size_t(config.vocab)}};
        EXPECT_LT(relativeDistance(row, std::vector<std::vector<double>>(1, expected[s][t])), 3e-2)
            << "sequence " << s << ", token " << t;
      }
    }
  }
  // Off unless asked for.
  TinyConfig config;
  config.layers = 1;
  config.alternates = WeightFormat::F16;
  TinyModel model(config);
  auto engine = model.engine(onDevice());
  const int32_t id[] = {1};
  Engine::Chunk chunk{*engine->addSequence(), id, Engine::Logits::Last, true};
  EXPECT_EQ(engine->step({&chunk, 1}).status().code(), StatusCode::InvalidArgument);
}

} // namespace
