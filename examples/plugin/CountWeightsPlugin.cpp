//===- CountWeightsPlugin.cpp - A pass in a shared object ------------------------------------===//
// Counts the elements of the constant matrices of a function and tells them in a remark of category
// `count`:
//   qopt-opt --load-pass-plugin=CountWeightsPlugin.so
//            --pass-pipeline='builtin.module(func.func(count-weights))' x.mlir
#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

namespace {
struct CountWeightsPass : PassWrapper<CountWeightsPass, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CountWeightsPass)

  StringRef getArgument() const final { return "count-weights"; }
  StringRef getDescription() const final { return "Count the elements of constant matrices"; }

  void runOnOperation() override {
    int64_t weights = 0, elements = 0;
    getOperation()->walk([&](qopt::qir::ConstantOp op) {
      auto type = cast<ShapedType>(op.getType());
      if (type.getRank() != 2)
        return;
      ++weights;
      elements += type.getNumElements();
    });
    func::FuncOp function = getOperation();
    remark::analysis(
        function.getLoc(),
        remark::RemarkOpts::name("weights").category("count").function(function.getName()))
        << remark::metric("weights", weights) << remark::metric("elements", elements);
    function->setAttr("count.elements", Builder(function).getI64IntegerAttr(elements));
  }
};
} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "CountWeights", "v1",
          [] { PassRegistration<CountWeightsPass>(); }};
}
