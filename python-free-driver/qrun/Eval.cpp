//===- Eval.cpp - qrun eval: what a model lost against a reference ---------------------------===//
// With --tasks both models solve problems (Eval/TaskEval.h); the controls act on the model, not on
// the reference, and --arm compares further controls with them. The teacher-forced comparison
// (Eval/TeacherForced.h) reads the texts of --ids, without them the reference's own traces. --also
// does all of it with further files, against the one run of the reference.
#include "Command.h"
#include "EvalArms.h"
#include "EvalGate.h"
#include "EvalJson.h"
#include "EvalPage.h"
#include "EvalTable.h"
#include "EvalTasks.h"
#include "GenerationSummary.h"
#include "Interrupt.h"
#include "Output.h"

#include "Eval/TeacherForced.h"
#include "Reasoning/Presets.h"

#include <cstdio>
#include <unistd.h>

namespace qrt {
namespace {

struct Flags {
  std::string model, reference, ids, mask, tasks, gate, html, compileReport;
  std::vector<std::string> arms, also;
  int64_t limit = -1;
  bool json = false, comparePresets = false;
  EvalSettings settings;
  ControlFlags controls;
};

class Evaluation {
public:
  Evaluation(const Flags &flags, ArmRunner &reference, ArmRunner &model)
      : flags(flags), reference(reference), model(model) {}

  /// The texts of --ids, if they are given.
  Status readTexts();
  /// Both models on the tasks, and the model under the controls of `arms`.
  Status solveTasks(std::vector<ArmFlags> arms);
  /// Both models on the texts of --ids, or on the reference's traces.
  Status compareTexts();
  /// A further file on the same tasks and texts.
  Status judgeAlso(const std::string &path);

  OrderedJson json;
  GateFigures figures;
  EvalPage page;

private:
  Result<Comparison> compare(ArmRunner &judged);
  OrderedJson entryOf(const std::string &name, const std::string &how, const ArmResult &arm);

