//===- StripAliases.cpp - Remove qir.aliases from constants ----------------------------------===//
// The smallest possible pass: one walk, one attribute. Start here when you write your first one.
#include "qopt/Dialect/QIR/Transforms/Passes.h"

namespace qopt::qir {
#define GEN_PASS_DEF_STRIPALIASES
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

namespace {
struct StripAliasesPass : qopt::qir::impl::StripAliasesBase<StripAliasesPass> {
  using Base::Base;
  void runOnOperation() override {
    getOperation()->walk([](qopt::qir::ConstantOp op) { op->removeAttr("qir.aliases"); });
  }
};
} // namespace
