//===- CudaEngine.h - Executes raised programs on a CUDA device ------------------------------===//
// The contract of qrt/Engine.h. All device memory is taken when the engine is made: weights, arenas
// for `prefillChunk` tokens, and blocks of the KV cache from what is left (EngineOptions::maxMemory
// limits arenas and cache together). A step in which every sequence has one token and wants its
// logits is one CUDA graph, one per number of sequences (rounded up to a power of two) and of
// context; the first step of each kind runs eagerly, which loads the kernels, the second is
// captured. Other steps run eagerly in chunks, and the host waits for them.
//
// A decode step that chooses tokens is not waited for: the sampler writes them to pinned memory and
// as input of the step behind, which is launched first if the caller said what it will be
// (Engine::Ahead). So one step is always queued while the host looks at the tokens of the one
// before. A step launched ahead counts once it is asked for; until then the sequences' lengths are
// as if it did not exist, and whatever it wrote to the cache lies behind them and is overwritten,
// in the order of the stream, by the step that is asked for instead.
//
// A fault that kernels report (values beyond f16 ...) is an error of the step; after a fault of the
// device itself every call is DeviceMissing, "the device is lost".
#ifndef QRT_ENGINE_CUDAENGINE_H
#define QRT_ENGINE_CUDAENGINE_H

#include "Device/CudaDevice.h"
#include "Engine/CudaProgram.h"
#include "Engine/CudaSampling.h"
#include "Engine/CudaStepBuffers.h"
#include "Engine/FloatBuffer.h"
#include "Engine/SequenceEngine.h"
#include "qrt/Engine.h"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace qrt {

/// Tokens in blocks of the device's KV cache.
struct CudaSequence {
  bool inUse = false;
  int64_t length = 0;
  CudaBlocks blocks;
};

class CudaEngine final : public SequenceEngine<CudaSequence> {
public:
  static Result<std::unique_ptr<Engine>> create(std::shared_ptr<const Model> model,
                                                const EngineOptions &options);

  Result<StepResult> step(std::span<const Chunk> chunks) override;
  int64_t maxSampleEntries() const override;
  Result<std::span<const SampleResult>> stepAndSample(std::span<const Chunk> chunks,
                                                      std::span<const SampleRow> rows,
                                                      std::span<const SampleEntry> entries,
                                                      const Ahead &ahead) override;
  bool alternateWeights() const override { return options.alternateWeights; }
  bool worksAhead() const override { return sampling.has_value(); }
  EngineStats stats() const override;

private:
  struct SampleRequest {
    std::span<const SampleRow> rows;
    std::span<const SampleEntry> entries;
    const Ahead &ahead;
  };
  using Sequence = CudaSequence;
  /// A kind of decode step: rows, and tokens of the longest sequence, both rounded up.
  struct DecodeKind {
    int64_t rows, context;
    bool samples, alternate;
    int slot; ///< whose pinned memory it reads and writes
    auto operator<=>(const DecodeKind &) const = default;
  };
  struct DecodeGraph {
    bool ranEagerly = false;
    CudaDevice::Graph graph;
  };
  /// A decode step on its way.
  struct Flight {
    DecodeKind kind = {};
    std::vector<int> seqs;
    std::vector<int64_t> lengths; ///< before it
    std::vector<int32_t> fed;     ///< its tokens; empty until they are known
    std::vector<SampleRow> rows;  ///< of a step launched ahead
    std::vector<SampleEntry> entries;
  };

