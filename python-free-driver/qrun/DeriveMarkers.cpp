//===- DeriveMarkers.cpp - qrun derive-markers: a marker table of the model's own ------------===//
// Writes MODEL again with a MARKERS section: the words that it prefers more than its reference does
// (Reasoning/MarkerEvidence.h), found on the reference's own traces of --tasks or on the texts of
// --ids, and the strength at which it writes no more of them than the reference
// (Eval/FitStrength.h). With --marker-set the words are given and only the strength is fitted.
#include "Command.h"
#include "EvalArms.h"
#include "Interrupt.h"
#include "Output.h"

#include "Eval/FitStrength.h"
#include "Eval/TeacherForced.h"
#include "Format/ReplaceSection.h"

#include <cstdio>
#include <unistd.h>

namespace qrt {
namespace {

struct Flags {
  std::string model, reference, tasks, ids, mask, output, set;
  int64_t limit = -1;
  bool noFit = false, json = false;
  DeriveOptions derive;
  EvalSettings settings{.seeds = 1};
  SamplingFlags sampling;
};

struct Outcome {
  MarkerTable table;
  std::vector<MarkerCandidate> evidence; ///< empty for a given set
  std::optional<StrengthFit> fit;
};

OrderedJson outcomeJson(const Outcome &outcome, const std::string &source) {
  OrderedJson json = *parseOrderedJson(markerTableJson(outcome.table, source), "table");
  for (size_t i = 0; i < outcome.evidence.size(); ++i) {
    const MarkerCandidate &c = outcome.evidence[i];
    OrderedJson &entry = json["tokens"][i];
    entry["events"] = c.events;
    entry["texts"] = c.texts;
    entry["shift"] = c.shift;
    entry["shift_error"] = c.shiftError;
    entry["consistency"] = c.consistency;
    entry["excess"] = c.excess;
    entry["log_odds"] = c.logOdds;
  }
  json["fit"] = nullptr;
  if (outcome.fit) {
    OrderedJson steps = OrderedJson::array();
    for (const FitStep &step : outcome.fit->steps)
      steps.push_back({{"strength", step.strength}, {"rate", step.rate}});
    json["fit"] = {{"strength", outcome.fit->strength},
                   {"rate", outcome.fit->rate},
                   {"rate_reference", outcome.fit->target},
                   {"steps", std::move(steps)}};
  }
  return json;
}

class Derivation {
public:
  Derivation(const Flags &flags, ArmRunner &reference, ArmRunner &model)
      : flags(flags), reference(reference), model(model) {}

  Result<Outcome> run() {
    if (!flags.tasks.empty()) {
      QRT_ASSIGN_OR_RETURN(tasks, readTasks(flags.tasks, flags.limit));
      QRT_ASSIGN_OR_RETURN(referenceTexts, textsOf(reference, 0, "reference"));
    }
    Outcome outcome;
    QRT_RETURN_IF_ERROR(flags.set.empty() ? derive(outcome) : takeSet(outcome));
    if (!flags.noFit && !tasks.empty())
      QRT_RETURN_IF_ERROR(fit(outcome));
    return outcome;
  }

private:
  /// What an arm writes under the penalty of the table it has.
  Result<std::vector<TokenRow>> textsOf(ArmRunner &arm, double strength, const char *name) {
    GenerationRequest request;
    request.sampling = arm.texts().samplingDefaults;
    QRT_RETURN_IF_ERROR(flags.sampling.applyTo(request));
    if (strength != 0) {
      request.reasoning.marker.strength = float(strength);
      request.reasoning.marker.set = "model";
      if (!arm.texts().thinkTags)
        request.reasoning.marker.scope = MarkerPenaltyOptions::Scope::All;
    }
    auto result = arm.run(tasks, std::move(request), flags.sampling.seed);
    if (!result)
      return result.status().withContext(name);
    return std::move(result->texts);
  }

  Status takeSet(Outcome &outcome) {
    const std::span<const std::string_view> words = markerWordSet(flags.set);
    if (words.empty())
      return invalidArgument("--marker-set: there is no marker set '" + flags.set + "'");
    if (!model.texts().tokenizer)
      return invalidArgument("--marker-set: the model has no tokenizer");
    QRT_ASSIGN_OR_RETURN(outcome.table,
                         expandMarkers(*model.texts().tokenizer,
                                       std::vector<std::string>(words.begin(), words.end()),
                                       flags.set));
    return Status::ok();
  }

