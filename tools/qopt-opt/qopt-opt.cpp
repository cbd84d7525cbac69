//===- qopt-opt.cpp - Runs passes on .mlir files ---------------------------------------------===//
// mlir-opt with the dialects, passes and pipelines of this project. Weights are elided from dumps
// unless --mlir-elide-resource-strings-if-larger says otherwise: a printed model is gigabytes.
#include "qopt/Pipelines/Pipelines.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

#include <string_view>
#include <vector>

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  qopt::registerDialects(registry);
  qopt::registerPassesAndPipelines();
  constexpr std::string_view elide = "--mlir-elide-resource-strings-if-larger";
  std::vector<char *> arguments(argv, argv + argc);
  static char defaultElide[] = "--mlir-elide-resource-strings-if-larger=64";
  bool chosen = false;
  for (char *argument : arguments)
    chosen |= std::string_view(argument).find(elide.substr(2)) != std::string_view::npos ||
              std::string_view(argument) == "--emit-bytecode" ||
              std::string_view(argument) == "--verify-roundtrip";
  if (!chosen)
    arguments.push_back(defaultElide);
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      static_cast<int>(arguments.size()), arguments.data(), "qopt pass driver\n", registry));
}