  CudaEngine(std::shared_ptr<const Model> model, const EngineOptions &options)
      : SequenceEngine(std::move(model), options), hostBudget(0) {}
  Status open();
  Status allocate();
  /// Blocks of one kind that no sequence has, and how many there are in all.
  struct KvBlocks {
    int64_t total = 0;
    std::vector<int32_t> free;
    CudaDevice::Memory memory;
  };
  /// How many KV blocks to take of `freeBytes`.
  Status planBlocks(int64_t freeBytes, int64_t totalBytes);
  Status allocateBlocks(KvBlocks &kind, int64_t bytesOfBlock);
  /// Precise blocks that a sequence has between steps, and for a step of `rows` tokens.
  int64_t preciseBlocksOf(int64_t rows) const;
  /// Makes precise blocks for tokens [position, position + tokens) before they are written.
  Status growPrecise(Sequence &sequence, int64_t position, int64_t tokens);
  /// Gives those back that no query behind `length` - kvRollBack tokens reads.
  void releasePrecise(Sequence &sequence, int64_t length);
  void dropPrecise(Sequence &sequence, size_t block);
  Status grow(Sequence &sequence, int64_t tokens) override;
  void shrink(Sequence &sequence, int64_t tokens) override;
  void willCut(int seq) override;
  bool isDecode(std::span<const Chunk> chunks) const;
  /// Steps; with `samples` the result has no logits, and `sampled` holds a result per wanted row.
  Result<StepResult> stepChecked(std::span<const Chunk> chunks, const SampleRequest *samples);
  /// The same without the lengths; of chunks of one weight set, or of both, one set after the
  /// other.
  Result<StepResult> run(std::span<const Chunk> chunks, const SampleRequest *samples);
  Result<StepResult> runBothSets(std::span<const Chunk> chunks, const SampleRequest *samples);
  Result<StepResult> decode(std::span<const Chunk> chunks, const SampleRequest *samples);
  Status decodeAndSample(std::span<const Chunk> chunks, const SampleRequest &samples);
  Flight flightOf(std::span<const Chunk> chunks) const;
  /// Launches a decode step of the flight's sequences, after `fed` or what the step before chose.
  Status launchDecode(Flight &flight, std::span<const SampleRow> rows,
                      std::span<const SampleEntry> entries, bool samples);
  Status enqueueDecode(const CudaRun &run, const DecodeKind &kind);
  /// Launches the step behind `current` if there is room for it.
  Status launchAhead(const Flight &current, const Ahead &wanted);
  /// The step that was launched ahead is the one that is asked for.
  bool isAhead(std::span<const Chunk> chunks, const SampleRequest &samples) const;
  /// Forgets the step that was launched ahead, if there is one (CudaEngine.h).
  Status dropAhead();
  /// The results of the last step in the slot are there.
  Status waitFor(int slot);
  /// The slot that no unfinished step uses.
  int freeSlot() const { return 1 - lastSlot; }
  Result<StepResult> prefill(std::span<const Chunk> chunks, const SampleRequest *samples);
  /// Runs what is in the prefill buffers and appends the wanted logits to `collected`, or the
  /// choices to `sampled`.
  Status runPrefill(const CudaRun &run, const SampleRequest *samples, int64_t &rowsDone);
  Status copyLogits(int64_t firstRow, int64_t rows);
  void unpadLogits(int64_t rows, float *to) const;
  Status copyFaults();
  Status finish();
  Status checkFaults(uint32_t found);

  std::unique_ptr<CudaDevice> device; // outlives everything below
  std::optional<CudaProgram> program;
  std::optional<CudaStepBuffers> decodeBuffers[CudaSampling::slotCount], prefillBuffers;
  std::optional<CudaSampling> sampling; ///< none: the library has no sampler
  std::vector<SampleResult> sampled;
  CudaDevice::Memory faults;
  CudaDevice::Pinned hostLogits, hostFaults;
  std::map<DecodeKind, DecodeGraph> graphs;
  std::optional<Flight> ahead; ///< launched, not asked for yet
  int lastSlot = 1;            ///< of the last decode step that was launched
  int64_t contextBound = 0;    ///< what tables and blocks allow
  KvSpec kv;
  KvBlocks storedBlocks, preciseBlocks;
  MemoryBudget hostBudget;
  FloatBuffer collected, merged;
  int64_t stepsAhead = 0, stepsInVain = 0;
};

} // namespace qrt

#endif // QRT_ENGINE_CUDAENGINE_H
