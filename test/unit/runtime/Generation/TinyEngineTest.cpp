//===- TinyEngineTest.cpp - The generator on the real engine ----------------------------------===//
#include "Generation/Generator.h"
#include "TinyModel.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

TEST(TinyEngine, BatchedGreedyIsTheArgmaxOfTheReference) {
  TinyModel model({});
  std::vector<GenerationRequest> requests;
  for (uint32_t i = 0; i < 5; ++i) {
    GenerationRequest request;
    request.prompt = randomTokens(3 + 4 * i, model.config.vocab, 40 + i);
    request.sampling.temperature = 0;
    request.maxTokens = 12;
    requests.push_back(request);
  }
  auto engine = model.engine();
  Generator generator(*engine, {}, {.maxBatch = 3, .prefillChunk = 5});
  auto results = generator.run(requests);
  ASSERT_TRUE(results) << results.status().message();
  for (size_t i = 0; i < requests.size(); ++i) {
    std::vector<int32_t> tokens = requests[i].prompt;
    for (int32_t id : (*results)[i].ids) {
      std::vector<double> last = model.reference(tokens).back();
      ASSERT_NEAR(last[size_t(id)], *std::max_element(last.begin(), last.end()), 1e-4);
      tokens.push_back(id);
    }
  }
}

TEST(TinyEngine, SampledTextDoesNotDependOnBatchOrThreads) {
  TinyModel model({});
  std::vector<GenerationRequest> requests;
  for (uint32_t i = 0; i < 4; ++i) {
    GenerationRequest request;
    request.prompt = randomTokens(6, model.config.vocab, 70 + i);
    request.sampling.seed = i;
    request.maxTokens = 20;
    requests.push_back(request);
  }
  auto ids = [&](int threads, int batch) {
    auto engine = model.engine({.threads = threads});
    Generator generator(*engine, {}, {.maxBatch = batch});
    auto results = generator.run(requests);
    std::vector<std::vector<int32_t>> out;
    for (const GenerationResult &r : *results)
      out.push_back(r.ids);
    return out;
  };
  auto one = ids(1, 4);
  EXPECT_EQ(ids(3, 4), one);
  EXPECT_EQ(ids(2, 1), one);
}
