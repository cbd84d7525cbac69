//===- EvalArms.h - Models on tasks with the flags of qrun eval ------------------------------===//
// An arm is one model under one set of controls. All arms share tasks, seeds, temperature and
// truncation, so that what differs between two of them is the model or the control.
#ifndef QRUN_EVALARMS_H
#define QRUN_EVALARMS_H

#include "ControlFlags.h"
#include "EngineFlags.h"
#include "EvalKept.h"

#include "Eval/TaskEval.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qrt {

struct EvalSettings {
  int seeds = 3, batch = 32;
  EngineFlags engine;
  std::string workDirectory;      ///< --work-dir: arms are kept there; "": nowhere
  std::vector<std::string> given; ///< flags of the command that decide what is written
};

/// `--arm NAME=FLAGS`, or `--arm PRESET`: controls that are compared with those of the command.
struct ArmFlags {
  std::string name, flags;
  ControlFlags controls;
};
/// FLAGS are added to those of `base`. InvalidArgument names the arm and the flag.
Result<ArmFlags> parseArm(const std::string &text, const ControlFlags &base);
/// A model that is loaded once and solves tasks under any number of controls.
class ArmRunner {
public:
  /// A reference keeps its KV cache as its file says; flags of the cache are about what is judged.
  enum class Role { Reference, Judged };
  static Result<ArmRunner> create(const std::string &path, const EvalSettings &settings, Role role);
  /// InvalidArgument: a control of these that cannot act on this model.
  Status canAct(const ControlFlags &controls);
  /// Tasks with the seeds of the command under these controls: its own, or those of an arm, which
  /// has `flags` besides.
  Result<ArmResult> run(const std::vector<Task> &tasks, const ControlFlags &controls,
                        const std::string &flags = "");
  /// A reference shares temperature, truncation, seeds and what ends a text with what is compared
  /// with it, but none of what repairs it.
  Result<ArmResult> runAsReference(const std::vector<Task> &tasks, const ControlFlags &controls);
  /// InvalidArgument: a control that cannot act on this model. Interrupted: Ctrl-C.
  Result<ArmResult> run(const std::vector<Task> &tasks, GenerationRequest settings,
                        std::optional<uint64_t> firstSeed);

  /// Takes the place of the file's marker table.
  void setMarkers(const MarkerTable &table) { modelTexts.markers = table; }
  const ModelTexts &texts() const { return modelTexts; }
  const Model &model() const { return *theModel; }
  Engine &engine() { return *theEngine; }

private:
  /// An engine that has what the controls need: the second weight set is read only for them.
  Status prepare(const ReasoningOptions &reasoning);
  /// run(), or what an earlier command kept of the same.
  Result<ArmResult> runOrFind(const std::vector<Task> &tasks, GenerationRequest settings,
                              std::optional<uint64_t> firstSeed, const std::string &flags);

  Role role = Role::Judged;
  std::string path;
  EvalSettings settings;
  EngineOptions engineOptions;
  std::shared_ptr<const Model> theModel;
  ModelTexts modelTexts;
  std::unique_ptr<Engine> theEngine;
};

} // namespace qrt

#endif // QRUN_EVALARMS_H
