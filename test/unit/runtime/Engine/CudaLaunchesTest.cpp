//===- CudaLaunchesTest.cpp - Which kernels a step of a device launches ----------------------===//
#include "OnDevice.h"

#include <tuple>

using namespace qrt;
using namespace qrt::test;
using kernels::WeightFormat;

namespace {

class LaunchesOnDevice : public OnDevice {};

/// q, k, v and gate, up are one launch each, with the norm before them; with more rows the norms
/// and with many the products are launches of their own.
TEST_F(LaunchesOnDevice, ProductsOfOneInputAreOneLaunch) {
  if (realLibrary())
    GTEST_SKIP() << "only the emulated device names its launches";
  TinyConfig config;
  config.format = WeightFormat::U4;
  config.activation = "a16";
  TinyModel model(config);
  for (auto [tokens, streams, residents, norms, gates] :
       {std::tuple{1, 4, 0, 0, 0}, std::tuple{9, 0, 4, 2, 0}, std::tuple{17, 0, 0, 2, 1}}) {
    SCOPED_TRACE(tokens);
    auto engine = model.engine(onDevice());
    ASSERT_TRUE(engine);
    const Launches launches([&] {
      runChunk(*engine, *engine->addSequence(), randomTokens(size_t(tokens), config.vocab, 7),
               Engine::Logits::Last);
    });
    const auto layers = int(config.layers);
    EXPECT_EQ(launches.of("StreamLinear"), layers * streams + 1); // and the head
    EXPECT_EQ(launches.of("ResidentLinear"), layers * residents);
    EXPECT_EQ(launches.of("Norm"), layers * (norms + 2) + 1); // those of q and k, the last
    EXPECT_EQ(launches.of("GatedKernel"), layers * gates);
    EXPECT_EQ(launches.of("RopeKernel"), 0); // the append rotates
  }
}

/// q, k and v stay one launch, and so do gate and up; but their product, which needs the outliers,
/// is a launch of its own.
TEST_F(LaunchesOnDevice, OutliersAreAddedBehindProducts) {
  if (realLibrary())
    GTEST_SKIP() << "only the emulated device names its launches";
  TinyConfig config;
  config.layers = 1;
  config.format = WeightFormat::U4;
  config.activation = "a16";
  config.outliers = 0.05;
  TinyModel model(config);
  for (auto [tokens, products] : {std::pair{1, 4}, std::pair{17, 0}}) {
    auto engine = model.engine(onDevice());
    ASSERT_TRUE(engine);
    const Launches launches([&] {
      runChunk(*engine, *engine->addSequence(), randomTokens(size_t(tokens), config.vocab, 7),
               Engine::Logits::Last);
    });
    EXPECT_EQ(launches.of("StreamLinear"), products + 1); // and the head
    EXPECT_EQ(launches.of("SparseAdd"), 7 + 1);
    EXPECT_EQ(launches.of("GatedKernel"), 1);
  }
}

} // namespace
