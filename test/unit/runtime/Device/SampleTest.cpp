//===- SampleTest.cpp - One table of requests for both samplers ------------------------------===//
// Every case runs through the sampler of the CPU and, emulated, through the kernel of the device,
// for many seeds: the tokens must be equal. The logits have ties, -0, -inf and NaN.
#include "Sampling/SampleLists.h"
#include "Sampling/Sampler.h"
#include "Sampling/Softmax.h"
#include "Support/DrawMath.h"
#include "kernels/cuda/Ops.h"
#include "kernels/cuda/emulator/Stream.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>

using namespace qrt;

namespace {

constexpr int32_t vocab = 4700; ///< three slices of the kernels

struct Request {
  SamplingOptions options;
  std::vector<int32_t> history;
  int64_t promptLength = 0;
  std::vector<TokenPenalty> penalties;
  std::vector<int32_t> banned;
  std::optional<int32_t> forced;
  std::optional<float> temperature;
  float entropyMin = 0;
  float spread = 6; ///< of the logits

  StepControls controls() const {
    StepControls c;
    c.penalties = penalties;
    c.banned = banned;
    c.forced = forced;
    c.temperature = temperature;
    c.entropyMin = entropyMin;
    return c;
  }
};

struct Case {
  const char *name;
  std::function<void(Request &)> change;
};

std::vector<float> makeLogits(float spread, uint64_t seed) {
  std::vector<float> logits;
  for (uint64_t v = 0; v < vocab; ++v) {
    auto uniform = [&](uint64_t stream) {
      return double(draw::uniformBits(seed, v, stream)) * 0x1p-53;
    };
    const double normal =
        std::sqrt(-2 * std::log(uniform(0) + 1e-9)) * std::cos(6.283185 * uniform(1));
    logits.push_back(std::round(float(normal) * spread * 8) / 8); // many ties
  }
  logits[17] = -INFINITY;
  logits[18] = NAN;
  logits[19] = -0.0f;
  logits[20] = 0.0f;
  return logits;
}

std::vector<int32_t> repetitive(size_t length) {
  std::vector<int32_t> history;
  for (size_t i = 0; i < length; ++i)
    history.push_back(int32_t(draw::uniformBits(5, i, 0) % (i < length / 2 ? 40 : 6)));
  return history;
}

std::vector<Case> cases() {
  return {
      {"greedy", [](Request &r) { r.options.temperature = 0; }},
      {"everything", [](Request &) {}},
      {"flat", [](Request &r) { r.spread = 0.05f; }},
      {"hot", [](Request &r) { r.options.temperature = 40; }},
      {"cold", [](Request &r) { r.options.temperature = 0.05f; }},
      {"top_k_1", [](Request &r) { r.options.topK = 1; }},
      {"top_k_40", [](Request &r) { r.options.topK = 40; }},
      {"top_k_of_ties",
       [](Request &r) {
         r.spread = 0.2f;
         r.options.topK = 100;
       }},
      {"top_k_beyond", [](Request &r) { r.options.topK = vocab + 5; }},
      {"top_p", [](Request &r) { r.options.topP = 0.9f; }},
      {"top_p_0", [](Request &r) { r.options.topP = 0; }},
      {"top_p_almost_1", [](Request &r) { r.options.topP = 0.9999999f; }},
      {"min_p", [](Request &r) { r.options.minP = 0.1f; }},
      {"min_p_1", [](Request &r) { r.options.minP = 1; }},
      {"all_cuts",
       [](Request &r) {
         r.options.temperature = 0.7f;
         r.options.topK = 50;
         r.options.topP = 0.95f;
         r.options.minP = 0.02f;
       }},
      {"logit_bias",
       [](Request &r) {
         r.options.logitBias = {{3, 9.5f}, {700, -INFINITY}, {3, 1.3f}, {1499, 12.25f}, {3, -0.1f}};
       }},
      {"marker_penalty", [](Request &r) { r.penalties = {{1, 3.5f}, {2, 1e30f}, {19, -20}}; }},
      {"marker_penalty_gated",
       [](Request &r) {
         r.penalties = {{1, 3.5f}, {19, -200}};
         r.entropyMin = 1.5f;
       }},
      {"marker_penalty_gated_off",
       [](Request &r) {
         r.penalties = {{19, -200}};
         r.entropyMin = 7.2f;
       }},
      {"repetition",
       [](Request &r) {
         r.history = repetitive(300);
         r.promptLength = 120;
         r.options.repetitionPenalty = 1.3f;
       }},
      {"repetition_window",
       [](Request &r) {
         r.history = repetitive(300);
         r.options.repetitionPenalty = 0.8f;
         r.options.repetitionWindow = 20;
       }},
      {"presence_frequency",
       [](Request &r) {
         r.history = repetitive(200);
         r.promptLength = 50;
         r.options.presencePenalty = 0.7f;
         r.options.frequencyPenalty = 0.11f;
       }},
      {"dry",
       [](Request &r) {
         r.history = repetitive(260);
         r.options.dry.multiplier = 0.8f;
         r.options.dry.breakers = {4};
       }},
      {"banned",
       [](Request &r) {
         for (int32_t id = 0; id < 40; ++id)
           r.banned.push_back(id);
       }},
      {"forced", [](Request &r) { r.forced = 1234; }},
      {"step_temperature", [](Request &r) { r.temperature = 3.0f; }},
      {"together",
       [](Request &r) {
         r.history = repetitive(400);
         r.promptLength = 100;
         r.options.temperature = 0.8f;
         r.options.topK = 200;
         r.options.topP = 0.97f;
         r.options.minP = 0.001f;
         r.options.repetitionPenalty = 1.1f;
         r.options.presencePenalty = 0.2f;
         r.options.frequencyPenalty = 0.3f;
         r.options.dry.multiplier = 1.2f;
         r.options.logitBias = {{9, 4.0f}, {11, -3.0f}};
         r.penalties = {{5, 2.0f}, {6, 2.5f}};
         r.banned = {7, 18, 17};
       }},
  };
}

struct Chosen {
  std::vector<SampleResult> results;
  uint32_t faults = 0;
};

/// All rows in one launch.
Chosen onDevice(std::vector<std::vector<float>> logits, const std::vector<SampleRow> &rows,
                const std::vector<SampleEntry> &entries, uint64_t order,
                const std::vector<int32_t> &fed = {}, std::vector<int32_t> *next = nullptr) {
  const int64_t stride = (int64_t(logits[0].size()) + 15) / 16 * 16;
  const auto count = int64_t(rows.size());
  std::vector<float> matrix(size_t(count * stride), 1e9f); // padding must not be looked at
  for (size_t i = 0; i < logits.size(); ++i)
    std::copy(logits[i].begin(), logits[i].end(), matrix.begin() + int64_t(i) * stride);
  Chosen chosen;
  chosen.results.resize(rows.size());
  // Anything but the counters in front, which a launch must leave at zero.
  const int64_t words = cuda::sampleScratchWords(int64_t(logits[0].size()));
  std::vector<uint64_t> scratch(size_t(count * words), ~uint64_t(0));
  for (int64_t i = 0; i < count; ++i)
    scratch[size_t(i * words)] = 0;
  cuda::emulator::Stream stream;
  stream.options.seed = order;
  cuda::Launch launch;
  launch.stream = &stream;
  launch.capability = 80;
  launch.multiprocessors = order == 9 ? 64 : 4; // slices of a row; results must not depend on it
  launch.sharedBytesPerBlock = 99 << 10;
  launch.faults = &chosen.faults;
  cuda::SampleParams params;
  params.logits = matrix.data();
  params.stride = stride;
  params.vocab = int64_t(logits[0].size());
  params.count = count;
  params.rows = rows.data();
  params.entries = entries.data();
  params.scratch = scratch.data();
  params.results = chosen.results.data();
  params.fed = fed.data();
  params.next = next ? next->data() : nullptr;
  EXPECT_EQ(cuda::launchSample(launch, params), 0) << stream.error;
  for (int64_t i = 0; i < count; ++i)
    EXPECT_EQ(scratch[size_t(i * words)], 0u);
  return chosen;
}

TEST(DeviceSampler, ChoosesWhatTheCpuChooses) {
  Sampler sampler(vocab);
  SampleLists lists(vocab);
  constexpr uint64_t seeds = 6;
  for (const Case &c : cases()) {
    SCOPED_TRACE(c.name);
    Request r;
    c.change(r);
    std::vector<std::vector<float>> logits;
    std::vector<SampleRow> rows(seeds);
    std::vector<SampleEntry> entries;
    std::vector<SampledToken> expected;
    for (uint64_t seed = 0; seed < seeds; ++seed) {
      logits.push_back(makeLogits(r.spread, seed));
      r.options.seed = 1000 + seed;
      const StepControls controls = r.controls();
      const History history = {r.history, r.promptLength};
      auto token = sampler.sample(logits.back().data(), history, r.options, controls, seed / 2);
      ASSERT_TRUE(token) << token.status().message();
      expected.push_back(*token);
      ASSERT_TRUE(lists.fill(history, r.options, r.controls(), seed / 2, rows[seed], entries));
    }
    for (uint64_t order : {0, 1, 9}) {
      Chosen chosen = onDevice(logits, rows, entries, order);
      EXPECT_EQ(chosen.faults, 0u);
      for (size_t i = 0; i < seeds; ++i) {
        EXPECT_EQ(chosen.results[i].token, expected[i].token)
            << "seed " << i << ", order " << order;
        EXPECT_EQ(chosen.results[i].rawBest, summarize(logits[i]).argmax);
        EXPECT_EQ(chosen.results[i].bannedBest, expected[i].bannedBest);
        if (!r.forced) {
          EXPECT_EQ(chosen.results[i].penalised != 0, expected[i].penalised);
        }
        if (r.entropyMin > 0) {
          EXPECT_NEAR(chosen.results[i].entropy, summarize(logits[i]).entropy, 1e-9);
        }
      }
    }
  }
}

/// Rows that were made before the last token was known, which the sampler then reads itself.
TEST(DeviceSampler, CarriesTheTokenThatTheStepReads) {
  Sampler sampler(vocab);
  SampleLists lists(vocab);
  int carried = 0;
  for (const Case &c : cases()) {
    SCOPED_TRACE(c.name);
    Request r;
    c.change(r);
    if (!SampleLists::canLookAhead(r.options) || r.forced)
      continue;
    if (r.history.empty())
      r.history = repetitive(30);
    std::vector<std::vector<float>> logits;
    std::vector<SampleRow> rows;
    std::vector<SampleEntry> entries;
    std::vector<int32_t> fed, expected;
    for (uint64_t seed = 0; seed < 6; ++seed) {
      logits.push_back(makeLogits(r.spread, seed));
      r.options.seed = seed;
      std::vector<int32_t> history = r.history;
      history.push_back(seed % 2 ? 900 + int32_t(seed) : history[5]); // new, or there before
      fed.push_back(history.back());
      auto token = sampler.sample(logits.back().data(), {history, r.promptLength}, r.options,
                                  r.controls(), 0);
      ASSERT_TRUE(token) << token.status().message();
      expected.push_back(token->token);
      rows.emplace_back();
      ASSERT_TRUE(lists.fillAhead({r.history, r.promptLength}, r.options, r.controls(), 0,
                                  rows.back(), entries));
      rows.back().stamp = 70 + seed;
      carried += rows.back().carries;
    }
    for (uint64_t order : {0, 9}) {
      std::vector<int32_t> next(rows.size(), -7);
      Chosen chosen = onDevice(logits, rows, entries, order, fed, &next);
      EXPECT_EQ(next, expected) << order;
      for (size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(chosen.results[i].token, expected[i]) << i;
        EXPECT_EQ(chosen.results[i].stamp, 70 + i);
      }
    }
  }
  EXPECT_GT(carried, 6);
}

TEST(DeviceSampler, CountsBannedTokensThatTheModelWanted) {
  std::vector<float> logits(64, 0);
  logits[5] = logits[9] = 2;
  SampleRow row;
  row.temperature = 0;
  const std::vector<SampleEntry> entries = {{5, 0}, {6, 0}, {9, 0}};
  row.banned = {0, 3};
  Chosen chosen = onDevice({logits}, {row}, entries, 0);
  EXPECT_EQ(chosen.results[0].bannedBest, 0b101u);
  EXPECT_EQ(chosen.results[0].token, 0);
}

TEST(DeviceSampler, NothingToChooseIsAFault) {
  SampleRow row;
  for (float value : {-INFINITY, NAN, INFINITY}) {
    Chosen chosen = onDevice({std::vector<float>(40, value)}, {row}, {}, 0);
    EXPECT_EQ(chosen.results[0].token, -1);
    EXPECT_EQ(chosen.faults, uint32_t(cuda::NoToken));
  }
}

/// Larger than a share per thread can be in the other tests; ids up to the last.
TEST(DeviceSampler, LargeVocabulary) {
  constexpr int32_t large = 151936;
  std::vector<float> logits(size_t(large), 0.0f);
  for (size_t v = 0; v < logits.size(); ++v)
    logits[v] = float(double(draw::uniformBits(3, v, 0)) * 0x1p-53 * 4);
  Sampler sampler(large);
  SampleLists lists(large);
  SamplingOptions options;
  options.topP = 0.99f;
  SampleRow row;
  std::vector<SampleEntry> entries;
  auto token = sampler.sample(logits.data(), {}, options);
  ASSERT_TRUE(token);
  ASSERT_TRUE(lists.fill({}, options, {}, 0, row, entries));
  EXPECT_EQ(onDevice({logits}, {row}, entries, 0).results[0].token, token->token);
}

TEST(SampleLists, RefuseWhatTheyCannotExpress) {
  SampleLists lists(10);
  SampleRow row;
  std::vector<SampleEntry> entries;
  SamplingOptions options;
  options.logprobs = 0;
  EXPECT_EQ(lists.fill({}, options, {}, 0, row, entries).code(), StatusCode::InvalidArgument);
  options = {};
  StepControls controls;
  controls.forced = 10;
  EXPECT_EQ(lists.fill({}, options, controls, 0, row, entries).code(), StatusCode::InvalidArgument);
  const uint64_t allowed[] = {1};
  controls = {};
  controls.allowed = allowed;
  EXPECT_FALSE(SampleLists::canExpress(options, controls));
}

} // namespace
