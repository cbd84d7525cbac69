//===- AssignAlternates.cpp - A second weight set of all linears -----------------------------===//
#include "qopt/Dialect/QIR/IR/QIRDialect.h"
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qopt/Dialect/QIR/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"

namespace qopt::qir {
#define GEN_PASS_DEF_ASSIGNALTERNATES
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt::qir;

namespace {

struct AssignAlternatesPass : qopt::qir::impl::AssignAlternatesBase<AssignAlternatesPass> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(tokenMajorAttr)) {
      function.emitError() << "a second weight set needs a token-major program, and this graph was "
                              "not raised";
      return signalPassFailure();
    }
    int64_t marked = 0;
    bool failure = false;
    function.walk([&](LinearOp linear) {
      if (!schemeOf(linear).isInt())
        return;
      failure |= failed(markAlternate(linear));
      ++marked;
    });
    if (failure)
      return signalPassFailure();
    if (marked == 0) {
      function.emitError() << "a second weight set has no effect: no linear is quantized";
      return signalPassFailure();
    }
    remark::passed(function.getLoc(), remark::RemarkOpts::name("alternate").category("assign"))
        << remark::metric("linears", marked);
  }
};

} // namespace
