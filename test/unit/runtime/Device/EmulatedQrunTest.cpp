//===- EmulatedQrunTest.cpp - qrun on the emulated device ------------------------------------===//
// The command as it is shipped, with a library whose device is emulated: the same request must give
// the same tokens and the same decisions of the controls on either device. The model is f32, so
// that only rounding differs.
#include "../Engine/TinyModel.h"
#include "RunQrun.h"

#include "Support/Json.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace qrt;
using test::Outcome;
using test::runQrun;

namespace {

/// QRT_TEST_CUDA_LIBRARY: a real library instead, and with it a real device.
const char *const realLibrary = std::getenv("QRT_TEST_CUDA_LIBRARY");
const std::string emulated =
    std::string("QRT_CUDA_LIBRARY=") + (realLibrary ? realLibrary : QRT_EMULATED_LIBRARY);

class EmulatedQrun : public ::testing::Test {
protected:
  EmulatedQrun()
      : folder(std::filesystem::temp_directory_path() /
               ("qrt-emulated-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder);
    std::ofstream(ids()) << "[[1, 2, 3, 4, 5, 6, 7], [40], [9, 9, 8, 7]]";
  }
  ~EmulatedQrun() override { std::filesystem::remove_all(folder); }
  std::string ids() const { return (folder / "ids.json").string(); }

  /// complete on a device; everything but the times.
  Json complete(const std::string &device, const std::string &flags) const {
    return complete(tiny, device, flags);
  }
  Json complete(const test::TinyModel &model, const std::string &device,
                const std::string &flags) const {
    Outcome outcome = runQrun(emulated,
                              "complete " + model.path + " --ids " + ids() + " --json --device " +
                                  device + " " + flags,
                              /*withErrors=*/false);
    EXPECT_EQ(outcome.code, 0) << device << " " << flags;
    Json json = Json::parse(outcome.output, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << outcome.output;
    return withoutTimes(std::move(json));
  }
  static Json withoutTimes(Json json) {
    if (json.is_object())
      json.erase("timings");
    for (Json &child : json)
      if (child.is_structured())
        child = withoutTimes(std::move(child));
    return json;
  }

  test::TinyModel tiny{test::TinyConfig{.layers = 1}};
  std::filesystem::path folder;
};

TEST_F(EmulatedQrun, ListsTheDevice) {
  if (realLibrary)
    GTEST_SKIP() << "the name of the emulated device";
  Outcome listed = runQrun(emulated, "devices");
  EXPECT_EQ(listed.code, 0);
  EXPECT_NE(listed.output.find("cuda:0  emulated on the CPU, capability 9.0"), std::string::npos)
      << listed.output;
}

TEST_F(EmulatedQrun, SameTokensAsTheCpu) {
  const char *requests[] = {
      "--temp 0 -n 12",
      "--temp 1 --seed 5 --top-k 30 --top-p 0.9 -n 12",
      "--temp 0.8 --seed 6 --min-p 0.05 --repeat-penalty 1.3 --presence-penalty 0.2 -n 12",
      "--temp 0 --logit-bias 3=40 --loop rollback --loop-ngram 2 --loop-count 3 --loop-window 16 "
      "--loop-rescues 2 -n 24",
      "--temp 0 --logprobs 2 -n 3",
  };
  for (const char *request : requests) {
    SCOPED_TRACE(request);
    Json cpu = complete("cpu", request), device = complete("cuda", request);
    if (std::string(request).find("logprobs") != std::string::npos) {
      EXPECT_EQ(cpu["ids"], device["ids"]); // values differ by rounding, tokens may not
    } else {
      EXPECT_EQ(cpu, device);
    }
  }
}

/// Products of 8-bit activations are exact on both.
TEST_F(EmulatedQrun, SameTokensOfEightBitActivations) {
  for (auto format : {kernels::WeightFormat::U8, kernels::WeightFormat::U4}) {
    const test::TinyModel model(
        test::TinyConfig{.layers = 1, .format = format, .activation = "a8"});
    for (const char *request :
         {"--temp 0 -n 12",
          "--temp 1 --seed 5 --top-k 30 --top-p 0.9 --repeat-penalty 1.3 -n 12"}) {
      SCOPED_TRACE(request);
      EXPECT_EQ(complete(model, "cpu", request), complete(model, "cuda", request));
    }
  }
}

/// Codes with precise tokens beside them, in steps that are launched ahead.
TEST_F(EmulatedQrun, SameTokensOfCodedCaches) {
  for (const char *kv : {"int8", "int4 --kv-sink 2 --kv-window 8", "k=int8,v=int4"}) {
    const std::string request = std::string("--temp 0 -n 24 --kv-type ") + kv;
    SCOPED_TRACE(request);
    EXPECT_EQ(complete("cpu", request)["ids"], complete("cuda", request)["ids"]);
  }
}

TEST_F(EmulatedQrun, EveryCommandTakesTheDevice) {
  const std::string texts = (folder / "texts.json").string(); // one token predicts nothing
  std::ofstream(texts) << "[[1, 2, 3, 4, 5, 6, 7], [9, 9, 8, 7]]";
  Outcome evaluated = runQrun(emulated,
                              "eval " + tiny.path + " --reference " + tiny.path + " --ids " +
                                  texts + " --device cuda --json",
                              /*withErrors=*/false);
  EXPECT_EQ(evaluated.code, 0);
  EXPECT_NE(evaluated.output.find("\"top1\":1.0"), std::string::npos) << evaluated.output;
  Outcome benched = runQrun(emulated, "bench " + tiny.path +
                                          " --context 4 --batch 1 --prefill 4 --steps 2 --rounds 1 "
                                          "--prompt 2 --device cuda -q --json");
  EXPECT_EQ(benched.code, 0) << benched.output;
  Json report = Json::parse(benched.output, nullptr, false);
  EXPECT_EQ(report["isa"], "cuda:0");
  Outcome vague = runQrun(emulated, "bench " + tiny.path + " --device auto");
  EXPECT_EQ(vague.code, 2) << vague.output;
}

} // namespace
