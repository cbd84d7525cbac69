// RUN: qopt-opt %s --qir-fold-constants --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s

// Gemma's 1 + w; the identity and the cast to the same type go away.
// CHECK-LABEL: func.func @arithmetic
// CHECK: qir.constant dense<[2.000000e+00, 3.000000e+00]> : tensor<2xf32>
// CHECK-NOT: qir.add
// CHECK-NOT: qir.identity
// CHECK-NOT: qir.cast
func.func @arithmetic() -> tensor<2xf32> {
  %w = qir.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %one = qir.constant dense<1.0> : tensor<f32>
  %0 = qir.add %w, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %1 = qir.identity %0 : (tensor<2xf32>) -> tensor<2xf32>
  %2 = qir.cast %1 : (tensor<2xf32>) -> tensor<2xf32>
  return %2 : tensor<2xf32>
}

// A chain, from the shape of a constant to a value; names of moved constants stay.
// CHECK-LABEL: func.func @chain
// CHECK: qir.constant dense<{{\[\[}}1, 3], [2, 4]]> : tensor<2x2xi64> loc("indices")
func.func @chain() -> tensor<2x2xi64> {
  %c = qir.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi64> loc("indices")
  %t = qir.transpose %c perm [1, 0] : (tensor<2x2xi64>) -> tensor<2x2xi64>
  return %t : tensor<2x2xi64>
}

// What depends on an input stays.
// CHECK-LABEL: func.func @input
// CHECK: qir.add
func.func @input(%x: tensor<2xf32>) -> tensor<2xf32> {
  %one = qir.constant dense<1.0> : tensor<f32>
  %0 = qir.add %x, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// Raising looks through the transpose of a large weight.
// CHECK-LABEL: func.func @weight
// CHECK: qir.transpose
func.func @weight() -> tensor<128x64xf32> {
  %w = qir.constant dense<1.0> : tensor<64x128xf32>
  %t = qir.transpose %w perm [1, 0] : (tensor<64x128xf32>) -> tensor<128x64xf32>
  return %t : tensor<128x64xf32>
}

// Traced caches start as an empty tensor that the exporter leaves out of the concatenation.
// CHECK-LABEL: func.func @joins_one
// CHECK-NOT: qir.concat
// CHECK: return %arg0
func.func @joins_one(%past: tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> {
  %0 = qir.concat %past {axis = 2 : i64} : (tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  return %0 : tensor<1x2x?x4xf32>
}
