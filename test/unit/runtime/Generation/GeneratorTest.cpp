//===- GeneratorTest.cpp - Batches, ends, streams, errors -------------------------------------===//
#include "Generation/Generator.h"
#include "FakeTokenizer.h"
#include "ScriptEngine.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

namespace {

/// Counts up from the last token; 9 follows 9.
int32_t countUp(const std::vector<int32_t> &tokens) { return std::min(tokens.back() + 1, 9); }

GenerationRequest ask(std::vector<int32_t> prompt, int64_t maxTokens) {
  GenerationRequest request;
  request.prompt = std::move(prompt);
  request.sampling.temperature = 0;
  request.maxTokens = maxTokens;
  return request;
}

std::vector<std::string> digits() {
  std::vector<std::string> out;
  for (char c = '0'; c <= '9'; ++c)
    out.emplace_back(1, c);
  return out;
}

} // namespace

TEST(Generator, UnequalRequestsInOneBatch) {
  ScriptEngine engine(10, countUp);
  ModelTexts texts;
  texts.eosIds = {9};
  Generator generator(engine, texts, {.maxBatch = 2, .prefillChunk = 3});
  std::vector<GenerationRequest> requests = {ask({1, 2, 3, 4, 5}, 100), ask({0}, 2),
                                             ask({7, 6, 5, 4, 3, 2, 1}, 3), ask({8}, 0)};
  auto results = generator.run(requests);
  ASSERT_TRUE(results) << results.status().message();
  EXPECT_EQ((*results)[0].ids, (std::vector<int32_t>{6, 7, 8, 9}));
  EXPECT_EQ((*results)[0].finishReason, FinishReason::Stop);
  EXPECT_EQ((*results)[0].stopDetail, "eos:9");
  EXPECT_EQ((*results)[1].ids, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ((*results)[1].finishReason, FinishReason::Length);
  EXPECT_EQ((*results)[2].ids, (std::vector<int32_t>{2, 3, 4}));
  EXPECT_TRUE((*results)[3].ids.empty());
  EXPECT_EQ((*results)[0].timings.prefillTokens, 5);
  EXPECT_EQ((*results)[0].timings.decodeTokens, 3);
  EXPECT_EQ(generator.stats().prefillTokens, 13);
  EXPECT_LE(engine.largest, 3u);
  EXPECT_EQ(engine.widest, 2u);
  EXPECT_TRUE(engine.sequences.empty()); // all given back
  EXPECT_TRUE(generator.idle());
}

TEST(Generator, Ends) {
  ModelTexts texts;
  texts.tokenizer = std::make_shared<FakeTokenizer>(digits());
  texts.eosIds = {9};
  auto run = [&](auto change, int64_t context = 0) {
    ScriptEngine engine(10, countUp, context);
    Generator generator(engine, texts);
    GenerationRequest request = ask({1}, context ? -1 : 12);
    change(request);
    auto results = generator.run({&request, 1});
    EXPECT_TRUE(results) << results.status().message();
    return std::move((*results)[0]);
  };
  auto r = run([](auto &q) { q.stopIds = {4}; });
  EXPECT_EQ(r.ids, (std::vector<int32_t>{2, 3, 4}));
  EXPECT_EQ(r.stopDetail, "stop_id:4");
  r = run([](auto &q) { q.stopStrings = {"56"}; });
  EXPECT_EQ(r.text, "234");
  EXPECT_EQ(r.finishReason, FinishReason::StopString);
  EXPECT_EQ(r.stopDetail, "stop_string:56");
  r = run([](auto &q) { q.ignoreEos = true; });
  EXPECT_EQ(r.ids.size(), 12u);
  r = run([](auto &q) { q.ignoreEos = true; }, 6);
  EXPECT_EQ(r.finishReason, FinishReason::Context);
  EXPECT_EQ(r.ids.size(), 6u); // six tokens in the cache, the seventh has nowhere to go
}

TEST(Generator, StreamIsTheText) {
  ModelTexts texts;
  texts.tokenizer = std::make_shared<FakeTokenizer>(digits());
  ScriptEngine engine(10, countUp);
  Generator generator(engine, texts);
  std::string streamed;
  std::vector<int32_t> ids;
  GenerationRequest request = ask({1}, 6);
  request.stopStrings = {"4x", "56y"};
  request.onToken = [&](const TokenEvent &event) {
    streamed += event.text;
    if (event.token >= 0)
      ids.push_back(event.token);
    return true;
  };
  auto results = generator.run({&request, 1});
  ASSERT_TRUE(results);
  EXPECT_EQ(streamed, "234567");
  EXPECT_EQ((*results)[0].text, streamed);
  EXPECT_EQ(ids, (*results)[0].ids);
}

TEST(Generator, Cancelling) {
  std::atomic<bool> flag = false;
  ScriptEngine engine(10, countUp);
  Generator generator(engine, {}, {.maxBatch = 1, .cancel = &flag});
  GenerationRequest endless = ask({1}, 1000);
  int seen = 0;
  endless.onToken = [&](const TokenEvent &) { return ++seen < 5; };
  GenerationRequest other = ask({1}, 1000);
  int first = *generator.submit(endless), second = *generator.submit(other),
      third = *generator.submit(other);
  generator.cancel(second);
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(generator.step());
  auto result = generator.take(first);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->finishReason, FinishReason::Cancelled);
  EXPECT_EQ(result->ids.size(), 5u);
  EXPECT_EQ(generator.take(second)->finishReason, FinishReason::Cancelled);
  EXPECT_FALSE(generator.take(third));
  flag = true;
  ASSERT_TRUE(generator.step());
  EXPECT_EQ(generator.take(third)->finishReason, FinishReason::Cancelled);
  EXPECT_TRUE(generator.idle());
}

