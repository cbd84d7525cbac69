//===- DriverTest.cpp - qrun on every driver that cannot be used -----------------------------===//
// Runs the command with libqrt_cuda.so as it is shipped and a libcuda.so.1 of our own
// (FakeDriver.cpp), in a process each, since a driver is opened once per process.
#include "../Engine/TinyModel.h"
#include "RunQrun.h"

#include "Support/Json.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace qrt;
using test::Outcome;
using test::runQrun;

namespace {

std::string fakeDriver(const std::string &behaviour) {
  return "LD_LIBRARY_PATH=" QRT_FAKE_DRIVER_DIR " QRT_FAKE_DRIVER='" + behaviour + "'";
}

struct Case {
  const char *behaviour, *problem, *words;
};

class Driver : public ::testing::Test {
protected:
  Driver()
      : folder(std::filesystem::temp_directory_path() /
               ("qrt-driver-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "ids.json") << "[[1, 2, 3]]";
  }
  ~Driver() override { std::filesystem::remove_all(folder); }

  std::string logits(const std::string &device) const {
    return "logits " + tiny.path + " --ids " + (folder / "ids.json").string() + " -o " +
           (folder / "out.npy").string() + " --device " + device;
  }
  void expectRefused(const std::string &environment, const std::string &problem,
                     const std::string &words, const std::string &device = "cuda") const {
    Outcome refused = runQrun(environment, logits(device));
    EXPECT_EQ(refused.code, 13) << refused.output;
    EXPECT_NE(refused.output.find("qrun: device missing: CUDA: "), std::string::npos)
        << refused.output;
    EXPECT_NE(refused.output.find(words), std::string::npos) << refused.output;
    EXPECT_EQ(std::count(refused.output.begin(), refused.output.end(), '\n'), 1) << refused.output;
    EXPECT_FALSE(std::filesystem::exists(folder / "out.npy"));
    if (device == "cuda") { // auto: one line, and the CPU
      Outcome fallback = runQrun(environment, logits("auto"));
      EXPECT_EQ(fallback.code, 0) << fallback.output;
      EXPECT_TRUE(fallback.output.starts_with("qrun: using the CPU: CUDA: ")) << fallback.output;
      EXPECT_NE(fallback.output.find(words), std::string::npos) << fallback.output;
      EXPECT_EQ(std::count(fallback.output.begin(), fallback.output.end(), '\n'), 2)
          << fallback.output;
      EXPECT_TRUE(std::filesystem::remove(folder / "out.npy"));
    }
  }
  void expectListed(const std::string &environment, const std::string &problem) const {
    Outcome listed = runQrun(environment, "devices --json");
    EXPECT_EQ(listed.code, 0) << listed.output;
    Json json = Json::parse(listed.output, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << listed.output;
    EXPECT_EQ(json["cuda"]["usable"], problem.empty());
    EXPECT_EQ(json["cuda"]["problem"], problem.empty() ? Json(nullptr) : Json(problem));
  }

  test::TinyModel tiny{test::TinyConfig{}};
  std::filesystem::path folder;
};

TEST_F(Driver, ThatCannotBeUsed) {
  const Case cases[] = {
      {"init=100", "no_device", "no device: cuInit: CUDA_ERROR_NO_DEVICE (100)"},
      {"init=999", "init_failed", "the driver failed: cuInit: unknown error (999)"},
      {"init=803", "no_driver", "no driver: cuInit"},
      {"init=804", "driver_too_old", "the driver is too old: cuInit"},
      {"init=2", "out_of_memory", "not enough memory on the device: cuInit"},
      {"version=12020", "driver_too_old", "it is for CUDA 12.2, this program needs"},
      {"devices=0", "no_device", "no device: the driver (CUDA"},
      {"capability=75", "capability_too_low",
       "(Fake device) has 7.5, the library has code for sm_"},
  };
  for (const Case &c : cases) {
    SCOPED_TRACE(c.behaviour);
    expectListed(fakeDriver(c.behaviour), c.problem);
    expectRefused(fakeDriver(c.behaviour), c.problem, c.words);
  }
}

TEST_F(Driver, ThatIsMissing) {
  const auto broken = folder / "broken";
  std::filesystem::create_directories(broken);
  std::ofstream(broken / "libcuda.so.1") << "";
  const std::string environment = "LD_LIBRARY_PATH=" + broken.string();
  expectListed(environment, "no_driver");
  expectRefused(environment, "no_driver", "no driver: ");

  std::filesystem::remove(broken / "libcuda.so.1");
  std::filesystem::copy_file(QRT_NO_TABLE, broken / "libcuda.so.1");
  expectListed(environment, "no_driver");
  expectRefused(environment, "no_driver", "no driver: libcuda.so.1 has no cu");
}

TEST_F(Driver, DeviceThatCannotBeOpened) {
  // Listed as usable: only opening it shows.
  expectListed(fakeDriver("retain=2"), "");
  expectRefused(fakeDriver("retain=2"), "out_of_memory",
                "not enough memory on the device: cuDevicePrimaryCtxRetain");
  expectRefused(fakeDriver("retain=46"), "init_failed", "the driver failed: ");
  expectRefused(fakeDriver("free=1000"), "out_of_memory", "1000 bytes of 1.00 GiB free");
  expectRefused(fakeDriver(""), "no_such_device", "no such device: device 3 of 1", "cuda:3");
}

TEST_F(Driver, LibraryThatIsMissing) {
  const std::string environment = "QRT_CUDA_LIBRARY=/nowhere/lib.so";
  expectListed(environment, "no_library");
  expectRefused(environment, "no_library", "no library: /nowhere/lib.so");
}

} // namespace
