//===- BenchTest.cpp - Costs counted from programs, probes, a whole run ----------------------===//
#include "Bench/Report.h"

#include "Bench/Cost.h"
#include "TinyModel.h"

#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::bench;
using namespace qrt::test;

TEST(Bench, CostsAreThoseOfTheProgram) {
  TinyConfig config;
  config.format = kernels::WeightFormat::F32;
  TinyModel tiny(config);
  auto model = tiny.load();
  const Cost cost = costOf(*model, kernels::Isa::Avx2);
  // Per layer q, k, v, o and gate, up, down; the head is stored beside the embedding.
  const int64_t heads = config.heads * config.headDim, kv = config.kvHeads * config.headDim;
  const int64_t layer = config.hidden * (2 * heads + 2 * kv) + 3 * config.hidden * config.ffn;
  const double body = 2.0 * double(config.layers * layer);
  EXPECT_EQ(cost.perToken.f32, body);
  EXPECT_EQ(cost.perSelected.f32, 2.0 * double(config.hidden * config.vocab));
  EXPECT_EQ(cost.perToken.int8 + cost.perToken.bf16, 0);
  EXPECT_EQ(cost.kvElements, config.layers * 2 * kv);
  EXPECT_GE(cost.weights, config.layers * layer + config.hidden * config.vocab);
  EXPECT_GE(cost.bitsPerWeight(), 32.0); // rows are padded
  int64_t read = 0;
  for (Bytes part : cost.read)
    read += int64_t(part.size());
  EXPECT_EQ(read, cost.stepBytes); // no weight is used by two linears
  EXPECT_GE(cost.tokenBytes, config.hidden * 4);
}

TEST(Bench, SixteenBitActivationsCountAsTheKernelsMultiply) {
  TinyConfig config;
  config.format = kernels::WeightFormat::U4;
  config.activation = "a16";
  TinyModel tiny(config);
  auto model = tiny.load();
  const Cost avx2 = costOf(*model, kernels::Isa::Avx2);
  const Cost vnni = costOf(*model, kernels::Isa::Avx512Vnni);
  EXPECT_GT(avx2.perToken.f32, 0);
  EXPECT_EQ(avx2.perToken.int8, 0);
  EXPECT_EQ(vnni.perToken.int8, 2 * avx2.perToken.f32);
  EXPECT_LT(avx2.bitsPerWeight(), 12);
}

TEST(Bench, ProbesOfTheActiveInstructionSet) {
  kernels::ThreadPool pool(1);
  const kernels::Isa isa = kernels::detectIsa();
  EXPECT_EQ(operationsPerSecond(pool, kernels::Isa::Scalar, Arithmetic::F32), 0);
  if (isa < kernels::Isa::Avx2)
    GTEST_SKIP() << "no probes for this processor";
  const double f32 = operationsPerSecond(pool, kernels::Isa::Avx2, Arithmetic::F32);
  const double int8 = operationsPerSecond(pool, kernels::Isa::Avx2, Arithmetic::Int8);
  EXPECT_GT(f32, 1e9);
  EXPECT_GT(int8, 1e9);
  std::vector<uint8_t> bytes(1 << 20 | 13, 1);
  EXPECT_GT(readSeconds(pool, {Bytes(bytes)}), 0);
}

TEST(Bench, AWholeRunReportsEveryCase) {
  TinyModel tiny({});
  BenchOptions options;
  options.engine.threads = 2;
  options.contexts = {5, 70};
  options.batches = {1, 3};
  options.prefills = {7};
  options.rounds = 2;
  options.decodeSteps = 2;
  int lines = 0;
  options.progress = [&](const std::string &) { ++lines; };
  auto report = runBench(tiny.path, options);
  ASSERT_TRUE(report.isOk()) << report.status().message();
  ASSERT_EQ(report->cases.size(), 4u);
  EXPECT_GT(lines, 4);
  EXPECT_EQ(report->cases[0].tokens, 7);
  EXPECT_EQ(report->cases[2].context, 70);
  EXPECT_EQ(report->cases[3].batch, 3);
  for (const CaseResult &what : report->cases)
    EXPECT_GT(what.tokensPerSecond, 0);
  EXPECT_GT(report->readBytesPerSecond, 0);
  EXPECT_GT(report->warm.firstTokenSeconds, report->warm.loadSeconds);
  EXPECT_GT(report->peakResidentBytes, 0);
  const OrderedJson json = toJson(*report);
  EXPECT_EQ(json["cases"][3]["batch"], 3);
  EXPECT_EQ(json["threads"], 2);
  const std::string text = toText(*report);
  EXPECT_NE(text.find("decode          5      3"), std::string::npos) << text;
}

TEST(Bench, AProfileSaysWhereTheTimeGoes) {
  TinyModel tiny({});
  BenchOptions options;
  options.engine.threads = 1;
  options.engine.profile = true;
  options.contexts = {5};
  options.batches = {1};
  options.prefills = {7};
  options.rounds = 1;
  auto report = runBench(tiny.path, options);
  ASSERT_TRUE(report.isOk()) << report.status().message();
  for (const CaseResult &what : report->cases) {
    double sum = 0;
    for (const auto &[name, seconds] : what.profile)
      sum += seconds;
    EXPECT_GT(sum, 0);
    EXPECT_TRUE(what.profile.contains("attention"));
    const TinyConfig config;
    EXPECT_TRUE(what.profile.contains("linear " + std::to_string(config.vocab) + " x " +
                                      std::to_string(config.hidden)));
  }
  EXPECT_GT(toJson(*report)["cases"][0]["profile"]["attention"].get<double>(), 0);
  EXPECT_NE(toText(*report).find("%  attention"), std::string::npos);
}

TEST(Bench, Errors) {
  TinyModel tiny({});
  BenchOptions options;
  options.rounds = 0;
  EXPECT_EQ(runBench(tiny.path, options).status().code(), StatusCode::InvalidArgument);
  options.rounds = 1;
  options.contexts = {-3};
  EXPECT_EQ(runBench(tiny.path, options).status().code(), StatusCode::InvalidArgument);
  TinyModel limited({.gptStyle = true, .positions = 96});
  options.contexts = {96};
  const Status tooLong = runBench(limited.path, options).status();
  EXPECT_EQ(tooLong.code(), StatusCode::InvalidArgument);
  EXPECT_TRUE(tooLong.message().starts_with("--context 96: the model holds 96 tokens"))
      << tooLong.message();
  options.contexts = {2};
  options.prefills = {97};
  EXPECT_TRUE(runBench(limited.path, options).status().message().starts_with("--prefill 97: "));
  options.prefills = {0};
  options.checkpoint = [] { return Status::error(StatusCode::Interrupted, "stop"); };
  EXPECT_EQ(runBench(tiny.path, options).status().code(), StatusCode::Interrupted);
  EXPECT_EQ(runBench("/nonexistent.qmod", {}).status().code(), StatusCode::CannotRead);
}
