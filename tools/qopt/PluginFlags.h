//===- PluginFlags.h - Passes that quantize from shared objects ------------------------------===//
#ifndef QOPT_TOOLS_QOPT_PLUGINFLAGS_H
#define QOPT_TOOLS_QOPT_PLUGINFLAGS_H

#include "RecipeFlags.h"

#include "qopt/Pipelines/Pipelines.h"

#include "llvm/Support/CommandLine.h"

namespace qopt {

/// --load-pass-plugin, --quantize-passes: docs/add-a-pass.md.
class PluginFlags {
public:
  PluginFlags();
  void addTo(RecipeFlags &keys);
  /// The one that no recipe has: a recipe names passes, not files.
  const llvm::cl::Option &runFlag() const { return plugins; }
  /// Loads the plugins and checks the passes. InvalidArgument: a plugin that cannot be loaded, a
  /// pass that does not exist, passes beside an algorithm that calibrates or without integer
  /// weights.
  qrt::Status read(SchemeOptions &options) const;

private:
  llvm::cl::list<std::string> plugins;
  llvm::cl::opt<std::string> passes;
};

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_PLUGINFLAGS_H
