//===- qrt/Engine.h - Runs a model on token ids ----------------------------------------------===//
// An engine owns threads, the activation arena and the KV cache of any number of sequences. One
// call of step() advances any set of sequences by any number of tokens each: prefill, decode,
// chunked prefill, unequal batches and draft verification are the same call.
//
//   auto model = Model::load("m.qmod");
//   auto engine = Engine::create(*model, {});
//   int seq = *(*engine)->addSequence();
//   auto out = (*engine)->step({{{seq, promptIds, Engine::Logits::Last}}});
//   out->logits[0 .. vocabSize)
//
// Results: logits do not depend on the number of threads. How a sequence is cut into steps and what
// else is in the batch changes them by f32 rounding only (relative 2e-6 in the tests), with one
// exception that kernels/cpu/linear/linear.h documents: with bf16 weights, 16 rows and more may
// round activations to bf16. With a KV cache of codes, tokens that had left the precise window stay
// codes after a roll-back (KvSpec).
// Memory: KV pages of 64 tokens are allocated as sequences grow and returned to a free list; every
// allocation is checked against EngineOptions::maxMemory and the free memory of the machine first,
// and refused as ResourceExhausted with figures. A step that returns an error leaves every sequence
// at the length it had before.
// Thread safety: one thread at a time per engine.
#ifndef QRT_ENGINE_H
#define QRT_ENGINE_H

#include "Support/SampleRow.h"
#include "qrt/Device.h"
#include "qrt/KvSpec.h"
#include "qrt/Model.h"
#include "qrt/Status.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace qrt {

struct EngineOptions {
  int threads = 0;            ///< 0 = all processors this process may use
  int64_t maxContext = 0;     ///< tokens per sequence; 0 = what the model says, else unlimited
  int64_t prefillChunk = 512; ///< most tokens in one run of the program
  KvOptions kv;               ///< what is not given comes from the model
  int64_t maxMemory = 0;      ///< bytes for arena, workspace and KV together; 0 = what is free
  DeviceRequest device;       ///< Auto: CUDA where model and machine allow it, else the CPU
  /// Told in one line why Auto took the CPU.
  std::function<void(const std::string &)> notice;
  /// Chunks may ask for the second weight set: its bytes then count as needed memory. Without it
  /// the set is never read and costs nothing. InvalidArgument if the model has none.
  bool alternateWeights = false;
  bool profile = false; ///< time instructions; token-major programs on the CPU only
};

struct EngineStats {
  int64_t arenaBytes = 0; ///< activations and workspace
  KvSpec kv;              ///< what the cache stores; f32 for a program without one
  int64_t kvBytes = 0;    ///< KV pages in use and free
  int64_t kvPagesInUse = 0;
  int64_t programRuns = 0;
  int64_t tokens = 0;
  /// Steps of Engine::Ahead that were launched, and those of them that were not asked for after
  /// all.
  int64_t stepsAhead = 0, stepsInVain = 0;
  /// With EngineOptions::profile: seconds since the engine was made, by what was computed ("linear
  /// 1152 x 896": n and k, of several that run as one the sum of n).
  std::map<std::string, double> seconds;
};

class Engine {
public:
  /// InvalidArgument: options; Unsupported: what the program needs and this build lacks, naming
  /// the instruction or the input; ResourceExhausted: the arena does not fit; DeviceMissing: a
  /// device was asked for that cannot be used, with the reason (qrt/Device.h).
  static Result<std::unique_ptr<Engine>> create(std::shared_ptr<const Model> model,
                                                const EngineOptions &options = {});
  virtual ~Engine() = default;

  /// A new empty sequence; numbers are reused after release().
  virtual Result<int> addSequence() = 0;
  virtual void release(int seq) = 0;
  /// Forgets everything behind the first `length` tokens (0 <= length <= length(seq)).
  virtual Status truncate(int seq, int64_t length) = 0;
  /// Tokens in the cache; -1 for a number that is not a sequence.
  virtual int64_t length(int seq) const = 0;
  virtual int32_t vocabSize() const = 0;
  /// EngineOptions::alternateWeights was set, so chunks may ask for the second weight set.
  virtual bool alternateWeights() const { return false; }
  /// Tokens per sequence, 0 = no limit but memory.
  virtual int64_t maxContext() const = 0;

  enum class Logits { None, Last, All };
  struct Chunk {
    int seq;
    std::span<const int32_t> tokens; ///< at least one, each in [0, vocab)
    Logits logits = Logits::Last;
    /// Compute these tokens with the second weight set (Format/AlternateSet.h). The KV cache is the
    /// same, so a sequence may change between sets at any token; sequences of one step may differ,
    /// and get what they would get alone. Fastest where chunks of one set stand together.
    bool alternate = false;
  };
  struct StepResult {
    const float *logits; ///< [rows, vocabSize], valid until the next call
    int64_t rows;        ///< in chunk order: Last gives one row, All one per token
  };
  /// A sequence may occur once per step. InvalidArgument: bad sequence, token or length.
  virtual Result<StepResult> step(std::span<const Chunk> chunks) = 0;

  /// > 0: the engine chooses tokens itself, from rows whose lists have at most so many entries in
  /// all.
  virtual int64_t maxSampleEntries() const { return 0; }
  /// What the next stepAndSample() will ask for, as far as it can be known before the tokens of
  /// this one are: a row for each of this step's, in their order, whose token it will be fed
  /// (SampleRow::carries). Without rows: nothing is known.
  struct Ahead {
    std::span<const SampleRow> rows;
    std::span<const SampleEntry> entries;
  };
  /// The engine can compute the step of an Ahead before it hands over the tokens of this one. It
  /// counts only if the next call asks for exactly that, rows, tokens and sequences; otherwise it
  /// is as if it had never been.
  virtual bool worksAhead() const { return false; }
  /// step(), then the sampler's chain (Sampling/Sampler.h) on the device: one row of `rows` per
  /// chunk with Logits::Last, no chunk with All. One result per row, valid until the next call.
  virtual Result<std::span<const SampleResult>> stepAndSample(std::span<const Chunk> chunks,
                                                              std::span<const SampleRow> rows,
                                                              std::span<const SampleEntry> entries,
                                                              const Ahead &ahead) {
    return unsupported("this engine does not choose tokens");
  }

  Result<std::span<const SampleResult>> stepAndSample(std::span<const Chunk> chunks,
                                                      std::span<const SampleRow> rows,
                                                      std::span<const SampleEntry> entries) {
    return stepAndSample(chunks, rows, entries, Ahead{});
  }

  virtual EngineStats stats() const = 0;
};

} // namespace qrt

#endif // QRT_ENGINE_H
