//===- SamplingEngine.h - Any engine with the sampler of a device, emulated ------------------===//
// Steps are those of the engine inside; tokens are chosen by the kernel (kernels/cuda/sampling) on
// the emulator, from the logits of that step.
#ifndef QRT_TEST_SAMPLINGENGINE_H
#define QRT_TEST_SAMPLINGENGINE_H

#include "kernels/cuda/Ops.h"
#include "kernels/cuda/emulator/Stream.h"
#include "qrt/Engine.h"

#include <vector>

namespace qrt::test {

class SamplingEngine final : public Engine {
public:
  explicit SamplingEngine(Engine &inside) : inside(inside) {}

  Result<int> addSequence() override { return inside.addSequence(); }
  void release(int seq) override { inside.release(seq); }
  Status truncate(int seq, int64_t length) override { return inside.truncate(seq, length); }
  int64_t length(int seq) const override { return inside.length(seq); }
  int32_t vocabSize() const override { return inside.vocabSize(); }
  int64_t maxContext() const override { return inside.maxContext(); }
  Result<StepResult> step(std::span<const Chunk> chunks) override {
    ++logitSteps;
    return inside.step(chunks);
  }
  EngineStats stats() const override { return inside.stats(); }

  int64_t maxSampleEntries() const override { return 1 << 18; }
  Result<std::span<const SampleResult>> stepAndSample(std::span<const Chunk> chunks,
                                                      std::span<const SampleRow> rows,
                                                      std::span<const SampleEntry> entries,
                                                      const Ahead &) override {
    ++sampledSteps;
    QRT_ASSIGN_OR_RETURN(StepResult stepped, inside.step(chunks));
    if (stepped.rows != int64_t(rows.size()))
      return internalError("as many rows as logits are wanted");
    const int64_t stride = (vocabSize() + 3) / 4 * 4;
    std::vector<float> logits(size_t(stepped.rows * stride));
    for (int64_t row = 0; row < stepped.rows; ++row)
      std::copy_n(stepped.logits + row * vocabSize(), vocabSize(), logits.data() + row * stride);
    std::vector<uint64_t> scratch(size_t(stepped.rows * cuda::sampleScratchWords(vocabSize())));
    results.assign(rows.size(), {});
    cuda::emulator::Stream stream;
    cuda::Launch launch;
    launch.stream = &stream;
    launch.capability = 80;
    launch.multiprocessors = 1;
    launch.sharedBytesPerBlock = 99 << 10;
    cuda::SampleParams params;
    params.logits = logits.data();
    params.stride = stride;
    params.vocab = vocabSize();
    params.count = stepped.rows;
    params.rows = rows.data();
    params.entries = entries.data();
    params.scratch = scratch.data();
    params.results = results.data();
    if (cuda::launchSample(launch, params) != 0)
      return internalError(stream.error);
    return std::span<const SampleResult>(results);
  }

  int64_t logitSteps = 0, sampledSteps = 0;

private:
  Engine &inside;
  std::vector<SampleResult> results;
};

} // namespace qrt::test

#endif // QRT_TEST_SAMPLINGENGINE_H
