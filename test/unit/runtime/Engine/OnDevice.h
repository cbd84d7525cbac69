//===- OnDevice.h - Engines of a device in tests ---------------------------------------------===//
// On the emulated device, or on a real one where QRT_TEST_CUDA_LIBRARY names its library.
#ifndef QRT_TEST_ONDEVICE_H
#define QRT_TEST_ONDEVICE_H

#include "TinyModel.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace qrt::test {

class OnDevice : public ::testing::Test {
protected:
  static const char *realLibrary() { return std::getenv("QRT_TEST_CUDA_LIBRARY"); }
  OnDevice() {
    setenv("QRT_CUDA_LIBRARY", realLibrary() ? realLibrary() : QRT_EMULATED_LIBRARY, 1);
  }
  ~OnDevice() override {
    unsetenv("QRT_CUDA_LIBRARY");
    unsetenv("QRT_EMULATED_DEVICE");
  }
  static void device(const std::string &settings) {
    setenv("QRT_EMULATED_DEVICE", settings.c_str(), 1);
  }
};

/// Caches of f32 where nothing else is said, so that only what is tested differs from the
/// reference.
inline EngineOptions onDevice(EngineOptions options = {}) {
  if (!options.kv.keys && !options.kv.values)
    options.kv.keys = options.kv.values = DType::F32;
  options.device.kind = DeviceKind::Cuda;
  return options;
}

/// Logits of every token: of a prompt, then of tokens one by one.
inline std::vector<std::vector<float>> generate(Engine &engine, int seq,
                                                std::span<const int32_t> tokens, size_t prompt) {
  auto rows = runChunk(engine, seq, tokens.first(prompt));
  for (size_t i = prompt; i < tokens.size(); ++i)
    for (auto &row : runChunk(engine, seq, tokens.subspan(i, 1), Engine::Logits::Last))
      rows.push_back(std::move(row));
  return rows;
}

/// What the emulated device launches while `work` runs.
class Launches {
public:
  template <class Work>
  explicit Launches(const Work &work)
      : file(testing::TempDir() + "/launches-" + std::to_string(getpid()) + ".txt") {
    std::remove(file.c_str());
    setenv("QRT_EMULATED_TRACE", file.c_str(), 1);
    work();
    unsetenv("QRT_EMULATED_TRACE");
  }
  ~Launches() { std::remove(file.c_str()); }
  Launches(const Launches &) = delete;

  /// How often a kernel with `name` in its name was launched.
  int of(const char *name) const {
    std::ifstream lines(file);
    int count = 0;
    for (std::string line; std::getline(lines, line);)
      count += line.find(name) != std::string::npos;
    return count;
  }

private:
  std::string file;
};

/// Threads and blocks in several orders, races on shared memory looked for: the same bits.
inline void expectAnyOrderOfThreads(const TinyModel &model, const EngineOptions &options) {
  auto tokens = randomTokens(12, model.config.vocab, 5);
  std::vector<std::vector<float>> first;
  for (const char *settings : {"seed=0,check=1", "seed=1,check=1", "seed=77"}) {
    setenv("QRT_EMULATED_DEVICE", settings, 1);
    auto engine = model.engine(options);
    ASSERT_TRUE(engine);
    auto rows = generate(*engine, *engine->addSequence(), tokens, 8);
    if (first.empty())
      first = rows;
    EXPECT_EQ(rows, first) << settings;
  }
}

} // namespace qrt::test

#endif // QRT_TEST_ONDEVICE_H