TEST(Generator, AFailedStepEndsItsRequestsAndNothingElse) {
  ScriptEngine engine(10, countUp);
  Generator generator(engine, {});
  std::vector<GenerationRequest> requests = {ask({1}, 9), ask({2}, 9)};
  engine.failAt = 3;
  auto failed = generator.run(requests);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.status().code(), StatusCode::ResourceExhausted);
  EXPECT_TRUE(engine.sequences.empty());
  EXPECT_TRUE(generator.run(requests));
}

TEST(Generator, BadRequestsNameTheField) {
  ScriptEngine engine(10, countUp);
  Generator generator(engine, {});
  auto message = [&](auto change) {
    GenerationRequest request = ask({1}, 5);
    change(request);
    auto id = generator.submit(request);
    return id ? std::string() : id.status().message();
  };
  EXPECT_NE(message([](auto &q) { q.prompt = {}; }).find("prompt"), std::string::npos);
  EXPECT_NE(message([](auto &q) { q.prompt = {10}; }).find("vocabulary"), std::string::npos);
  EXPECT_NE(message([](auto &q) { q.maxTokens = -1; }).find("max_tokens"), std::string::npos);
  EXPECT_NE(message([](auto &q) { q.stopStrings = {"a"}; }).find("tokenizer"), std::string::npos);
  EXPECT_NE(message([](auto &q) { q.sampling.topP = 2; }).find("top_p"), std::string::npos);
  EXPECT_NE(message([](auto &q) { q.reasoning.marker.strength = 1; }).find("marker"),
            std::string::npos);
}

TEST(Generator, LogprobsFollowTheIds) {
  ScriptEngine engine(10, countUp);
  engine.sharpness = 1;
  Generator generator(engine, {});
  GenerationRequest request = ask({1}, 4);
  request.sampling.logprobs = 2;
  auto results = generator.run({&request, 1});
  ASSERT_TRUE(results);
  ASSERT_EQ((*results)[0].logprobs.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ((*results)[0].logprobs[i].token, (*results)[0].ids[i]);
    EXPECT_NEAR((*results)[0].logprobs[i].logprob, 1 - std::log(9 + std::exp(1.0)), 1e-5);
    EXPECT_EQ((*results)[0].logprobs[i].top.size(), 2u);
  }
}
