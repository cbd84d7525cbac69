// RUN: qopt-opt %s --qir-strip-aliases | FileCheck %s

// CHECK-LABEL: func.func @tied
func.func @tied() -> tensor<2x2xf32> {
  // CHECK: qir.constant dense<1.000000e+00> : tensor<2x2xf32>
  %w = qir.constant {qir.aliases = [{name = "lm_head.weight", transposed = false}]} dense<1.0> : tensor<2x2xf32>
  return %w : tensor<2x2xf32>
}
