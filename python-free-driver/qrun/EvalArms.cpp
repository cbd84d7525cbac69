//===- EvalArms.cpp - Models on tasks with the flags of qrun eval ----------------------------===//
#include "EvalArms.h"

#include "Interrupt.h"

#include "kernels/cpu/Isa.h"

#include <algorithm>
#include <atomic>

namespace qrt {

Result<ArmFlags> parseArm(const std::string &text, const ControlFlags &base) {
  const size_t equal = text.find('=');
  ArmFlags arm{text.substr(0, equal), {}, base};
  arm.flags = equal == std::string::npos ? "--preset " + arm.name : text.substr(equal + 1);
  if (arm.name.empty() || arm.name == "reference" || arm.name == "model")
    return invalidArgument("--arm " + text +
                           ": expects PRESET or NAME=FLAGS, with a name other than reference "
                           "and model");
  CLI::App app;
  app.set_help_flag();
  arm.controls.addTo(app);
  try {
    // As CLI::App::parse of a text, which forgets quoted texts that are empty.
    std::vector<std::string> words = CLI::detail::split_up(
        CLI::detail::find_and_modify(arm.flags, "=", CLI::detail::escape_detect));
    std::reverse(words.begin(), words.end());
    app.parse(std::move(words));
  } catch (const CLI::ParseError &error) {
    return invalidArgument("--arm " + arm.name + ": " + error.what());
  }
  return arm;
}

Result<ArmRunner> ArmRunner::create(const std::string &path, const EvalSettings &settings,
                                    Role role) {
  ArmRunner runner;
  runner.role = role;
  runner.path = path;
  runner.settings = settings;
  runner.engineOptions = settings.engine.resolve();
  if (role == Role::Reference)
    runner.engineOptions.kv = {};
  QRT_ASSIGN_OR_RETURN(runner.theModel, Model::load(path));
  QRT_ASSIGN_OR_RETURN(runner.modelTexts, ModelTexts::fromModel(*runner.theModel));
  QRT_ASSIGN_OR_RETURN(runner.theEngine, Engine::create(runner.theModel, runner.engineOptions));
  return runner;
}

Status ArmRunner::prepare(const ReasoningOptions &reasoning) {
  if (!reasoning.usesSecondSet() || theEngine->alternateWeights())
    return Status::ok();
  EngineOptions options = engineOptions;
  options.alternateWeights = true;
  QRT_ASSIGN_OR_RETURN(theEngine, Engine::create(theModel, options));
  return Status::ok();
}

Status ArmRunner::canAct(const ControlFlags &controls) {
  GenerationRequest request;
  QRT_RETURN_IF_ERROR(controls.applyTo(request, modelTexts));
  QRT_RETURN_IF_ERROR(prepare(request.reasoning));
  return Generator(*theEngine, modelTexts).reasoningPlan(request.reasoning).status();
}

Result<ArmResult> ArmRunner::run(const std::vector<Task> &tasks, const ControlFlags &controls,
                                 const std::string &flags) {
  GenerationRequest request;
  QRT_RETURN_IF_ERROR(controls.applyTo(request, modelTexts));
  return runOrFind(tasks, std::move(request), controls.sampling.seed, flags);
}

Result<ArmResult> ArmRunner::runOrFind(const std::vector<Task> &tasks, GenerationRequest request,
                                       std::optional<uint64_t> firstSeed,
                                       const std::string &flags) {
  if (settings.workDirectory.empty())
    return run(tasks, std::move(request), firstSeed);
  QRT_ASSIGN_OR_RETURN(const KeptArms kept, KeptArms::open(settings.workDirectory));
  QRT_ASSIGN_OR_RETURN(std::string program, fileDigest("/proc/self/exe"));
  QRT_ASSIGN_OR_RETURN(std::string file, fileDigest(path));
  const OrderedJson key{{"program", program},
                        {"isa", std::string(kernels::isaName(kernels::activeIsa()))},
                        {"model", file},
                        {"reference", role == Role::Reference},
                        {"tasks", tasksDigest(tasks)},
                        {"seeds", settings.seeds},
                        {"given", settings.given},
                        {"flags", flags}};
  if (auto found = kept.find(key)) {
    QRT_RETURN_IF_ERROR(prepare(request.reasoning));
    QRT_ASSIGN_OR_RETURN(auto plan,
                         Generator(*theEngine, modelTexts).reasoningPlan(request.reasoning));
    found->penalised = plan->markers;
    return std::move(*found);
  }
  QRT_ASSIGN_OR_RETURN(ArmResult arm, run(tasks, std::move(request), firstSeed));
  QRT_RETURN_IF_ERROR(kept.keep(key, arm));
  return arm;
}

Result<ArmResult> ArmRunner::runAsReference(const std::vector<Task> &tasks,
                                            const ControlFlags &controls) {
  GenerationRequest request;
  QRT_RETURN_IF_ERROR(controls.applyTo(request, modelTexts));
  request.reasoning = {};
  SamplingOptions plain = modelTexts.samplingDefaults;
  const SamplingOptions &given = request.sampling;
  plain.temperature = given.temperature;
  plain.topK = given.topK;
  plain.topP = given.topP;
  plain.minP = given.minP;
  plain.seed = given.seed;
  request.sampling = plain;
  return runOrFind(tasks, std::move(request), controls.sampling.seed, "");
}

Result<ArmResult> ArmRunner::run(const std::vector<Task> &tasks, GenerationRequest request,
                                 std::optional<uint64_t> firstSeed) {
  QRT_RETURN_IF_ERROR(prepare(request.reasoning));
  TaskRun run;
  run.seeds = settings.seeds;
  run.settings = std::move(request);
  run.generator.maxBatch = settings.batch;
  run.generator.prefillChunk = settings.engine.options.prefillChunk;
  run.firstSeed = firstSeed.value_or(run.firstSeed);
  std::atomic<bool> cancel = false;
  run.generator.cancel = &cancel;
  int64_t counter = 0;
  run.settings.onToken = [&](const TokenEvent &) {
    if (++counter % 64 == 0 && interruptRequested())
      cancel = true;
    return true;
  };
  auto arm = runTasks(*theEngine, modelTexts, tasks, run);
  QRT_RETURN_IF_ERROR(checkInterrupt());
  return arm;
}

} // namespace qrt
