//===- PluginFlags.cpp - Passes that quantize from shared objects ----------------------------===//
#include "PluginFlags.h"

#include "CalibrationFlags.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace qopt {

PluginFlags::PluginFlags()
    : plugins("load-pass-plugin", cl::value_desc("FILE.so"),
              cl::desc("Load passes, for --quantize-passes"), cl::cat(optionCategory())),
      passes("quantize-passes", cl::value_desc("PASS,..."),
             cl::desc("Run these passes on the graph before its weights are rounded: what they "
                      "quantize stays as they made it"),
             cl::cat(optionCategory())) {}

void PluginFlags::addTo(RecipeFlags &keys) { keys.add(passes); }

qrt::Status PluginFlags::read(SchemeOptions &options) const {
  for (const std::string &file : plugins) {
    Expected<mlir::PassPlugin> plugin = mlir::PassPlugin::load(file);
    if (!plugin)
      return qrt::invalidArgument("--load-pass-plugin: " + toString(plugin.takeError()));
    plugin->registerPassRegistryCallbacks();
  }
  if (passes.empty())
    return plugins.empty() ? qrt::Status::ok()
                           : qrt::invalidArgument("--load-pass-plugin has no effect without "
                                                  "--quantize-passes");
  if (!StringRef(options.scheme).starts_with("w"))
    return qrt::invalidArgument("--quantize-passes needs a scheme with quantized weights");
  if (options.calibrates())
    return qrt::invalidArgument("--quantize-passes has no data; it does not go with --algo " +
                                options.algorithm);
  registerPassesAndPipelines();
  std::string problem;
  raw_string_ostream stream(problem);
  mlir::OpPassManager checked(mlir::func::FuncOp::getOperationName());
  if (failed(mlir::parsePassPipeline(passes, checked, stream)))
    return qrt::invalidArgument("--quantize-passes: " + StringRef(problem).trim().str());
  options.quantizePasses = passes;
  return qrt::Status::ok();
}

} // namespace qopt