  const Flags &flags;
  ArmRunner &reference, &model;
  std::vector<Task> tasks;
  ArmResult base, main; ///< of the reference and of the model
  std::vector<TokenRow> rows;
};

Status Evaluation::readTexts() {
  if (flags.ids.empty())
    return Status::ok();
  QRT_ASSIGN_OR_RETURN(rows, readTokenRows(flags.ids, flags.mask, reference.engine().vocabSize()));
  return Status::ok();
}

Status Evaluation::solveTasks(std::vector<ArmFlags> arms) {
  QRT_ASSIGN_OR_RETURN(tasks, readTasks(flags.tasks, flags.limit));
  auto solvedBase = reference.runAsReference(tasks, flags.controls);
  if (!solvedBase)
    return solvedBase.status().withContext("reference");
  base = solvedBase.takeValue();
  auto solved = model.run(tasks, flags.controls);
  if (!solved)
    return solved.status().withContext("model");
  main = solved.takeValue();
  const Inflation inflation = compareArms(tasks, base, main);
  const ArmSummary summary = summarizeArm(main);
  json = tasksJson(summarizeArm(base), summary, inflation);
  addFigures(summary, inflation, figures);
  for (const ArmFlags &arm : arms) {
    auto result = model.run(tasks, arm.controls, arm.flags);
    if (!result)
      return result.status().withContext("--arm " + arm.name);
    json["comparison"].push_back(entryOf(arm.name, arm.flags, *result));
  }
  json["tasks"] = tasks.size();
  json["seeds"] = flags.settings.seeds;
  json["max_tokens"] = flags.controls.sampling.maxTokens;
  if (!main.penalised.markers.empty())
    json["markers"] = markersJson(main.penalised);
  page.addTasks(tasks, base, main);
  return Status::ok();
}

OrderedJson Evaluation::entryOf(const std::string &name, const std::string &how,
                                const ArmResult &arm) {
  const Inflation inflation = compareArms(tasks, base, arm);
  OrderedJson entry{{"name", name}, {"flags", how}};
  entry.update(armJson(summarizeArm(arm)));
  entry["ctir_a"] = intervalJson(inflation.a);
  entry["ctir_b"] = intervalJson(inflation.b);
  entry["ctir_c"] = intervalJson(inflation.c);
  entry["effective_speed"] = inflation.effectiveSpeed;
  addContrast(contrastArms(main, arm), entry);
  return entry;
}

Status Evaluation::compareTexts() {
  if (flags.ids.empty())
    rows = std::move(base.texts);
  QRT_ASSIGN_OR_RETURN(Comparison comparison, compare(model));
  for (const AuditEntry &entry : comparison.audit)
    if (entry.collapsed)
      message("warning: the probability of " + entry.name + " collapsed against the reference");
  addFigures(comparison, figures);
  page.addPositions(comparison);
  OrderedJson distances = comparisonJson(comparison, reference.texts());
  if (flags.tasks.empty()) {
    json = std::move(distances);
  } else {
    json["teacher_forced"] = std::move(distances);
    json["teacher_forced"]["text"] = flags.ids.empty() ? "traces of the reference" : flags.ids;
  }
  return Status::ok();
}

Status Evaluation::judgeAlso(const std::string &path) {
  QRT_ASSIGN_OR_RETURN(ArmRunner other,
                       ArmRunner::create(path, flags.settings, ArmRunner::Role::Judged));
  auto result = other.run(tasks, flags.controls);
  if (!result)
    return result.status().withContext(path);
  QRT_ASSIGN_OR_RETURN(Comparison comparison, compare(other));
  OrderedJson entry = entryOf(path, "--also", *result);
  entry["teacher_forced"] = comparisonJson(comparison, reference.texts());
  json["comparison"].push_back(std::move(entry));
  return Status::ok();
}

Result<Comparison> Evaluation::compare(ArmRunner &judged) {
  const bool terminal = isatty(STDERR_FILENO);
  auto progress = [&](int64_t tokens) {
    if (terminal)
      std::fprintf(stderr, "\rqrun: %lld tokens", static_cast<long long>(tokens));
    return checkInterrupt();
  };
  auto comparison = compareTeacherForced(reference.engine(), judged.engine(), rows,
                                         auditTokens(reference.texts()),
                                         teacherForcedChunk(reference.engine().vocabSize()),
                                         flags.settings.engine.options.threads, progress);
  if (terminal)
    std::fprintf(stderr, "\r\033[K");
  return comparison;
}

/// The further arms; found out now, not after an hour, that one of them cannot act.
Result<std::vector<ArmFlags>> readArms(const Flags &flags, ArmRunner &model) {
  std::vector<ArmFlags> arms;
  if (flags.comparePresets)
    for (std::string_view preset : presetNames()) {
      QRT_ASSIGN_OR_RETURN(ArmFlags arm, parseArm(std::string(preset), flags.controls));
      if (Status status = model.canAct(arm.controls); status)
        arms.push_back(std::move(arm));
      else
        message("--compare-presets leaves out " + arm.name + ": " + status.message());
    }
  for (const std::string &text : flags.arms) {
    QRT_ASSIGN_OR_RETURN(ArmFlags arm, parseArm(text, flags.controls));
    QRT_RETURN_IF_ERROR(model.canAct(arm.controls).withContext("--arm " + arm.name));
    arms.push_back(std::move(arm));
  }
  return arms;
}

/// Flags beside those of sampling and reasoning that decide what a model writes.
bool decidesText(const CLI::Option &option) {
  for (const char *name : {"device", "kv-type", "ctk", "ctv", "kv-sink", "kv-window", "ctx"})
    if (option.check_lname(name))
      return true;
  return false;
}

Status eval(const Flags &flags) {
  if (flags.ids.empty() && flags.tasks.empty())
    return invalidArgument("give --ids, --tasks or both");
  if (!flags.mask.empty() && flags.ids.empty())
    return invalidArgument("--mask needs --ids");
  if (!flags.compileReport.empty() && flags.html.empty())
    return invalidArgument("--compile-report has no effect without --html");
  QualityGate gate;
  if (!flags.gate.empty()) {
    QRT_ASSIGN_OR_RETURN(gate, parseEvalGate(flags.gate));
    if (boundsTasks(gate) && flags.tasks.empty())
      return invalidArgument("--gate " + flags.gate + ": a bound of it needs --tasks");
  }
  QRT_ASSIGN_OR_RETURN(ArmRunner reference, ArmRunner::create(flags.reference, flags.settings,
                                                              ArmRunner::Role::Reference));
  QRT_ASSIGN_OR_RETURN(ArmRunner model,
                       ArmRunner::create(flags.model, flags.settings, ArmRunner::Role::Judged));
  Evaluation evaluation(flags, reference, model);
  if (!flags.compileReport.empty())
    QRT_RETURN_IF_ERROR(evaluation.page.readCompileReport(flags.compileReport));
  QRT_ASSIGN_OR_RETURN(auto arms, readArms(flags, model));
  QRT_RETURN_IF_ERROR(evaluation.readTexts());
  if (!flags.tasks.empty())
    QRT_RETURN_IF_ERROR(evaluation.solveTasks(std::move(arms)));
  QRT_RETURN_IF_ERROR(evaluation.compareTexts());
  for (const std::string &path : flags.also)
    QRT_RETURN_IF_ERROR(evaluation.judgeAlso(path));

  OrderedJson &json = evaluation.json;
  const Status kept = gate.check(evaluation.figures);
  if (gate.isSet())
    json["gate"] = {{"bounds", flags.gate}, {"passed", kept.isOk()}};
  if (!flags.html.empty()) {
    evaluation.page.addModels(flags.model, flags.reference, model.model());
    QRT_RETURN_IF_ERROR(evaluation.page.write(flags.html, json));
  }
  if (!flags.tasks.empty())
    printArmTable(json, stderr);
  QRT_RETURN_IF_ERROR(writeJson(json, flags.json ? -1 : 2));
  return kept;
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
  command->add_option("--seeds", flags->settings.seeds, "Texts per problem")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--batch", flags->settings.batch, "Texts at once")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command
      ->add_option("--arm", flags->arms,
                   "Also solve under these controls: PRESET, or NAME=FLAGS as in "
                   "\"mild=--marker-penalty 0.5\"; repeatable")
      ->allow_extra_args(false);
  command->add_flag("--compare-presets", flags->comparePresets, "One --arm per preset");
  command->add_option("--also", flags->also, "Also judge this .qmod file; repeatable")
      ->allow_extra_args(false);
  command->add_option("--gate", flags->gate,
                      "Bounds as in kl<=0.02,top1>=0.97,accuracy>=0.9,ctir_a<=1.1; exit code 8 "
                      "where one is not kept");
  command->add_option("--html", flags->html, "Write one page with plots");
  command->add_option("--compile-report", flags->compileReport,
                      "Errors of layers for --html, from qopt --report");
  command->add_option("--work-dir", flags->settings.workDirectory,
                      "Keep what each arm wrote in this folder, and take what is there already");
  command->add_flag("--json", flags->json, "One line of JSON instead of indented lines");
  flags->controls.sampling.maxTokens = 512;
  flags->controls.addTo(*command);
  flags->settings.engine.addTo(*command);
  // With --ids nothing is generated, so flags of generation would be ignored.
  command->callback([&action, flags, command] {
    // The command is gone when the action runs.
    std::string stray;
    if (flags->tasks.empty())
      for (const CLI::Option *option : command->get_options())
        if (stray.empty() && option->count() > 0 &&
            (option->get_group() == samplingFlagGroup ||
             option->get_group() == reasoningFlagGroup || option->check_lname("seeds") ||
             option->check_lname("limit") || option->check_lname("arm") ||
             option->check_lname("compare-presets") || option->check_lname("also") ||
             option->check_lname("batch") || option->check_lname("work-dir")))
          stray = option->get_name();
    // All but where results go and what has no effect on them.
    for (const CLI::Option *option : command->get_options())
      if (option->count() > 0 &&
          (option->get_group() == samplingFlagGroup || option->get_group() == reasoningFlagGroup ||
           decidesText(*option)))
        for (const std::string &value : option->results())
          flags->settings.given.push_back(option->get_single_name() + "=" + value);
    action = [flags, stray]() -> Status {
      if (!stray.empty())
        return invalidArgument(stray + " needs --tasks");
      return eval(*flags);
    };
  });
}

} // namespace qrt
