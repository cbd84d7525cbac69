// RUN: qopt-opt %s --qir-raise-embeddings --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @lookup
// CHECK: qir.embedding %{{.*}}, %{{.*}} : (tensor<3x2xf32>, tensor<?x?xi64>) -> tensor<?x?x2xf32>
func.func @lookup(%ids: tensor<?x?xi64> {qir.name = "input_ids"}) -> tensor<?x?x2xf32> {
  %t = qir.constant dense<1.0> : tensor<3x2xf32>
  %y = qir.gather %t, %ids : (tensor<3x2xf32>, tensor<?x?xi64>) -> tensor<?x?x2xf32>
  return %y : tensor<?x?x2xf32>
}

// The table is the head's weight, turned: what builders do with tied embeddings.
// CHECK-LABEL: func.func @tied
// CHECK: %[[T:.*]] = qir.constant {qir.transposed} {{.*}} : tensor<3x2xf32>
// CHECK: qir.embedding %[[T]]
func.func @tied(%ids: tensor<?x?xi64> {qir.name = "input_ids"}) -> tensor<?x?x2xf32> {
  %w = qir.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %t = qir.transpose %w perm [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %y = qir.gather %t, %ids : (tensor<3x2xf32>, tensor<?x?xi64>) -> tensor<?x?x2xf32>
  return %y : tensor<?x?x2xf32>
}

// CHECK-LABEL: func.func @quantized
// CHECK: qir.quantized_embedding %{{.*}} scales %{{.*}} ids %{{.*}} {bits = 4 : i64}
func.func @quantized(%ids: tensor<?x?xi64> {qir.name = "input_ids"}) -> tensor<?x?x2xf32> {
  %q = qir.constant dense<[[-8, 7], [1, 0], [3, 3]]> : tensor<3x2xi8>
  %s = qir.constant dense<0.25> : tensor<3x1xf32>
  %t = qir.dequantize_linear %q, %s {axis = 1 : i64, block_size = 32 : i64} : (tensor<3x2xi8>, tensor<3x1xf32>) -> tensor<3x2xf32>
  %y = qir.gather %t, %ids : (tensor<3x2xf32>, tensor<?x?xi64>) -> tensor<?x?x2xf32>
  return %y : tensor<?x?x2xf32>
}

// Rotation tables and learned positions are looked up by position: left to the conversion.
// CHECK-LABEL: func.func @positions
// CHECK: qir.gather
func.func @positions(%p: tensor<?x?xi64> {qir.name = "position_ids"}) -> tensor<?x?x2xf32> {
  %t = qir.constant dense<1.0> : tensor<3x2xf32>
  %y = qir.gather %t, %p : (tensor<3x2xf32>, tensor<?x?xi64>) -> tensor<?x?x2xf32>
  return %y : tensor<?x?x2xf32>
}
