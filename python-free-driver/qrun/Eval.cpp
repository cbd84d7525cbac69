//===- Eval.cpp - qrun eval: what a model lost against a reference
//-------------------------------===//
// With --ids: the teacher-forced comparison of Eval/TeacherForced.h.
#include "Command.h"
#include "EvalJson.h"
#include "Interrupt.h"
#include "Output.h"

#include "Eval/TeacherForced.h"
#include "Eval/TokenRows.h"
#include "qrt/Engine.h"

#include <cstdio>
#include <unistd.h>

namespace qrt {
namespace {

struct Flags {
  std::string model, reference, ids, mask;
  int threads = 0;
  bool json = false;
};

Status eval(const Flags &flags) {
  QRT_ASSIGN_OR_RETURN(auto reference, Model::load(flags.reference));
  QRT_ASSIGN_OR_RETURN(auto model, Model::load(flags.model));
  const int32_t vocab = int32_t(reference->program().vocabSize);
  QRT_ASSIGN_OR_RETURN(auto rows, readTokenRows(flags.ids, flags.mask, vocab));
  EngineOptions options;
  options.threads = flags.threads;
  options.prefillChunk = teacherForcedChunk(vocab);
  QRT_ASSIGN_OR_RETURN(auto referenceEngine, Engine::create(reference, options));
  QRT_ASSIGN_OR_RETURN(auto modelEngine, Engine::create(model, options));
#ifdef QRT_WITH_TEXTS
  QRT_ASSIGN_OR_RETURN(ModelTexts texts, ModelTexts::fromModel(*reference));
#else
  ModelTexts texts; // this build has no tokenizer: no audit of control tokens
#endif
  AuditTokens audit = auditTokens(texts);
  const bool terminal = isatty(STDERR_FILENO);
  auto progress = [&](int64_t tokens) {
    if (terminal)
      std::fprintf(stderr, "\rqrun: %lld tokens", static_cast<long long>(tokens));
    return checkInterrupt();
  };
  QRT_ASSIGN_OR_RETURN(Comparison comparison,
                       compareTeacherForced(*referenceEngine, *modelEngine, rows, audit,
                                            options.prefillChunk, flags.threads, progress));
  if (terminal)
    std::fprintf(stderr, "\r\033[K");
  for (const AuditEntry &entry : comparison.audit)
    if (entry.collapsed)
      message("warning: the probability of " + entry.name + " collapsed against the reference");
  OrderedJson json = comparisonJson(comparison, texts);
  return writeJson(json, flags.json ? -1 : 2);
}

} // namespace

void addEval(CLI::App &app, Action &action) {
  auto flags = std::make_shared<Flags>();
  CLI::App *command = app.add_subcommand("eval", "Compare a model with a reference");
  command->add_option("MODEL", flags->model, "The .qmod file to judge")->required();
  command->add_option("--reference", flags->reference, "The .qmod file it is compared with")
      ->required();
  command
      ->add_option("--ids", flags->ids,
                   "Token ids: .npy integers [sequences, length] or .json [[int, ...], ...]")
      ->required();
  command->add_option("--mask", flags->mask,
                      "A .npy of the same shape: non-zero where a token's prediction counts");
  command->add_option("-t,--threads", flags->threads, "0: all processors")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "One line of JSON instead of indented lines");
  command->callback([&action, flags] { action = [flags] { return eval(*flags); }; });
}

} // namespace qrt
