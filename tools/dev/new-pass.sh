#!/usr/bin/env bash
# Writes the skeleton of a pass on the qir dialect: an entry in Passes.td, a .cpp that compiles and a lit
# test that passes. Where there is a build (build/release, or BUILD), builds qopt-opt with it and runs the
# test. Then: fill in the pattern, the contract and the test.
#   tools/dev/new-pass.sh FoldDoubleNeg "Remove two negations in a row"
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -eq 2 ] || { echo "usage: $0 PassName 'one-line summary'" >&2; exit 2; }
name=$1 summary=$2
[[ $name =~ ^[A-Z][A-Za-z0-9]*$ ]] || { echo "$0: expects a CamelCase name, got '$name'" >&2; exit 2; }
flag=qir-$(sed -E 's/([a-z0-9])([A-Z])/\1-\2/g' <<<"$name" | tr '[:upper:]' '[:lower:]')
upper=$(tr '[:lower:]' '[:upper:]' <<<"$name")
td=include/qopt/Dialect/QIR/Transforms/Passes.td
cpp=lib/Dialect/QIR/Transforms/$name.cpp
test=test/Dialect/QIR/${flag#qir-}.mlir
for f in "$cpp" "$test"; do [ ! -e "$f" ] || { echo "$0: $f exists" >&2; exit 2; }; done
! grep -rq "def $name :" include/qopt/Dialect/QIR/Transforms || { echo "$0: $name is defined" >&2; exit 2; }

entry=$(mktemp)
trap 'rm -f "$entry"' EXIT
cat > "$entry" <<TD
def $name : Pass<"$flag", "::mlir::func::FuncOp"> {
  let summary = "$summary";
  let description = [{
    Contract: *requires* nothing; *preserves* shapes and names; *result*: TODO.
  }];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

TD
# Before the closing #endif; keep the entries alphabetical when you fill it in.
python3 - "$td" "$entry" <<'PY'
import sys
td, entry = sys.argv[1], open(sys.argv[2]).read()
text = open(td).read()
end = text.rindex("#endif")
open(td, "w").write(text[:end] + entry + text[end:])
PY

header="//===- $name.cpp - $summary "
cat > "$cpp" <<CPP
$header$(printf -- '-%.0s' $(seq 1 $((94 - ${#header} > 3 ? 94 - ${#header} : 3))))===//
// TODO: why this pass exists and how it works, in three to ten lines.
#include "qopt/Dialect/QIR/Transforms/Passes.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace qopt::qir {
#define GEN_PASS_DEF_$upper
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt::qir;

namespace {

/// Replaces TODO by TODO.
struct ${name}Pattern : OpRewritePattern<IdentityOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(IdentityOp op, PatternRewriter &rewriter) const override {
    return rewriter.notifyMatchFailure(op, "nothing to do yet");
  }
};

struct ${name}Pass : qopt::qir::impl::${name}Base<${name}Pass> {
  using Base::Base;

  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    set.add<${name}Pattern>(context);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override { walkAndApplyPatterns(getOperation(), patterns); }

  FrozenRewritePatternSet patterns;
};

} // namespace
CPP
cat > "$test" <<MLIR
// RUN: qopt-opt %s --$flag | FileCheck %s

// CHECK-LABEL: func.func @untouched
func.func @untouched(%x: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK: qir.identity
  %y = qir.identity %x : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}
MLIR
echo "wrote $cpp and $test, added $name to $td"
build=${BUILD:-build/release}
if [ -f "$build/build.ninja" ]; then
  cmake "$build" >/dev/null
  cmake --build "$build" --target qopt-opt | tail -1
  llvm=$(sed -n 's/^LLVM_DIR:PATH=//p' "$build/CMakeCache.txt")
  "$build/bin/qopt-opt" "$test" "--$flag" | "$llvm/../../../bin/FileCheck" "$test"
  echo "the pass runs (qopt-opt --$flag) and its test passes"
fi
echo "next: docs/add-a-pass.md"
