//===- Logits.cpp - qrun logits: the logits of every token of given sequences ----------------===//
// The sequences run as one batch, at most maxBatch at once, so that the command exercises what a
// server does; rows go to their place in the file as they are computed.
#include "Command.h"
#include "EngineFlags.h"
#include "IdsFile.h"
#include "Interrupt.h"
#include "NpyWriter.h"
#include "Output.h"

#include <algorithm>
#include <chrono>

namespace qrt {

namespace {

struct Flags {
  std::string model, ids, output;
  int64_t split = 0;
  EngineFlags engine;
};

constexpr size_t maxBatch = 16;

/// One sequence on its way through the engine.
struct Progress {
  int seq;
  std::span<const int32_t> ids;
  int64_t firstRow;   ///< row of its first token in the file
  int64_t prefillEnd; ///< tokens before this one go in chunks, the others one by one
  int64_t next = 0;

  bool done() const { return next == int64_t(ids.size()); }
};

class LogitsRun {
public:
  LogitsRun(Engine &engine, const EngineOptions &options, int64_t split, NpyWriter &file)
      : engine(engine), chunk(options.prefillChunk), split(split), file(file) {}

  Status run(std::span<const std::vector<int32_t>> sequences) {
    size_t waiting = 0;
    int64_t row = 0;
    while (waiting < sequences.size() || !active.empty()) {
      QRT_RETURN_IF_ERROR(checkInterrupt());
      for (; waiting < sequences.size() && active.size() < maxBatch; ++waiting) {
        const auto length = int64_t(sequences[waiting].size());
        QRT_ASSIGN_OR_RETURN(int seq, engine.addSequence());
        active.push_back({seq, sequences[waiting], row, std::max<int64_t>(0, length - split)});
        row += length;
      }
      QRT_RETURN_IF_ERROR(step());
    }
    return Status::ok();
  }

private:
  /// Advances as many sequences as fit into one chunk, the oldest first.
  Status step() {
    std::vector<Engine::Chunk> chunks;
    int64_t room = chunk;
    for (const Progress &p : active) {
      if (room == 0)
        break;
      int64_t take = p.next < p.prefillEnd ? std::min(room, p.prefillEnd - p.next) : 1;
      chunks.push_back({p.seq, p.ids.subspan(size_t(p.next), size_t(take)), Engine::Logits::All});
      room -= take;
    }
    QRT_ASSIGN_OR_RETURN(Engine::StepResult result, engine.step(chunks));
    const float *rows = result.logits;
    const int64_t vocab = engine.vocabSize();
    for (size_t i = 0; i < chunks.size(); ++i) {
      Progress &p = active[i];
      const auto tokens = int64_t(chunks[i].tokens.size());
      QRT_RETURN_IF_ERROR(
          file.writeAt((p.firstRow + p.next) * vocab, {rows, size_t(tokens * vocab)}));
      rows += tokens * vocab;
      p.next += tokens;
      if (p.done())
        engine.release(p.seq);
    }
    std::erase_if(active, [](const Progress &p) { return p.done(); });
    return Status::ok();
  }

  Engine &engine;
  int64_t chunk, split;
  NpyWriter &file;
  std::vector<Progress> active;
};

Status logits(const Flags &flags) {
  QRT_ASSIGN_OR_RETURN(auto model, Model::load(flags.model));
  QRT_ASSIGN_OR_RETURN(auto sequences, readIdsFile(flags.ids, model->program().vocabSize));
  EngineOptions options = flags.engine.resolve();
  QRT_ASSIGN_OR_RETURN(auto engine, Engine::create(model, options));
  int64_t rows = 0;
  for (size_t i = 0; i < sequences.size(); ++i) {
    const auto length = int64_t(sequences[i].size());
    if (engine->maxContext() > 0 && length > engine->maxContext())
      return invalidArgument(flags.ids + ": list " + std::to_string(i) + " has " +
                             std::to_string(length) + " tokens, more than the context of " +
                             std::to_string(engine->maxContext()));
    rows += length;
  }
  const int64_t shape[] = {rows, engine->vocabSize()};
  QRT_ASSIGN_OR_RETURN(NpyWriter file, NpyWriter::create(flags.output, shape));
  auto start = std::chrono::steady_clock::now();
  QRT_RETURN_IF_ERROR(LogitsRun(*engine, options, flags.split, file).run(sequences));
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  QRT_RETURN_IF_ERROR(file.commit());
  OrderedJson result;
  result["output"] = flags.output;
  result["shape"] = shape;
  result["sequences"] = sequences.size();
  result["seconds"] = seconds.count();
  return writeJson(result);
}

} // namespace

void addLogits(CLI::App &app, Action &action) {
  auto flags = std::make_shared<Flags>();
  CLI::App *command =
      app.add_subcommand("logits", "Write the logits of every token of given sequences");
  command->add_option("MODEL", flags->model, "The .qmod file")->required();
  command->add_option("--ids", flags->ids, "JSON file: [[int, ...], ...]")->required();
  command
      ->add_option("-o,--output", flags->output,
                   "The .npy file: float32 [sum of lengths, vocabulary], rows in order")
      ->required();
  command
      ->add_option("--split", flags->split,
                   "The last K tokens of each sequence go one by one through the KV cache")
      ->check(CLI::Range(int64_t(0), int64_t(INT32_MAX)))
      ->capture_default_str();
  flags->engine.addTo(*command);
  command->callback([&action, flags] { action = [flags] { return logits(*flags); }; });
}

} // namespace qrt
