// RUN: qopt-opt %s --verify-roundtrip | FileCheck %s
// RUN: qopt-opt %s --mlir-print-op-generic | qopt-opt | FileCheck %s

// CHECK-LABEL: func.func @shape_of(
// CHECK: qir.shape_of %arg0 : (
func.func @shape_of(%a: tensor<?x3xf32>) -> tensor<2xi64> {
  %0 = qir.shape_of %a : (tensor<?x3xf32>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// CHECK-LABEL: func.func @shape_of_part(
// CHECK: qir.shape_of %arg0 {end = -1 : i64, start = 1 : i64} : (
func.func @shape_of_part(%a: tensor<?x3x4xf32>) -> tensor<1xi64> {
  %0 = qir.shape_of %a {end = -1 : i64, start = 1 : i64} : (tensor<?x3x4xf32>) -> tensor<1xi64>
  return %0 : tensor<1xi64>
}

// CHECK-LABEL: func.func @shape_of_unranked(
// CHECK: qir.shape_of %arg0 : (
func.func @shape_of_unranked(%a: tensor<*xf32>) -> tensor<?xi64> {
  %0 = qir.shape_of %a : (tensor<*xf32>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}

// CHECK-LABEL: func.func @size_of(
// CHECK: qir.size_of %arg0 : (
func.func @size_of(%a: tensor<?x3xf32>) -> tensor<i64> {
  %0 = qir.size_of %a : (tensor<?x3xf32>) -> tensor<i64>
  return %0 : tensor<i64>
}

// CHECK-LABEL: func.func @range(
// CHECK: qir.range %arg0, %arg1, %arg2 : (
func.func @range(%a: tensor<i64>, %b: tensor<i64>, %c: tensor<i64>) -> tensor<?xi64> {
  %0 = qir.range %a, %b, %c : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}

// CHECK-LABEL: func.func @full(
// CHECK: qir.full %arg0, %arg1 : (
func.func @full(%a: tensor<2xi64>, %b: tensor<f32>) -> tensor<?x?xf32> {
  %0 = qir.full %a, %b : (tensor<2xi64>, tensor<f32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @reshape(
// CHECK: qir.reshape %arg0, %arg1 {allowzero = 1 : i64} : (
func.func @reshape(%a: tensor<2x3xf32>, %b: tensor<1xi64>) -> tensor<6xf32> {
  %0 = qir.reshape %a, %b {allowzero = 1 : i64} : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<6xf32>
  return %0 : tensor<6xf32>
}

// CHECK-LABEL: func.func @flatten(
// CHECK: qir.flatten %arg0 {axis = 2 : i64} : (
func.func @flatten(%a: tensor<2x3x4xf32>) -> tensor<6x4xf32> {
  %0 = qir.flatten %a {axis = 2 : i64} : (tensor<2x3x4xf32>) -> tensor<6x4xf32>
  return %0 : tensor<6x4xf32>
}

// CHECK-LABEL: func.func @transpose(
// CHECK: qir.transpose %arg0 perm [1, 0] : (
func.func @transpose(%a: tensor<?x3xf32>) -> tensor<3x?xf32> {
  %0 = qir.transpose %a perm [1, 0] : (tensor<?x3xf32>) -> tensor<3x?xf32>
  return %0 : tensor<3x?xf32>
}

// CHECK-LABEL: func.func @squeeze(
// CHECK: qir.squeeze %arg0 axes [-1] : (
func.func @squeeze(%a: tensor<2x1xf32>) -> tensor<2xf32> {
  %0 = qir.squeeze %a axes [-1] : (tensor<2x1xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @squeeze_all(
// CHECK: qir.squeeze %arg0 axes [] : (
func.func @squeeze_all(%a: tensor<2x1xf32>) -> tensor<2xf32> {
  %0 = qir.squeeze %a axes [] : (tensor<2x1xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @unsqueeze(
// CHECK: qir.unsqueeze %arg0 axes [0, -1] : (
func.func @unsqueeze(%a: tensor<2xf32>) -> tensor<1x2x1xf32> {
  %0 = qir.unsqueeze %a axes [0, -1] : (tensor<2xf32>) -> tensor<1x2x1xf32>
  return %0 : tensor<1x2x1xf32>
}

// CHECK-LABEL: func.func @expand(
// CHECK: qir.expand %arg0, %arg1 : (
func.func @expand(%a: tensor<2x1xf32>, %b: tensor<3xi64>) -> tensor<?x2x?xf32> {
  %0 = qir.expand %a, %b : (tensor<2x1xf32>, tensor<3xi64>) -> tensor<?x2x?xf32>
  return %0 : tensor<?x2x?xf32>
}

// CHECK-LABEL: func.func @tile(
// CHECK: qir.tile %arg0, %arg1 : (
func.func @tile(%a: tensor<2x1xf32>, %b: tensor<2xi64>) -> tensor<?x?xf32> {
  %0 = qir.tile %a, %b : (tensor<2x1xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @concat(
// CHECK: qir.concat %arg0, %arg1 {axis = -1 : i64} : (
func.func @concat(%a: tensor<2x1xf32>, %b: tensor<2x?xf32>) -> tensor<2x?xf32> {
  %0 = qir.concat %a, %b {axis = -1 : i64} : (tensor<2x1xf32>, tensor<2x?xf32>) -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}

// CHECK-LABEL: func.func @split(
// CHECK: qir.split %arg0 sizes [1, 2] {axis = 1 : i64} : (
func.func @split(%a: tensor<?x3xf32>) -> (tensor<?x1xf32>, tensor<?x2xf32>) {
  %0:2 = qir.split %a sizes [1, 2] {axis = 1 : i64} : (tensor<?x3xf32>) -> (tensor<?x1xf32>, tensor<?x2xf32>)
  return %0#0, %0#1 : tensor<?x1xf32>, tensor<?x2xf32>
}

// CHECK-LABEL: func.func @slice(
// CHECK: qir.slice %arg0, %arg1, %arg2 axes [1] steps [-1] : (
func.func @slice(%a: tensor<2x3xf32>, %b: tensor<1xi64>, %c: tensor<1xi64>) -> tensor<2x?xf32> {
  %0 = qir.slice %a, %b, %c axes [1] steps [-1] : (tensor<2x3xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}
