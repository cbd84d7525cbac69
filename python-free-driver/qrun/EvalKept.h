//===- EvalKept.h - Arms of qrun eval that outlive the command -------------------------------===//
// qrun eval --work-dir: what an arm wrote is kept as one JSON file, under a name made from all that
// decides it (model, tasks, seeds, flags, this very program), so that a command that was
// interrupted or has one arm more computes only what is missing. Speeds are those of the run that
// was kept. Thread safety: none within a process; processes may share a folder.
#ifndef QRUN_EVALKEPT_H
#define QRUN_EVALKEPT_H

#include "Eval/TaskEval.h"
#include "Support/Json.h"

#include <optional>
#include <string>

namespace qrt {

class KeptArms {
public:
  /// Makes the folder where it is missing. CannotWrite.
  static Result<KeptArms> open(const std::string &folder);

  /// The arm of this key, but for `penalised`; nothing if none is there. A file that cannot be read
  /// as one counts as none.
  std::optional<ArmResult> find(const OrderedJson &key) const;
  /// CannotWrite.
  Status keep(const OrderedJson &key, const ArmResult &arm) const;

private:
  std::string pathOf(const OrderedJson &key) const;

  std::string folder;
};

/// XXH64 of a whole file in hexadecimal digits. CannotRead.
Result<std::string> fileDigest(const std::string &path);
/// XXH64 of the prompts, answers and checkers.
std::string tasksDigest(const std::vector<Task> &tasks);

} // namespace qrt

#endif // QRUN_EVALKEPT_H
