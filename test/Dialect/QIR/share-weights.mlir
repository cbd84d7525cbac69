// RUN: qopt-opt %s --qir-share-weights --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s

// CHECK-LABEL: func.func @tied
// CHECK: %[[W:.*]] = qir.constant {qir.aliases = [{name = "lm_head.weight", transposed = true}]} {{.*}} loc("embed.weight")
// CHECK-NOT: qir.constant
// CHECK: return %[[W]], %[[W]]
func.func @tied() -> (tensor<16x16xf32>, tensor<16x16xf32>) {
  %a = qir.constant dense<0.5> : tensor<16x16xf32> loc("embed.weight")
  %b = qir.constant {qir.transposed} dense<0.5> : tensor<16x16xf32> loc("lm_head.weight")
  return %a, %b : tensor<16x16xf32>, tensor<16x16xf32>
}

// Other contents, another type, too small.
// CHECK-LABEL: func.func @different
// CHECK-COUNT-5: qir.constant
func.func @different() -> (tensor<16x16xf32>, tensor<16x16xf32>, tensor<16x16xf16>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %a = qir.constant dense<0.5> : tensor<16x16xf32> loc("a")
  %b = qir.constant dense<0.25> : tensor<16x16xf32> loc("b")
  %c = qir.constant dense<0.5> : tensor<16x16xf16> loc("c")
  %d = qir.constant dense<0.5> : tensor<2x2xf32> loc("d")
  %e = qir.constant dense<0.5> : tensor<2x2xf32> loc("e")
  return %a, %b, %c, %d, %e : tensor<16x16xf32>, tensor<16x16xf32>, tensor<16x16xf16>, tensor<2x2xf32>, tensor<2x2xf32>
}
