// RUN: qopt-opt %s --verify-roundtrip | FileCheck %s
// RUN: qopt-opt %s --mlir-print-op-generic | qopt-opt | FileCheck %s

// CHECK-LABEL: func.func @dequantize_linear(
// CHECK: qir.dequantize_linear %arg0, %arg1 zero_point %arg2 {axis = 0 : i64, block_size = 32 : i64} : (
func.func @dequantize_linear(%a: tensor<64x2xui8>, %b: tensor<2x2xf32>, %c: tensor<2x2xui8>) -> tensor<64x2xf32> {
  %0 = qir.dequantize_linear %a, %b zero_point %c {axis = 0 : i64, block_size = 32 : i64} : (tensor<64x2xui8>, tensor<2x2xf32>, tensor<2x2xui8>) -> tensor<64x2xf32>
  return %0 : tensor<64x2xf32>
}

// CHECK-LABEL: func.func @dequantize_linear_plain(
// CHECK: qir.dequantize_linear %arg0, %arg1 : (
func.func @dequantize_linear_plain(%a: tensor<4x2xi8>, %b: tensor<f32>) -> tensor<4x2xf32> {
  %0 = qir.dequantize_linear %a, %b : (tensor<4x2xi8>, tensor<f32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// CHECK-LABEL: func.func @quantize_linear(
// CHECK: qir.quantize_linear %arg0, %arg1 zero_point %arg2 : (
func.func @quantize_linear(%a: tensor<4x2xf32>, %b: tensor<2xf32>, %c: tensor<2xui8>) -> tensor<4x2xui8> {
  %0 = qir.quantize_linear %a, %b zero_point %c : (tensor<4x2xf32>, tensor<2xf32>, tensor<2xui8>) -> tensor<4x2xui8>
  return %0 : tensor<4x2xui8>
}

// CHECK-LABEL: func.func @dynamic_quantize_linear(
// CHECK: qir.dynamic_quantize_linear %arg0 : (
func.func @dynamic_quantize_linear(%a: tensor<?x2xf32>) -> (tensor<?x2xui8>, tensor<f32>, tensor<ui8>) {
  %0:3 = qir.dynamic_quantize_linear %a : (tensor<?x2xf32>) -> (tensor<?x2xui8>, tensor<f32>, tensor<ui8>)
  return %0#0, %0#1, %0#2 : tensor<?x2xui8>, tensor<f32>, tensor<ui8>
}

// CHECK-LABEL: func.func @matmul_integer(
// CHECK: qir.matmul_integer %arg0, %arg1 b_zero_point %arg2 : (
func.func @matmul_integer(%a: tensor<?x4xui8>, %b: tensor<4x2xi8>, %c: tensor<i8>) -> tensor<?x2xi32> {
  %0 = qir.matmul_integer %a, %b b_zero_point %c : (tensor<?x4xui8>, tensor<4x2xi8>, tensor<i8>) -> tensor<?x2xi32>
  return %0 : tensor<?x2xi32>
}

// CHECK-LABEL: func.func @dequantize(
// CHECK: qir.dequantize %arg0 scales %arg1 zero_points %arg2 {bits = 4 : i64, group_size = 32 : i64} : (
func.func @dequantize(%a: tensor<8x40xui8>, %b: tensor<8x2xf16>, %c: tensor<8x2xui8>) -> tensor<8x40xf32> {
  %0 = qir.dequantize %a scales %b zero_points %c {bits = 4 : i64, group_size = 32 : i64} : (tensor<8x40xui8>, tensor<8x2xf16>, tensor<8x2xui8>) -> tensor<8x40xf32>
  return %0 : tensor<8x40xf32>
}

// CHECK-LABEL: func.func @quantize(
// CHECK: qir.quantize %arg0 scales %arg1 {bits = 8 : i64} : (
func.func @quantize(%a: tensor<8x40xf32>, %b: tensor<8x1xf32>) -> tensor<8x40xui8> {
  %0 = qir.quantize %a scales %b {bits = 8 : i64} : (tensor<8x40xf32>, tensor<8x1xf32>) -> tensor<8x40xui8>
  return %0 : tensor<8x40xui8>
}

// CHECK-LABEL: func.func @quantized_linear(
// CHECK: qir.quantized_linear %arg0, %arg1 scales %arg2 zero_points %arg3 bias %arg4 {activation = "a8", bits = 4 : i64, group_size = 32 : i64} : (
func.func @quantized_linear(%a: tensor<?x40xf32>, %b: tensor<8x40xui8>, %c: tensor<8x2xf16>, %d: tensor<8x2xui8>, %e: tensor<8xf32>) -> tensor<?x8xf32> {
  %0 = qir.quantized_linear %a, %b scales %c zero_points %d bias %e {activation = "a8", bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<8x40xui8>, tensor<8x2xf16>, tensor<8x2xui8>, tensor<8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @quantized_linear_bias(
// CHECK: qir.quantized_linear %arg0, %arg1 scales %arg2 bias %arg3 {bits = 2 : i64, group_size = 64 : i64} : (
func.func @quantized_linear_bias(%a: tensor<?x?x64xf32>, %b: tensor<8x64xui8>, %c: tensor<8x1xf16>, %d: tensor<8xf32>) -> tensor<?x?x8xf32> {
  %0 = qir.quantized_linear %a, %b scales %c bias %d {bits = 2 : i64, group_size = 64 : i64} : (tensor<?x?x64xf32>, tensor<8x64xui8>, tensor<8x1xf16>, tensor<8xf32>) -> tensor<?x?x8xf32>
  return %0 : tensor<?x?x8xf32>
}

// CHECK-LABEL: func.func @quantized_linear_alternate(
// CHECK: qir.quantized_linear %arg0, %arg1 scales %arg2 alternate %arg3 {bits = 2 : i64, group_size = 64 : i64, qir.alternate = "bf16"} : (
func.func @quantized_linear_alternate(%a: tensor<?x64xf32>, %b: tensor<8x64xui8>, %c: tensor<8x1xf16>, %d: tensor<8x64xbf16>) -> tensor<?x8xf32> {
  %0 = qir.quantized_linear %a, %b scales %c alternate %d {bits = 2 : i64, group_size = 64 : i64, qir.alternate = "bf16"} : (tensor<?x64xf32>, tensor<8x64xui8>, tensor<8x1xf16>, tensor<8x64xbf16>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @quantized_linear_outliers(
// CHECK: qir.quantized_linear %arg0, %arg1 scales %arg2 {activation = "a8", bits = 4 : i64, group_size = 32 : i64, qir.activation_scales = array<f64: 5.000000e-01, 2.500000e-01>, qir.outliers = [dense<[0, 1, 2]> : tensor<3xi32>, dense<[7, 39]> : tensor<2xui16>, dense<[1.000000e+00, -2.000000e+00]> : tensor<2xf16>]} : (
func.func @quantized_linear_outliers(%a: tensor<?x40xf32>, %b: tensor<2x40xui8>, %c: tensor<2x2xf16>) -> tensor<?x2xf32> {
  %0 = qir.quantized_linear %a, %b scales %c {activation = "a8", bits = 4 : i64, group_size = 32 : i64, qir.activation_scales = array<f64: 0.5, 0.25>, qir.outliers = [dense<[0, 1, 2]> : tensor<3xi32>, dense<[7, 39]> : tensor<2xui16>, dense<[1.0, -2.0]> : tensor<2xf16>]} : (tensor<?x40xf32>, tensor<2x40xui8>, tensor<2x2xf16>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// CHECK-LABEL: func.func @quantized_embedding(
// CHECK: qir.quantized_embedding %arg0 scales %arg1 zero_points %arg2 ids %arg3 {bits = 3 : i64, group_size = 128 : i64, offset = 2 : i64} : (
func.func @quantized_embedding(%a: tensor<8x128xui8>, %b: tensor<8x1xf16>, %c: tensor<8x1xui8>, %d: tensor<?xi32>) -> tensor<?x128xf32> {
  %0 = qir.quantized_embedding %a scales %b zero_points %c ids %d {bits = 3 : i64, group_size = 128 : i64, offset = 2 : i64} : (tensor<8x128xui8>, tensor<8x1xf16>, tensor<8x1xui8>, tensor<?xi32>) -> tensor<?x128xf32>
  return %0 : tensor<?x128xf32>
}

// CHECK-LABEL: func.func @quantized_embedding_sym(
// CHECK: qir.quantized_embedding %arg0 scales %arg1 ids %arg2 {bits = 8 : i64} : (
func.func @quantized_embedding_sym(%a: tensor<8x128xui8>, %b: tensor<8x1xf16>, %c: tensor<?x?xi64>) -> tensor<?x?x128xf32> {
  %0 = qir.quantized_embedding %a scales %b ids %c {bits = 8 : i64} : (tensor<8x128xui8>, tensor<8x1xf16>, tensor<?x?xi64>) -> tensor<?x?x128xf32>
  return %0 : tensor<?x?x128xf32>
}
