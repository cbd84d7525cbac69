//===- Options.h - The command line of qopt --------------------------------------------------===//
#ifndef QOPT_TOOLS_QOPT_OPTIONS_H
#define QOPT_TOOLS_QOPT_OPTIONS_H

#include "qopt/Pipelines/Compiler.h"

#include "qrt/Device.h"

namespace qopt {

struct CommandLine {
  CompileOptions compile;
  bool dryRun = false; ///< plan, do not compile
  bool json = false;
  bool quiet = false;
  int threads = 0;           ///< 0 = all
  qrt::DeviceRequest device; ///< where products of the calibration run
  std::string remarksFilter, remarksFile;
  std::string saveRecipe; ///< --save-recipe: the flags as YAML; "" for none
  std::string reportFile; ///< --report: the JSON report; "" for none
};

/// Parses and checks flags; '_' in a flag is read as '-'. InvalidArgument for flags that are
/// unknown, contradict each other or would be ignored.
qrt::Result<CommandLine> parseCommandLine(int argc, char **argv);

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_OPTIONS_H
