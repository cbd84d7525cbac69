//===- SelfTraces.cpp - Calibration text that the model writes itself -------------------------===//
// The float graph is lowered and written to a temporary file, the runtime's own engine and
// generator continue the prompts, and the traces are the calibration data: what the model really
// reads when it thinks.
#include "qopt/Pipelines/Compiler.h"
#include "qopt/Pipelines/ModelFiles.h"
#include "qopt/Target/QMod.h"

#include "Generation/Generator.h"
#include "Support/AtomicFile.h"
#include "Support/Json.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;
using qopt::calibration::TokenTable;
using qrt::Status;

namespace qopt {

/// The module as it is, weights as the source has them.
Status Compiler::writeFloatModel(const std::string &path) {
  OwningOpRef<ModuleOp> original = std::exchange(module, OwningOpRef<ModuleOp>(module->clone()));
  llvm::scope_exit back([&] { module = std::move(original); });
  QRT_RETURN_IF_ERROR(runStage(
      Stage::Assign, [&](OpPassManager &pm) { buildAssignPipeline(pm, SchemeOptions()); },
      qrt::StatusCode::Internal));
  QRT_RETURN_IF_ERROR(runStage(Stage::Lower, buildLowerPipeline, qrt::StatusCode::Unsupported));
  QRT_ASSIGN_OR_RETURN(func::FuncOp function, mainFunction());
  QModOptions qmod;
  qmod.maxContext = maxContext;
  if (options.synthetic.empty()) {
    QRT_ASSIGN_OR_RETURN(Sidecars sidecars, readSidecars(report.modelFile));
    qmod.sections = std::move(sidecars.sections);
    qmod.maxContext = sidecars.maxContext;
  }
  return writeQMod(function, path, qmod).status();
}

static Status saveTraces(const TokenTable &table, const std::string &path) {
  std::string text;
  for (const TokenTable::Sequence &sequence : table.sequences) {
    std::vector<int32_t> ids(table.ids.begin() + sequence.first,
                             table.ids.begin() + sequence.first + sequence.tokens);
    qrt::OrderedJson line;
    line["ids"] = ids;
    text += qrt::dumpJson(line) + "\n";
  }
  QRT_ASSIGN_OR_RETURN(qrt::AtomicFile file, qrt::AtomicFile::create(path));
  QRT_RETURN_IF_ERROR(file.write(text.data(), text.size()));
  return file.commit();
}

qrt::Result<TokenTable> Compiler::writeTraces(const TokenTable &prompts) {
  const calibration::CalibrationStage &stage = *options.calibration;
  llvm::SmallString<128> path;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("qopt-self", "qmod", path))
    return qrt::cannotWrite("a temporary file for the float model: " + error.message());
  llvm::scope_exit remove([&] { llvm::sys::fs::remove(path); });
  QRT_RETURN_IF_ERROR(writeFloatModel(path.str().str()));
  QRT_ASSIGN_OR_RETURN(std::shared_ptr<const qrt::Model> model, qrt::Model::load(path.str().str()));
  QRT_ASSIGN_OR_RETURN(qrt::ModelTexts texts, qrt::ModelTexts::fromModel(*model));
  qrt::EngineOptions engineOptions;
  engineOptions.threads = options.threads;
  engineOptions.maxMemory = stage.quantizer.maxMemory;
  QRT_ASSIGN_OR_RETURN(std::unique_ptr<qrt::Engine> engine,
                       qrt::Engine::create(model, engineOptions));
  const int64_t context = engine->maxContext() > 0
                              ? std::min(engine->maxContext(), stage.data.length)
                              : stage.data.length;
  std::vector<qrt::GenerationRequest> requests;
  for (size_t i = 0; i < prompts.sequences.size(); ++i) {
    const TokenTable::Sequence &prompt = prompts.sequences[i];
    qrt::GenerationRequest request;
    request.prompt.assign(prompts.ids.begin() + prompt.first,
                          prompts.ids.begin() + prompt.first + prompt.tokens);
    request.sampling.temperature = static_cast<float>(stage.self.temperature);
    request.sampling.seed = stage.data.seed + i; // every prompt its own stream
    request.maxTokens = std::min(stage.self.tokens, context - prompt.tokens);
    if (request.maxTokens < 1)
      return Status::error(qrt::StatusCode::BadCalibration,
                           "prompt " + std::to_string(i) + " of '" + stage.self.prompts + "' has " +
                               std::to_string(prompt.tokens) +
                               " tokens; --seqlen and the model's context leave no room behind it");
    requests.push_back(std::move(request));
  }
  qrt::GeneratorOptions generation;
  generation.cancel = options.interrupted;
  qrt::Generator generator(*engine, std::move(texts), generation);
  QRT_ASSIGN_OR_RETURN(std::vector<qrt::GenerationResult> results, generator.run(requests));
  TokenTable table;
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].finishReason == qrt::FinishReason::Cancelled)
      return Status::error(qrt::StatusCode::Interrupted, "interrupted while writing traces");
    std::vector<int32_t> ids = requests[i].prompt;
    ids.insert(ids.end(), results[i].ids.begin(), results[i].ids.end());
    table.append(ids);
  }
  if (!stage.self.saveFile.empty())
    QRT_RETURN_IF_ERROR(saveTraces(table, stage.self.saveFile));
  return table;
}

/// Reads (or writes) the calibration tokens while the module is the float model.
Status Compiler::readCalibrationData() {
  calibration::CalibrationStage *stage = options.calibration.get();
  if (!stage || !stage->hasData())
    return Status::ok();
  return timed("calibration data", [&]() -> Status {
    QRT_ASSIGN_OR_RETURN(func::FuncOp function, mainFunction());
    stage->writeTraces = [this](const TokenTable &prompts) { return writeTraces(prompts); };
    return stage->read(function).status();
  });
}

} // namespace qopt
