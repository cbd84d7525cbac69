// RUN: qopt-opt %s --verify-roundtrip | FileCheck %s
// RUN: qopt-opt %s --mlir-print-op-generic | qopt-opt | FileCheck %s

// CHECK-LABEL: func.func @reduce_mean(
// CHECK: qir.reduce_mean %arg0 axes [-1] {keepdims = 0 : i64} : (
func.func @reduce_mean(%a: tensor<?x3xf32>) -> tensor<?xf32> {
  %0 = qir.reduce_mean %a axes [-1] {keepdims = 0 : i64} : (tensor<?x3xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: func.func @reduce_sum(
// CHECK: qir.reduce_sum %arg0 axes [-1] {keepdims = 0 : i64} : (
func.func @reduce_sum(%a: tensor<?x3xf32>) -> tensor<?xf32> {
  %0 = qir.reduce_sum %a axes [-1] {keepdims = 0 : i64} : (tensor<?x3xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: func.func @reduce_max(
// CHECK: qir.reduce_max %arg0 axes [-1] {keepdims = 0 : i64} : (
func.func @reduce_max(%a: tensor<?x3xf32>) -> tensor<?xf32> {
  %0 = qir.reduce_max %a axes [-1] {keepdims = 0 : i64} : (tensor<?x3xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: func.func @reduce_min(
// CHECK: qir.reduce_min %arg0 axes [-1] {keepdims = 0 : i64} : (
func.func @reduce_min(%a: tensor<?x3xf32>) -> tensor<?xf32> {
  %0 = qir.reduce_min %a axes [-1] {keepdims = 0 : i64} : (tensor<?x3xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: func.func @reduce_prod(
// CHECK: qir.reduce_prod %arg0 axes [-1] {keepdims = 0 : i64} : (
func.func @reduce_prod(%a: tensor<?x3xf32>) -> tensor<?xf32> {
  %0 = qir.reduce_prod %a axes [-1] {keepdims = 0 : i64} : (tensor<?x3xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: func.func @reduce_l2(
// CHECK: qir.reduce_l2 %arg0 axes [-1] {keepdims = 0 : i64} : (
func.func @reduce_l2(%a: tensor<?x3xf32>) -> tensor<?xf32> {
  %0 = qir.reduce_l2 %a axes [-1] {keepdims = 0 : i64} : (tensor<?x3xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: func.func @reduce_all(
// CHECK: qir.reduce_sum %arg0 axes [] : (
func.func @reduce_all(%a: tensor<2x3xf32>) -> tensor<1x1xf32> {
  %0 = qir.reduce_sum %a axes [] : (tensor<2x3xf32>) -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}

// CHECK-LABEL: func.func @matmul(
// CHECK: qir.matmul %arg0, %arg1 : (
func.func @matmul(%a: tensor<?x2x3xf32>, %b: tensor<3x4xf32>) -> tensor<?x2x4xf32> {
  %0 = qir.matmul %a, %b : (tensor<?x2x3xf32>, tensor<3x4xf32>) -> tensor<?x2x4xf32>
  return %0 : tensor<?x2x4xf32>
}

// CHECK-LABEL: func.func @matmul_vector(
// CHECK: qir.matmul %arg0, %arg1 : (
func.func @matmul_vector(%a: tensor<3xf32>, %b: tensor<3xf32>) -> tensor<f32> {
  %0 = qir.matmul %a, %b : (tensor<3xf32>, tensor<3xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// CHECK-LABEL: func.func @einsum(
// CHECK: qir.einsum "ij,jk->ik" %arg0, %arg1 : (
func.func @einsum(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %0 = qir.einsum "ij,jk->ik" %a, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @softmax(
// CHECK: qir.softmax %arg0 {axis = 0 : i64} : (
func.func @softmax(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qir.softmax %a {axis = 0 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @softmax_default(
// CHECK: qir.softmax %arg0 : (
func.func @softmax_default(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qir.softmax %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @log_softmax(
// CHECK: qir.log_softmax %arg0 {axis = 1 : i64} : (
func.func @log_softmax(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qir.log_softmax %a {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @arg_max(
// CHECK: qir.arg_max %arg0 {axis = 1 : i64, keepdims = 0 : i64, select_last = 1 : i64} : (
func.func @arg_max(%a: tensor<2x3xf32>) -> tensor<2xi64> {
  %0 = qir.arg_max %a {axis = 1 : i64, keepdims = 0 : i64, select_last = 1 : i64} : (tensor<2x3xf32>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// CHECK-LABEL: func.func @top_k(
// CHECK: qir.top_k %arg0, %arg1 {largest = 0 : i64} : (
func.func @top_k(%a: tensor<2x3xf32>, %b: tensor<1xi64>) -> (tensor<2x?xf32>, tensor<2x?xi64>) {
  %0:2 = qir.top_k %a, %b {largest = 0 : i64} : (tensor<2x3xf32>, tensor<1xi64>) -> (tensor<2x?xf32>, tensor<2x?xi64>)
  return %0#0, %0#1 : tensor<2x?xf32>, tensor<2x?xi64>
}

// CHECK-LABEL: func.func @cumsum(
// CHECK: qir.cumsum %arg0 {axis = 1 : i64, exclusive = 1 : i64, reverse = 1 : i64} : (
func.func @cumsum(%a: tensor<2x3xi64>) -> tensor<2x3xi64> {
  %0 = qir.cumsum %a {axis = 1 : i64, exclusive = 1 : i64, reverse = 1 : i64} : (tensor<2x3xi64>) -> tensor<2x3xi64>
  return %0 : tensor<2x3xi64>
}
