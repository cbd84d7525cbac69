// RUN: qopt-opt %s --verify-roundtrip | FileCheck %s
// RUN: qopt-opt %s --mlir-print-op-generic | qopt-opt | FileCheck %s

// CHECK-LABEL: func.func @gather(
// CHECK: qir.gather %arg0, %arg1 {axis = 1 : i64} : (
func.func @gather(%a: tensor<2x3xf32>, %b: tensor<4x5xi64>) -> tensor<2x4x5xf32> {
  %0 = qir.gather %a, %b {axis = 1 : i64} : (tensor<2x3xf32>, tensor<4x5xi64>) -> tensor<2x4x5xf32>
  return %0 : tensor<2x4x5xf32>
}

// CHECK-LABEL: func.func @gather_elements(
// CHECK: qir.gather_elements %arg0, %arg1 : (
func.func @gather_elements(%a: tensor<2x3xf32>, %b: tensor<1x3xi64>) -> tensor<1x3xf32> {
  %0 = qir.gather_elements %a, %b : (tensor<2x3xf32>, tensor<1x3xi64>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// CHECK-LABEL: func.func @gather_nd(
// CHECK: qir.gather_nd %arg0, %arg1 {batch_dims = 1 : i64} : (
func.func @gather_nd(%a: tensor<2x3x4xf32>, %b: tensor<2x1xi64>) -> tensor<2x4xf32> {
  %0 = qir.gather_nd %a, %b {batch_dims = 1 : i64} : (tensor<2x3x4xf32>, tensor<2x1xi64>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @scatter_nd(
// CHECK: qir.scatter_nd %arg0, %arg1, %arg2 {reduction = "add"} : (
func.func @scatter_nd(%a: tensor<3x4xf32>, %b: tensor<2x1xi64>, %c: tensor<2x4xf32>) -> tensor<3x4xf32> {
  %0 = qir.scatter_nd %a, %b, %c {reduction = "add"} : (tensor<3x4xf32>, tensor<2x1xi64>, tensor<2x4xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @pad(
// CHECK: qir.pad %arg0, %arg1 value %arg2 axes [1] : (
func.func @pad(%a: tensor<2x3xf32>, %b: tensor<2xi64>, %c: tensor<f32>) -> tensor<2x?xf32> {
  %0 = qir.pad %a, %b value %c axes [1] : (tensor<2x3xf32>, tensor<2xi64>, tensor<f32>) -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}

// CHECK-LABEL: func.func @pad_plain(
// CHECK: qir.pad %arg0, %arg1 axes [] {mode = "edge"} : (
func.func @pad_plain(%a: tensor<2x3xf32>, %b: tensor<4xi64>) -> tensor<?x?xf32> {
  %0 = qir.pad %a, %b axes [] {mode = "edge"} : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @trilu(
// CHECK: qir.trilu %arg0 k %arg1 {upper = 0 : i64} : (
func.func @trilu(%a: tensor<3x3xf32>, %b: tensor<i64>) -> tensor<3x3xf32> {
  %0 = qir.trilu %a k %b {upper = 0 : i64} : (tensor<3x3xf32>, tensor<i64>) -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}

// CHECK-LABEL: func.func @trilu_plain(
// CHECK: qir.trilu %arg0 : (
func.func @trilu_plain(%a: tensor<3x3xf32>) -> tensor<3x3xf32> {
  %0 = qir.trilu %a : (tensor<3x3xf32>) -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}

// CHECK-LABEL: func.func @non_zero(
// CHECK: qir.non_zero %arg0 : (
func.func @non_zero(%a: tensor<2x3xi1>) -> tensor<2x?xi64> {
  %0 = qir.non_zero %a : (tensor<2x3xi1>) -> tensor<2x?xi64>
  return %0 : tensor<2x?xi64>
}
