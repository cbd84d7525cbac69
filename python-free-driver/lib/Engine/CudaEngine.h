//===- CudaEngine.h - Executes raised programs on a CUDA device ------------------------------===//
// The contract of qrt/Engine.h. All device memory is taken when the engine is made: weights, arenas
// for `prefillChunk` tokens, and blocks of the KV cache from what is left (EngineOptions::maxMemory
// limits arenas and cache together). A step in which every sequence has one token and wants its
// logits is one CUDA graph, one per number of sequences (rounded up to a power of two) and of
// context; the first step of each kind runs eagerly, which loads the kernels, the second is
// captured. Other steps run eagerly in chunks. Either way the host waits once, for the logits. A
// fault that kernels report (values beyond f16 ...) is an error of the step; after a fault of the
// device itself every call is DeviceMissing, "the device is lost".
#ifndef QRT_ENGINE_CUDAENGINE_H
#define QRT_ENGINE_CUDAENGINE_H

#include "Device/CudaDevice.h"
#include "Engine/CudaProgram.h"
#include "Engine/CudaSampling.h"
#include "Engine/CudaStepBuffers.h"
#include "Engine/FloatBuffer.h"
#include "qrt/Engine.h"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace qrt {

class CudaEngine final : public Engine {
public:
  static Result<std::unique_ptr<Engine>> create(std::shared_ptr<const Model> model,
                                                const EngineOptions &options);

  Result<int> addSequence() override;
  void release(int seq) override;
  Status truncate(int seq, int64_t length) override;
  int64_t length(int seq) const override;
  int32_t vocabSize() const override { return model->program().vocabSize; }
  int64_t maxContext() const override { return contextLimit; }
  Result<StepResult> step(std::span<const Chunk> chunks) override;
  int64_t maxSampleEntries() const override;
  Result<std::span<const SampleResult>>
  stepAndSample(std::span<const Chunk> chunks, std::span<const SampleRow> rows,
                std::span<const SampleEntry> entries) override;
  EngineStats stats() const override;

private:
  struct SampleRequest {
    std::span<const SampleRow> rows;
    std::span<const SampleEntry> entries;
  };
  struct Sequence {
    bool inUse = false;
    int64_t length = 0;
    std::vector<int32_t> blocks;
  };
  /// A kind of decode step: rows, and tokens of the longest sequence, both rounded up.
  struct DecodeKind {
    int64_t rows, context;
    bool samples;
    auto operator<=>(const DecodeKind &) const = default;
  };
  struct DecodeGraph {
    bool ranEagerly = false;
    CudaDevice::Graph graph;
  };

  CudaEngine(std::shared_ptr<const Model> model, const EngineOptions &options)
      : model(std::move(model)), options(options), hostBudget(0) {}
  Status open();
  Status allocate();
  /// How many KV blocks to take of `freeBytes`.
  Result<int64_t> planBlocks(int64_t freeBytes, int64_t totalBytes) const;
  Status grow(Sequence &sequence, int64_t tokens);
  void shrink(Sequence &sequence, int64_t tokens);
  bool isDecode(std::span<const Chunk> chunks) const;
  /// Steps; with `samples` the result has no logits, and `sampled` holds a result per wanted row.
  Result<StepResult> stepChecked(std::span<const Chunk> chunks, const SampleRequest *samples);
  Result<StepResult> decode(std::span<const Chunk> chunks, const SampleRequest *samples);
  Status enqueueDecode(const CudaRun &run, bool samples);
  Result<StepResult> prefill(std::span<const Chunk> chunks, const SampleRequest *samples);
  /// Runs what is in the prefill buffers and appends the wanted logits to `collected`, or the
  /// choices to `sampled`.
  Status runPrefill(const CudaRun &run, const SampleRequest *samples, int64_t &rowsDone);
  Status copyLogits(int64_t firstRow, int64_t rows);
  void unpadLogits(int64_t rows, float *to) const;
  Status copyFaults();
  Status finish();

  std::shared_ptr<const Model> model;
  EngineOptions options;
  std::unique_ptr<CudaDevice> device; // outlives everything below
  std::optional<CudaProgram> program;
  std::optional<CudaStepBuffers> decodeBuffers, prefillBuffers;
  std::optional<CudaSampling> sampling; ///< none: the library has no sampler
  std::vector<SampleResult> sampled;
  CudaDevice::Memory kvPool, faults;
  CudaDevice::Pinned hostLogits, hostFaults;
  std::map<DecodeKind, DecodeGraph> graphs;
  int64_t contextLimit = 0, contextBound = 0; ///< the latter: what tables and blocks allow
  int64_t totalBlocks = 0;
  std::vector<int32_t> freeBlocks;
  std::vector<Sequence> sequences;
  MemoryBudget hostBudget;
  FloatBuffer collected;
  int64_t programRuns = 0, totalTokens = 0;
};

} // namespace qrt

#endif // QRT_ENGINE_CUDAENGINE_H
