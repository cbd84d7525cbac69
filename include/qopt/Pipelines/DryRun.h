//===- DryRun.h - What a compilation would make and take --------------------------------------===//
// The answer to --dry-run. Sizes come from the lowered program with placeholders for codes, so they
// are those of the file; memory and seconds are estimates, and `memoryBasis` and `timeBasis` say of
// what.
#ifndef QOPT_PIPELINES_DRYRUN_H
#define QOPT_PIPELINES_DRYRUN_H

#include "Engine/MemoryNeed.h"
#include "Format/Program.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qopt {

struct CompilePlan {
  std::string modelFile;
  std::string programKind; ///< "token_major" or "generic"
  std::string notRaised;   ///< why the program is a generic one, or empty
  std::vector<qrt::TensorEntry> tensors;
  int64_t fileBytes = 0;
  bool mixAssumed = false; ///< schemes will be decided by a measurement: these are a guess
  int64_t calibrationTokens = 0, calibratedLinears = 0;
  std::optional<qrt::MemoryNeed> fitNeed; ///< with --fit: what running takes
  int64_t fitContext = 0;
  int64_t peakBytes = 0;
  std::string memoryBasis;
  double seconds = 0;
  std::string timeBasis;
};

} // namespace qopt

#endif // QOPT_PIPELINES_DRYRUN_H
