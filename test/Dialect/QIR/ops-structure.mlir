// RUN: qopt-opt %s --verify-roundtrip | FileCheck %s
// RUN: qopt-opt %s -canonicalize | FileCheck %s --check-prefix=CANON

// CHECK-LABEL: func.func @constants
func.func @constants() -> (tensor<2xf32>, tensor<2x2xi1>, tensor<4xui8>) {
  // CHECK: qir.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  %0 = qir.constant dense<[1.0, 2.0]> : tensor<2xf32>
  // CHECK: qir.constant {qir.transposed} dense<true> : tensor<2x2xi1>
  %1 = qir.constant {qir.transposed} dense<true> : tensor<2x2xi1>
  // CHECK: qir.constant dense_resource<codes> : tensor<4xui8>
  %2 = qir.constant dense_resource<codes> : tensor<4xui8>
  return %0, %1, %2 : tensor<2xf32>, tensor<2x2xi1>, tensor<4xui8>
}

// Equal constants are one after canonicalization, and unused ones disappear.
// CANON-LABEL: func.func @folded
// CANON: %[[C:.*]] = qir.constant
// CANON-NOT: qir.constant
// CANON: qir.add %[[C]], %[[C]]
func.func @folded() -> tensor<2xf32> {
  %0 = qir.constant dense<1.0> : tensor<2xf32>
  %1 = qir.constant dense<1.0> : tensor<2xf32>
  %2 = qir.constant dense<3.0> : tensor<2xf32>
  %3 = qir.add %0, %1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %3 : tensor<2xf32>
}

// CHECK-LABEL: func.func @if
// CHECK: qir.if %arg0 : (tensor<i1>) -> tensor<2xf32> {
// CHECK: qir.yield %arg1 : tensor<2xf32>
// CHECK: } else {
// CHECK: qir.yield %{{.*}} : tensor<2xf32>
func.func @if(%c: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = qir.if %c : (tensor<i1>) -> tensor<2xf32> {
    qir.yield %x : tensor<2xf32>
  } else {
    %1 = qir.neg %x : (tensor<2xf32>) -> tensor<2xf32>
    qir.yield %1 : tensor<2xf32>
  }
  return %0 : tensor<2xf32>
}

{-#
  dialect_resources: { builtin: { codes: "0x0100000001020304" } }
#-}
