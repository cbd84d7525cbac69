// RUN: qopt-opt %s --qir-raise-linears --canonicalize --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s

// CHECK-LABEL: func.func @turned
// CHECK: %[[W:.*]] = qir.constant {qir.transposed}
// CHECK-SAME{LITERAL}: dense<[[1.000000e+00, 3.000000e+00, 5.000000e+00], [2.000000e+00, 4.000000e+00, 6.000000e+00]]> : tensor<2x3xf32> loc("onnx::MatMul_7")
// CHECK: qir.linear %{{.*}}, %[[W]]
func.func @turned(%x: tensor<?x?x3xf32>) -> tensor<?x?x2xf32> {
  %w = qir.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32> loc("onnx::MatMul_7")
  %y = qir.matmul %x, %w : (tensor<?x?x3xf32>, tensor<3x2xf32>) -> tensor<?x?x2xf32>
  return %y : tensor<?x?x2xf32>
}

// A weight behind a transpose is taken as stored.
// CHECK-LABEL: func.func @stored
// CHECK: %[[W:.*]] = qir.constant dense<1.000000e+00> : tensor<2x3xf32> loc("q_proj.weight")
// CHECK-NOT: qir.transpose
// CHECK: qir.linear %{{.*}}, %[[W]]
func.func @stored(%x: tensor<?x3xf32>) -> tensor<?x2xf32> {
  %w = qir.constant dense<1.0> : tensor<2x3xf32> loc("q_proj.weight")
  %t = qir.transpose %w perm [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %y = qir.matmul %x, %t : (tensor<?x3xf32>, tensor<3x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// A cast of the weight is dropped: it keeps its stored precision.
// CHECK-LABEL: func.func @half
// CHECK: qir.constant {{.*}} tensor<2x3xf16>
// CHECK-NOT: qir.cast
// CHECK: qir.linear
func.func @half(%x: tensor<?x3xf32>) -> tensor<?x2xf32> {
  %w = qir.constant dense<1.0> : tensor<3x2xf16>
  %c = qir.cast %w : (tensor<3x2xf16>) -> tensor<3x2xf32>
  %y = qir.matmul %x, %c : (tensor<?x3xf32>, tensor<3x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Signed 4-bit codes without zero point: unsigned codes, 8 more, symmetric.
// CHECK-LABEL: func.func @dequantized
// CHECK-DAG: %[[S:.*]] = qir.constant dense<2.500000e-01> : tensor<2x1xf32>
// CHECK-DAG: %[[Q:.*]] = qir.constant {qir.transposed} dense<{{\[\[}}0, 9, 15], [5, 8, 11]]> : tensor<2x3xui8>
// CHECK: qir.quantized_linear %{{.*}}, %[[Q]] scales %[[S]] {activation = "f32", bits = 4 : i64}
func.func @dequantized(%x: tensor<?x3xf32>) -> tensor<?x2xf32> {
  %q = qir.constant dense<[[-8, -3], [1, 0], [7, 3]]> : tensor<3x2xi8>
  %s = qir.constant dense<0.25> : tensor<2xf32>
  %w = qir.dequantize_linear %q, %s {axis = 1 : i64} : (tensor<3x2xi8>, tensor<2xf32>) -> tensor<3x2xf32>
  %y = qir.matmul %x, %w : (tensor<?x3xf32>, tensor<3x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Unsigned codes without zero point mean zero point 0, which is not the symmetric one.
// CHECK-LABEL: func.func @asymmetric
// CHECK: qir.quantized_linear %{{.*}}, %{{.*}} scales %{{.*}} zero_points %{{.*}}
func.func @asymmetric(%x: tensor<?x3xf32>) -> tensor<?x2xf32> {
  %q = qir.constant dense<[[0, 5, 15], [1, 2, 3]]> : tensor<2x3xui8>
  %s = qir.constant dense<0.25> : tensor<2x1xf32>
  %w = qir.dequantize_linear %q, %s {axis = 1 : i64, block_size = 4 : i64} : (tensor<2x3xui8>, tensor<2x1xf32>) -> tensor<2x3xf32>
  %t = qir.transpose %w perm [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %y = qir.matmul %x, %t : (tensor<?x3xf32>, tensor<3x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Scales along K per element have no form in the file: left alone.
// CHECK-LABEL: func.func @scales_along_k
// CHECK: qir.dequantize_linear
// CHECK: qir.matmul
func.func @scales_along_k(%x: tensor<?x3xf32>) -> tensor<?x2xf32> {
  %q = qir.constant dense<1> : tensor<3x2xi8>
  %s = qir.constant dense<[0.25, 0.5, 1.0]> : tensor<3xf32>
  %w = qir.dequantize_linear %q, %s {axis = 0 : i64} : (tensor<3x2xi8>, tensor<3xf32>) -> tensor<3x2xf32>
  %y = qir.matmul %x, %w : (tensor<?x3xf32>, tensor<3x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Both factors are values.
// CHECK-LABEL: func.func @product
// CHECK: qir.matmul
func.func @product(%x: tensor<?x?x3xf32>, %w: tensor<?x3x?xf32>) -> tensor<?x?x?xf32> {
  %y = qir.matmul %x, %w : (tensor<?x?x3xf32>, tensor<?x3x?xf32>) -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}
