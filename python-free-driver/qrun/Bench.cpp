//===- Bench.cpp - qrun bench: speed beside the limits of the machine ------------------------===//
#include "Command.h"
#include "EngineFlags.h"
#include "Interrupt.h"
#include "Output.h"

#include "Bench/Report.h"

namespace qrt {

namespace {
struct Flags {
  std::string model;
  EngineFlags engine;
  bool json = false, quiet = false;
  bench::BenchOptions options;
  DeviceFlag device;
};
} // namespace

static Status runBenchCommand(Flags &flags) {
  flags.options.engine.kv = flags.engine.resolve().kv;
  flags.device.applyTo(flags.options.engine);
  flags.options.checkpoint = checkInterrupt;
  if (!flags.quiet)
    flags.options.progress = [](const std::string &text) { message("bench: " + text); };
  QRT_ASSIGN_OR_RETURN(const bench::BenchReport report,
                       bench::runBench(flags.model, flags.options));
  return flags.json ? writeJson(bench::toJson(report), 2) : writeOutput(bench::toText(report));
}

void addBench(CLI::App &app, Action &action) {
  auto flags = std::make_shared<Flags>();
  bench::BenchOptions &options = flags->options;
  CLI::App *command =
      app.add_subcommand("bench", "Measure speed and memory beside the limits of the machine");
  command->add_option("MODEL", flags->model, "The .qmod file")->required();
  command->add_option("-t,--threads", options.engine.threads, "Threads (0: all processors)");
  flags->engine.addKvFlags(*command);
  command->add_option("--context", options.contexts, "Contexts of decoding, batch 1")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--batch", options.batches, "Batch sizes of decoding at the first context")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--prefill", options.prefills, "Prompt lengths (0: none)")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--steps", options.decodeSteps, "Decode steps per round")
      ->capture_default_str();
  command->add_option("--rounds", options.rounds, "Rounds; figures are medians of them")
      ->capture_default_str();
  command->add_option("--prompt", options.promptTokens, "Prompt of the time to the first token")
      ->capture_default_str();
  command->add_option("--prefill-chunk", options.engine.prefillChunk, "Most tokens in one run")
      ->capture_default_str();
  flags->device.addTo(*command);
  command->add_flag("--profile", options.engine.profile,
                    "Add where a step's time goes, by instruction");
  command->add_flag("--json", flags->json, "Print JSON");
  command->add_flag("-q,--quiet", flags->quiet, "No progress lines");
  command->callback([&action, flags] { action = [flags] { return runBenchCommand(*flags); }; });
}

} // namespace qrt
