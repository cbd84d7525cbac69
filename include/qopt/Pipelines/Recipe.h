//===- Recipe.h - What a .qmod says about its making ------------------------------------------===//
// The RECIPE and PROVENANCE sections: JSON, without dates or paths, so that the same command gives
// the same bytes anywhere.
#ifndef QOPT_PIPELINES_RECIPE_H
#define QOPT_PIPELINES_RECIPE_H

#include "qopt/Pipelines/Pipelines.h"
#include "qrt/Status.h"

#include <string>

namespace qopt {

/// {"scheme": ..., "algo": ..., "keep_fp16": [...], ...}; `calibration` may be null.
std::string recipeJson(const SchemeOptions &options,
                       const calibration::CalibrationStage *calibration);

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