  Status derive(Outcome &outcome) {
    if (!model.texts().tokenizer)
      return invalidArgument("markers cannot be derived: the model has no tokenizer");
    std::vector<TokenRow> given;
    if (!flags.ids.empty()) {
      QRT_ASSIGN_OR_RETURN(given,
                           readTokenRows(flags.ids, flags.mask, reference.engine().vocabSize()));
    }
    MarkerEvidence evidence(model.texts().tokenizer, flags.derive);
    const bool terminal = isatty(STDERR_FILENO);
    auto progress = [&](int64_t tokens) {
      if (terminal)
        std::fprintf(stderr, "\rqrun: %lld tokens", static_cast<long long>(tokens));
      return checkInterrupt();
    };
    const Status gathered = gatherEvidence(
        reference.engine(), model.engine(), model.texts(), given.empty() ? referenceTexts : given,
        teacherForcedChunk(reference.engine().vocabSize()), flags.settings.engine.options.threads,
        evidence, progress);
    if (terminal)
      std::fprintf(stderr, "\r\033[K");
    QRT_RETURN_IF_ERROR(gathered);
    if (!tasks.empty()) {
      QRT_ASSIGN_OR_RETURN(auto modelTexts, textsOf(model, 0, "model"));
      for (const TokenRow &row : modelTexts)
        evidence.readText(row.ids);
      for (const auto &thinking : thinkingOf(model.texts(), referenceTexts))
        evidence.readFreeText(false, thinking);
      for (const auto &thinking : thinkingOf(model.texts(), modelTexts))
        evidence.readFreeText(true, thinking);
    }
    QRT_ASSIGN_OR_RETURN(outcome.table, evidence.derive("derived"));
    outcome.evidence = evidence.selected();
    return Status::ok();
  }

  Status fit(Outcome &outcome) {
    const ModelTexts &texts = model.texts();
    model.setMarkers(outcome.table);
    auto rateAt = [&](double strength) -> Result<double> {
      QRT_ASSIGN_OR_RETURN(auto rows, textsOf(model, strength, "model"));
      return markerRate(texts, outcome.table, rows);
    };
    QRT_ASSIGN_OR_RETURN(outcome.fit,
                         fitStrength(markerRate(texts, outcome.table, referenceTexts), rateAt));
    outcome.table.strength = float(outcome.fit->strength);
    return Status::ok();
  }

  const Flags &flags;
  ArmRunner &reference, &model;
  std::vector<Task> tasks;
  std::vector<TokenRow> referenceTexts;
};

Status deriveMarkers(const Flags &flags) {
  if (flags.ids.empty() && flags.tasks.empty())
    return invalidArgument("give --tasks, --ids or both");
  if (!flags.mask.empty() && flags.ids.empty())
    return invalidArgument("--mask needs --ids");
  if (!flags.set.empty() && !flags.ids.empty())
    return invalidArgument("--ids has no effect with --marker-set: no word is looked for");
  if (flags.noFit && (!flags.set.empty() || flags.tasks.empty()))
    return invalidArgument("--no-fit has no effect here: nothing would be fitted or nothing made");
  QRT_ASSIGN_OR_RETURN(ArmRunner reference, ArmRunner::create(flags.reference, flags.settings,
                                                              ArmRunner::Role::Reference));
  QRT_ASSIGN_OR_RETURN(ArmRunner model,
                       ArmRunner::create(flags.model, flags.settings, ArmRunner::Role::Judged));
  QRT_ASSIGN_OR_RETURN(Outcome outcome, Derivation(flags, reference, model).run());

  const std::string source = "qrun derive-markers, reference " + flags.reference + ", texts " +
                             (flags.ids.empty() ? flags.tasks : flags.ids);
  QRT_RETURN_IF_ERROR(replaceSection(flags.model, flags.output, SectionKind::Markers,
                                     markerTableJson(outcome.table, source)));
  if (outcome.fit && outcome.fit->strength == 0)
    message("the model writes no more of these words than its reference: fitted strength 0");
  if (outcome.fit && outcome.fit->rate > outcome.fit->target && outcome.fit->strength >= 16)
    message("warning: even strength 16 leaves more of these words than the reference writes");
  return writeJson(outcomeJson(outcome, source), flags.json ? -1 : 2);
}

} // namespace

void addDeriveMarkers(CLI::App &app, Action &action) {
  auto flags = std::make_shared<Flags>();
  CLI::App *command = app.add_subcommand(
      "derive-markers", "Find the words a quantized model overuses and store a penalty for them");
  command->add_option("MODEL", flags->model, "The quantized .qmod file")->required();
  command->add_option("--reference", flags->reference, "The same model at full precision")
      ->required();
  command->add_option("-o,--output", flags->output, "The file to write; may be MODEL")->required();
  command->add_option("--tasks", flags->tasks,
                      "Problems whose traces are read, and on which the strength is fitted");
  command->add_option("--ids", flags->ids, "Traces to read instead: token ids, .npy or .json");
  command->add_option("--mask", flags->mask, "With --ids: non-zero where a token counts");
  command->add_option("--limit", flags->limit, "Only the first problems");
  command->add_option("--marker-set", flags->set,
                      "Fit the strength of this word set instead of deriving words");
  command->add_flag("--no-fit", flags->noFit, "Store the table without a strength");
  command->add_option("--min-events", flags->derive.minEvents, "Positions at which a word competes")
      ->check(CLI::Range(int64_t(2), int64_t(INT32_MAX)))
      ->capture_default_str();
  command->add_option("--min-texts", flags->derive.minTexts, "Texts in which it does")
      ->check(CLI::Range(int64_t(2), int64_t(INT32_MAX)))
      ->capture_default_str();
  command->add_option("--max-markers", flags->derive.maxMarkers, "Most words of the table")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--batch", flags->settings.batch, "Texts at once")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "One line of JSON instead of indented lines");
  flags->sampling.maxTokens = 512;
  flags->sampling.addTo(*command);
  flags->settings.engine.addTo(*command);
  command->callback([&action, flags] { action = [flags] { return deriveMarkers(*flags); }; });
}

} // namespace qrt
