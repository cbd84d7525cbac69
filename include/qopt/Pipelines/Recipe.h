//===- Recipe.h - What a .qmod says about its making ------------------------------------------===//
// The RECIPE and PROVENANCE sections: JSON, without dates or paths, so that the same command gives
// the same bytes anywhere. A recipe's keys are the long flags of qopt; `qopt --recipe` reads them
// from YAML (of which JSON is a part).
#ifndef QOPT_PIPELINES_RECIPE_H
#define QOPT_PIPELINES_RECIPE_H

#include "Support/Json.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qrt/Status.h"

#include <string>
#include <vector>

namespace qopt {

/// {"scheme": ..., "algo": ..., "keep-fp16": [...], ...}: everything that decides what the weights
/// become, defaults included, and nothing that has no effect. `calibration` may be null. `files`
/// adds the paths of data and scores.
qrt::OrderedJson recipeOf(const SchemeOptions &options,
                          const calibration::CalibrationStage *calibration, bool files);

/// One key of a recipe.
struct RecipeEntry {
  std::string key;
  std::vector<std::string> values; ///< one, unless isList
  bool isList = false;
  int line = 0;
};

/// Reads YAML: one mapping from keys to scalars or lists of scalars. InvalidArgument,
/// "'FILE':LINE: ...", for anything else; CannotRead. Which keys exist is the caller's business.
qrt::Result<std::vector<RecipeEntry>> readRecipe(const std::string &file);
/// The YAML that readRecipe() reads.
std::string recipeYaml(const qrt::OrderedJson &recipe);
qrt::Status saveRecipe(const qrt::OrderedJson &recipe, const std::string &file);

/// {"tool": "qopt", "version", "llvm", "source": {"file", "bytes", "sha256"}, "verified": ...}.
/// Reads and hashes `sourceFile`; for synthetic models the name only. `calibration` (null: none)
/// adds file name, hash, samples and tokens of the data.
qrt::Result<std::string> provenanceJson(const std::string &sourceFile, bool synthetic,
                                        const std::string &verification,
                                        const calibration::CalibrationStage *calibration);

/// "qopt 0.1.0 (LLVM 22.1.8)"
std::string toolVersion();

} // namespace qopt

#endif // QOPT_PIPELINES_RECIPE_H
