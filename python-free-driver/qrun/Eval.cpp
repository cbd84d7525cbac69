//===- Eval.cpp - qrun eval: what a model lost against a reference
//-------------------------------===//
// With --ids: the teacher-forced comparison of Eval/TeacherForced.h. With --tasks: both models
// solve problems, Eval/TaskEval.h; the controls act on the model, not on the reference.
#include "Command.h"
#include "ControlFlags.h"
#include "EngineFlags.h"
#include "EvalJson.h"
#include "EvalTasks.h"
#include "GenerationSummary.h"
#include "Interrupt.h"
#include "Output.h"

#include "Eval/TeacherForced.h"
#include "Eval/TokenRows.h"
#include "qrt/Engine.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <unistd.h>

namespace qrt {
namespace {

struct Flags {
  std::string model, reference, ids, mask, tasks;
  int seeds = 3, batch = 32;
  int64_t limit = -1;
  bool json = false;
  ControlFlags controls;
  EngineFlags engine;
};

Status evalIds(const Flags &flags) {
  QRT_ASSIGN_OR_RETURN(auto reference, Model::load(flags.reference));
  QRT_ASSIGN_OR_RETURN(auto model, Model::load(flags.model));
  const int32_t vocab = int32_t(reference->program().vocabSize);
  QRT_ASSIGN_OR_RETURN(auto rows, readTokenRows(flags.ids, flags.mask, vocab));
  EngineOptions options = flags.engine.resolve();
  // The logits of a chunk, of both models, are in memory at once.
  options.prefillChunk = std::min(options.prefillChunk, teacherForcedChunk(vocab));
  EngineOptions referenceOptions = options;
  referenceOptions.kv = {}; // as its file says: flags of the cache are about the model
  QRT_ASSIGN_OR_RETURN(auto referenceEngine, Engine::create(reference, referenceOptions));
  QRT_ASSIGN_OR_RETURN(auto modelEngine, Engine::create(model, options));
  QRT_ASSIGN_OR_RETURN(ModelTexts texts, ModelTexts::fromModel(*reference));
  AuditTokens audit = auditTokens(texts);
  const bool terminal = isatty(STDERR_FILENO);
  auto progress = [&](int64_t tokens) {
    if (terminal)
      std::fprintf(stderr, "\rqrun: %lld tokens", static_cast<long long>(tokens));
    return checkInterrupt();
  };
  QRT_ASSIGN_OR_RETURN(Comparison comparison,
                       compareTeacherForced(*referenceEngine, *modelEngine, rows, audit,
                                            options.prefillChunk, options.threads, progress));
  if (terminal)
    std::fprintf(stderr, "\r\033[K");
  for (const AuditEntry &entry : comparison.audit)
    if (entry.collapsed)
      message("warning: the probability of " + entry.name + " collapsed against the reference");
  OrderedJson json = comparisonJson(comparison, texts);
  return writeJson(json, flags.json ? -1 : 2);
}

/// One arm: loads, solves, and lets the model go again.
Result<ArmResult> solve(const Flags &flags, const std::string &path, const std::vector<Task> &tasks,
                        bool controlled) {
  QRT_ASSIGN_OR_RETURN(auto model, Model::load(path));
  QRT_ASSIGN_OR_RETURN(ModelTexts texts, ModelTexts::fromModel(*model));
  TaskRun run;
  QRT_RETURN_IF_ERROR(flags.controls.applyTo(run.settings, texts));
  if (!controlled) {
    // The reference shares temperature, truncation and what ends a text, but none of what repairs
    // the model.
    run.settings.reasoning = {};
    SamplingOptions plain = texts.samplingDefaults;
    const SamplingOptions &given = run.settings.sampling;
    plain.temperature = given.temperature;
    plain.topK = given.topK;
    plain.topP = given.topP;
    plain.minP = given.minP;
    plain.seed = given.seed;
    run.settings.sampling = plain;
  }
  EngineOptions options = flags.engine.resolve();
  options.alternateWeights = run.settings.reasoning.usesSecondSet();
  if (!controlled)
    options.kv = {}; // as its file says: flags of the cache are about the model
  QRT_ASSIGN_OR_RETURN(auto engine, Engine::create(model, options));
  run.seeds = flags.seeds;
  run.generator.maxBatch = flags.batch;
  run.generator.prefillChunk = options.prefillChunk;
  run.firstSeed = flags.controls.sampling.seed.value_or(run.firstSeed);
  std::atomic<bool> cancel = false;
  run.generator.cancel = &cancel;
  int64_t counter = 0;
  run.settings.onToken = [&](const TokenEvent &) {
    if (++counter % 64 == 0 && interruptRequested())
      cancel = true;
    return true;
  };
  auto arm = runTasks(*engine, texts, tasks, run);
  QRT_RETURN_IF_ERROR(checkInterrupt());
  return arm;
}

Status evalTasks(const Flags &flags) {
  QRT_ASSIGN_OR_RETURN(auto tasks, readTasks(flags.tasks, flags.limit));
  auto reference = solve(flags, flags.reference, tasks, false);
  if (!reference)
    return reference.status().withContext("reference");
  QRT_ASSIGN_OR_RETURN(ArmResult model, solve(flags, flags.model, tasks, true));
  OrderedJson json = tasksJson(summarizeArm(*reference), summarizeArm(model),
                               compareArms(tasks, *reference, model));
  json["tasks"] = tasks.size();
  json["seeds"] = flags.seeds;
  json["max_tokens"] = flags.controls.sampling.maxTokens;
  if (!model.penalised.markers.empty())
    json["markers"] = markersJson(model.penalised);
  return writeJson(json, flags.json ? -1 : 2);
}

Status eval(const Flags &flags) {
  if (flags.ids.empty() == flags.tasks.empty())
    return invalidArgument("give either --ids or --tasks");
  if (!flags.mask.empty() && flags.ids.empty())
    return invalidArgument("--mask needs --ids");
  return flags.tasks.empty() ? evalIds(flags) : evalTasks(flags);
}

} // namespace

void addEval(CLI::App &app, Action &action) {
  auto flags = std::make_shared<Flags>();
  CLI::App *command = app.add_subcommand("eval", "Compare a model with a reference");
  command->add_option("MODEL", flags->model, "The .qmod file to judge")->required();
  command->add_option("--reference", flags->reference, "The .qmod file it is compared with")
      ->required();
  command->add_option("--ids", flags->ids,
                      "Token ids: .npy integers [sequences, length] or .json [[int, ...], ...]");
  command->add_option("--mask", flags->mask,
                      "A .npy of the same shape: non-zero where a token's prediction counts");
  command->add_option("--tasks", flags->tasks, "Problems: one JSON object a line");
  command->add_option("--limit", flags->limit, "Only the first problems");
  command->add_option("--seeds", flags->seeds, "Texts per problem")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--batch", flags->batch, "Texts at once")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "One line of JSON instead of indented lines");
  flags->controls.sampling.maxTokens = 512;
  flags->controls.addTo(*command);
  flags->engine.addTo(*command);
  // With --ids nothing is generated, so flags of generation would be ignored.
  command->callback([&action, flags, command] {
    action = [flags, command]() -> Status {
      if (flags->tasks.empty())
        for (const CLI::Option *option : command->get_options())
          if (option->count() > 0 &&
              (option->get_group() == samplingFlagGroup ||
               option->get_group() == reasoningFlagGroup || option->check_lname("seeds") ||
               option->check_lname("limit") || option->check_lname("batch")))
            return invalidArgument(option->get_name() + " needs --tasks");
      return eval(*flags);
    };
  });
}

} // namespace qrt
