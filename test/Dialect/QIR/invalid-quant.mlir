// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @dequantize_linear_c1(%a: tensor<4xi8>, %b: tensor<f32>) -> tensor<5xf32> {
  // expected-error @below {{expects a result of shape [4], got [5]}}
  %0 = qir.dequantize_linear %a, %b : (tensor<4xi8>, tensor<f32>) -> tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

func.func @dequantize_linear_c2(%a: tensor<4x4x4xi8>, %b: tensor<2x2xf32>) -> tensor<4x4x4xf32> {
  // expected-error @below {{expects a scale of rank 0, 1 or that of x, got 2}}
  %0 = qir.dequantize_linear %a, %b : (tensor<4x4x4xi8>, tensor<2x2xf32>) -> tensor<4x4x4xf32>
  return %0 : tensor<4x4x4xf32>
}

// -----

func.func @dequantize_linear_c3(%a: tensor<4xi8>, %b: tensor<f32>, %c: tensor<4xi8>) -> tensor<4xf32> {
  // expected-error @below {{expects a zero point of shape [], got [4]}}
  %0 = qir.dequantize_linear %a, %b zero_point %c : (tensor<4xi8>, tensor<f32>, tensor<4xi8>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @dequantize_linear_c3_element(%a: tensor<4xi8>, %b: tensor<f32>, %c: tensor<ui8>) -> tensor<4xf32> {
  // expected-error @below {{expects a zero point of element type 'i8', got 'ui8'}}
  %0 = qir.dequantize_linear %a, %b zero_point %c : (tensor<4xi8>, tensor<f32>, tensor<ui8>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @dequantize_linear_c4(%a: tensor<4xi8>, %b: tensor<f32>) -> tensor<4xf32> {
  // expected-error @below {{expects a block_size of at least 0}}
  %0 = qir.dequantize_linear %a, %b {block_size = -1 : i64} : (tensor<4xi8>, tensor<f32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @quantize_linear_c1(%a: tensor<4xf32>, %b: tensor<f32>) -> tensor<5xui8> {
  // expected-error @below {{expects a result of shape [4], got [5]}}
  %0 = qir.quantize_linear %a, %b : (tensor<4xf32>, tensor<f32>) -> tensor<5xui8>
  return %0 : tensor<5xui8>
}

// -----

func.func @quantize_linear_c3(%a: tensor<4xf32>, %b: tensor<f32>, %c: tensor<i8>) -> tensor<4xui8> {
  // expected-error @below {{expects a zero point of element type 'ui8', got 'i8'}}
  %0 = qir.quantize_linear %a, %b zero_point %c : (tensor<4xf32>, tensor<f32>, tensor<i8>) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}

// -----

func.func @dynamic_quantize_linear_c1(%a: tensor<4xf32>) -> (tensor<5xui8>, tensor<f32>, tensor<ui8>) {
  // expected-error @below {{expects a result of shape [4], got [5]}}
  %0:3 = qir.dynamic_quantize_linear %a : (tensor<4xf32>) -> (tensor<5xui8>, tensor<f32>, tensor<ui8>)
  return %0#0, %0#1, %0#2 : tensor<5xui8>, tensor<f32>, tensor<ui8>
}

// -----

func.func @dynamic_quantize_linear_c2(%a: tensor<4xf32>) -> (tensor<4xui8>, tensor<1xf32>, tensor<ui8>) {
  // expected-error @below {{expects a scale of rank 0, got 1}}
  %0:3 = qir.dynamic_quantize_linear %a : (tensor<4xf32>) -> (tensor<4xui8>, tensor<1xf32>, tensor<ui8>)
  return %0#0, %0#1, %0#2 : tensor<4xui8>, tensor<1xf32>, tensor<ui8>
}

// -----

func.func @matmul_integer_c1(%a: tensor<2x3xi8>, %b: tensor<4x2xi8>) -> tensor<2x2xi32> {
  // expected-error @below {{expects operands that agree in K}}
  %0 = qir.matmul_integer %a, %b : (tensor<2x3xi8>, tensor<4x2xi8>) -> tensor<2x2xi32>
  return %0 : tensor<2x2xi32>
}

// -----

func.func @matmul_integer_c2(%a: tensor<2x3xi8>, %b: tensor<3x2xi8>) -> tensor<2x3xi32> {
  // expected-error @below {{expects a result of shape [2, 2], got [2, 3]}}
  %0 = qir.matmul_integer %a, %b : (tensor<2x3xi8>, tensor<3x2xi8>) -> tensor<2x3xi32>
  return %0 : tensor<2x3xi32>
}

// -----

func.func @dequantize_c1(%a: tensor<320xui8>, %b: tensor<8x2xf16>) -> tensor<8x40xf32> {
  // expected-error @below {{expects codes of rank 2, got 1}}
  %0 = qir.dequantize %a scales %b {bits = 4 : i64, group_size = 32 : i64} : (tensor<320xui8>, tensor<8x2xf16>) -> tensor<8x40xf32>
  return %0 : tensor<8x40xf32>
}

// -----

func.func @dequantize_c2(%a: tensor<8x40xui8>, %b: tensor<8x2xf16>) -> tensor<8x40xf32> {
  // expected-error @below {{expects 2, 3, 4 or 8 bits, got 5}}
  %0 = qir.dequantize %a scales %b {bits = 5 : i64, group_size = 32 : i64} : (tensor<8x40xui8>, tensor<8x2xf16>) -> tensor<8x40xf32>
  return %0 : tensor<8x40xf32>
}

// -----

func.func @dequantize_c3(%a: tensor<8x40xui8>, %b: tensor<8x2xf16>) -> tensor<8x40xf32> {
  // expected-error @below {{expects a group_size of 0, 32, 64 or 128, got 16}}
  %0 = qir.dequantize %a scales %b {bits = 4 : i64, group_size = 16 : i64} : (tensor<8x40xui8>, tensor<8x2xf16>) -> tensor<8x40xf32>
  return %0 : tensor<8x40xf32>
}

// -----

func.func @dequantize_c4(%a: tensor<8x40xui8>, %b: tensor<8x1xf16>) -> tensor<8x40xf32> {
  // expected-error @below {{expects scales of shape [8, 2], got [8, 1]}}
  %0 = qir.dequantize %a scales %b {bits = 4 : i64, group_size = 32 : i64} : (tensor<8x40xui8>, tensor<8x1xf16>) -> tensor<8x40xf32>
  return %0 : tensor<8x40xf32>
}

// -----

func.func @dequantize_c5(%a: tensor<8x40xui8>, %b: tensor<8x2xf16>, %c: tensor<8x1xui8>) -> tensor<8x40xf32> {
  // expected-error @below {{expects zero points of shape [8, 2], got [8, 1]}}
  %0 = qir.dequantize %a scales %b zero_points %c {bits = 4 : i64, group_size = 32 : i64} : (tensor<8x40xui8>, tensor<8x2xf16>, tensor<8x1xui8>) -> tensor<8x40xf32>
  return %0 : tensor<8x40xf32>
}

// -----

func.func @quantize_c1(%a: tensor<320xf32>, %b: tensor<8x2xf16>) -> tensor<8x40xui8> {
  // expected-error @below {{expects codes of rank 2, got 1}}
  %0 = qir.quantize %a scales %b {bits = 4 : i64, group_size = 32 : i64} : (tensor<320xf32>, tensor<8x2xf16>) -> tensor<8x40xui8>
  return %0 : tensor<8x40xui8>
}

// -----

func.func @quantize_c2(%a: tensor<8x40xf32>, %b: tensor<8x2xf16>) -> tensor<8x40xui8> {
  // expected-error @below {{expects 2, 3, 4 or 8 bits, got 5}}
  %0 = qir.quantize %a scales %b {bits = 5 : i64, group_size = 32 : i64} : (tensor<8x40xf32>, tensor<8x2xf16>) -> tensor<8x40xui8>
  return %0 : tensor<8x40xui8>
}

// -----

func.func @quantize_c3(%a: tensor<8x40xf32>, %b: tensor<8x2xf16>) -> tensor<8x40xui8> {
  // expected-error @below {{expects a group_size of 0, 32, 64 or 128, got 16}}
  %0 = qir.quantize %a scales %b {bits = 4 : i64, group_size = 16 : i64} : (tensor<8x40xf32>, tensor<8x2xf16>) -> tensor<8x40xui8>
  return %0 : tensor<8x40xui8>
}

// -----

func.func @quantize_c4(%a: tensor<8x40xf32>, %b: tensor<8x1xf16>) -> tensor<8x40xui8> {
  // expected-error @below {{expects scales of shape [8, 2], got [8, 1]}}
  %0 = qir.quantize %a scales %b {bits = 4 : i64, group_size = 32 : i64} : (tensor<8x40xf32>, tensor<8x1xf16>) -> tensor<8x40xui8>
  return %0 : tensor<8x40xui8>
}

// -----

func.func @quantize_c5(%a: tensor<8x40xf32>, %b: tensor<8x2xf16>, %c: tensor<8x1xui8>) -> tensor<8x40xui8> {
  // expected-error @below {{expects zero points of shape [8, 2], got [8, 1]}}
  %0 = qir.quantize %a scales %b zero_points %c {bits = 4 : i64, group_size = 32 : i64} : (tensor<8x40xf32>, tensor<8x2xf16>, tensor<8x1xui8>) -> tensor<8x40xui8>
  return %0 : tensor<8x40xui8>
}

// -----

func.func @quantized_linear_c1(%a: tensor<?x40xf32>, %b: tensor<320xui8>, %c: tensor<8x2xf16>) -> tensor<?x8xf32> {
  // expected-error @below {{expects codes of rank 2, got 1}}
  %0 = qir.quantized_linear %a, %b scales %c {bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<320xui8>, tensor<8x2xf16>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @quantized_linear_c2(%a: tensor<?x40xf32>, %b: tensor<8x40xui8>, %c: tensor<8x2xf16>) -> tensor<?x8xf32> {
  // expected-error @below {{expects 2, 3, 4 or 8 bits, got 5}}
  %0 = qir.quantized_linear %a, %b scales %c {bits = 5 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<8x40xui8>, tensor<8x2xf16>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @quantized_linear_c3(%a: tensor<?x40xf32>, %b: tensor<8x40xui8>, %c: tensor<8x2xf16>) -> tensor<?x8xf32> {
  // expected-error @below {{expects a group_size of 0, 32, 64 or 128, got 16}}
  %0 = qir.quantized_linear %a, %b scales %c {bits = 4 : i64, group_size = 16 : i64} : (tensor<?x40xf32>, tensor<8x40xui8>, tensor<8x2xf16>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @quantized_linear_c4(%a: tensor<?x40xf32>, %b: tensor<8x40xui8>, %c: tensor<8x1xf16>) -> tensor<?x8xf32> {
  // expected-error @below {{expects scales of shape [8, 2], got [8, 1]}}
  %0 = qir.quantized_linear %a, %b scales %c {bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<8x40xui8>, tensor<8x1xf16>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @quantized_linear_c5(%a: tensor<?x40xf32>, %b: tensor<8x40xui8>, %c: tensor<8x2xf16>, %d: tensor<8x1xui8>) -> tensor<?x8xf32> {
  // expected-error @below {{expects zero points of shape [8, 2], got [8, 1]}}
  %0 = qir.quantized_linear %a, %b scales %c zero_points %d {bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<8x40xui8>, tensor<8x2xf16>, tensor<8x1xui8>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @quantized_embedding_c1(%a: tensor<320xui8>, %b: tensor<8x2xf16>, %c: tensor<?xi32>) -> tensor<?x40xf32> {
  // expected-error @below {{expects codes of rank 2, got 1}}
  %0 = qir.quantized_embedding %a scales %b ids %c {bits = 4 : i64, group_size = 32 : i64} : (tensor<320xui8>, tensor<8x2xf16>, tensor<?xi32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}

// -----

func.func @quantized_embedding_c2(%a: tensor<8x40xui8>, %b: tensor<8x2xf16>, %c: tensor<?xi32>) -> tensor<?x40xf32> {
  // expected-error @below {{expects 2, 3, 4 or 8 bits, got 5}}
  %0 = qir.quantized_embedding %a scales %b ids %c {bits = 5 : i64, group_size = 32 : i64} : (tensor<8x40xui8>, tensor<8x2xf16>, tensor<?xi32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}

// -----

func.func @quantized_embedding_c3(%a: tensor<8x40xui8>, %b: tensor<8x2xf16>, %c: tensor<?xi32>) -> tensor<?x40xf32> {
  // expected-error @below {{expects a group_size of 0, 32, 64 or 128, got 16}}
  %0 = qir.quantized_embedding %a scales %b ids %c {bits = 4 : i64, group_size = 16 : i64} : (tensor<8x40xui8>, tensor<8x2xf16>, tensor<?xi32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}

// -----

func.func @quantized_embedding_c4(%a: tensor<8x40xui8>, %b: tensor<8x1xf16>, %c: tensor<?xi32>) -> tensor<?x40xf32> {
  // expected-error @below {{expects scales of shape [8, 2], got [8, 1]}}
  %0 = qir.quantized_embedding %a scales %b ids %c {bits = 4 : i64, group_size = 32 : i64} : (tensor<8x40xui8>, tensor<8x1xf16>, tensor<?xi32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}

// -----

func.func @quantized_embedding_c5(%a: tensor<8x40xui8>, %b: tensor<8x2xf16>, %c: tensor<8x1xui8>, %d: tensor<?xi32>) -> tensor<?x40xf32> {
  // expected-error @below {{expects zero points of shape [8, 2], got [8, 1]}}
  %0 = qir.quantized_embedding %a scales %b zero_points %c ids %d {bits = 4 : i64, group_size = 32 : i64} : (tensor<8x40xui8>, tensor<8x2xf16>, tensor<8x1xui8>, tensor<?xi32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}

// -----

func.func @dequantize_c6(%a: tensor<8x40xui8>, %b: tensor<8x2xf16>) -> tensor<8x32xf32> {
  // expected-error @below {{expects a result of shape [8, 40], got [8, 32]}}
  %0 = qir.dequantize %a scales %b {bits = 4 : i64, group_size = 32 : i64} : (tensor<8x40xui8>, tensor<8x2xf16>) -> tensor<8x32xf32>
  return %0 : tensor<8x32xf32>
}

// -----

func.func @quantized_linear_c6(%a: tensor<?x32xf32>, %b: tensor<8x40xui8>, %c: tensor<8x2xf16>) -> tensor<?x8xf32> {
  // expected-error @below {{expects x with a last dimension of 40}}
  %0 = qir.quantized_linear %a, %b scales %c {bits = 4 : i64, group_size = 32 : i64} : (tensor<?x32xf32>, tensor<8x40xui8>, tensor<8x2xf16>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @quantized_linear_c7(%a: tensor<?x40xf32>, %b: tensor<8x40xui8>, %c: tensor<8x2xf16>, %d: tensor<7xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects a bias of shape [8], got [7]}}
  %0 = qir.quantized_linear %a, %b scales %c bias %d {bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<8x40xui8>, tensor<8x2xf16>, tensor<7xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @quantized_linear_c8(%a: tensor<?x40xf32>, %b: tensor<8x40xui8>, %c: tensor<8x2xf16>) -> tensor<?x9xf32> {
  // expected-error @below {{expects a result of shape [?, 8], got [?, 9]}}
  %0 = qir.quantized_linear %a, %b scales %c {bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<8x40xui8>, tensor<8x2xf16>) -> tensor<?x9xf32>
  return %0 : tensor<?x9xf32>
}

// -----

func.func @quantized_linear_c9(%a: tensor<?x40xf32>, %b: tensor<8x40xui8>, %c: tensor<8x2xf16>) -> tensor<?x8xf32> {
  // expected-error @below {{expects activation to be 'f32', 'a16' or 'a8', got 'a4'}}
  %0 = qir.quantized_linear %a, %b scales %c {bits = 4 : i64, group_size = 32 : i64, activation = "a4"} : (tensor<?x40xf32>, tensor<8x40xui8>, tensor<8x2xf16>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @quantized_linear_c10(%a: tensor<?x40xf32>, %b: tensor<8x40xui8>, %c: tensor<8x2xf16>, %d: tensor<40x8xf16>) -> tensor<?x8xf32> {
  // expected-error @below {{expects an alternate of shape [8, 40], got [40, 8]}}
  %0 = qir.quantized_linear %a, %b scales %c alternate %d {bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<8x40xui8>, tensor<8x2xf16>, tensor<40x8xf16>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @quantized_linear_outliers_count(%a: tensor<?x40xf32>, %b: tensor<2x40xui8>, %c: tensor<2x2xf16>) -> tensor<?x2xf32> {
  // expected-error @below {{expects qir.outliers to be vectors of rows, columns and values}}
  %0 = qir.quantized_linear %a, %b scales %c {qir.outliers = [dense<[0, 1, 2]> : tensor<3xi32>, dense<[7, 39]> : tensor<2xui16>], bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<2x40xui8>, tensor<2x2xf16>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

func.func @quantized_linear_outliers_types(%a: tensor<?x40xf32>, %b: tensor<2x40xui8>, %c: tensor<2x2xf16>) -> tensor<?x2xf32> {
  // expected-error @below {{expects outliers of i32, ui16 and f16, got}}
  %0 = qir.quantized_linear %a, %b scales %c {qir.outliers = [dense<[0, 1, 2]> : tensor<3xi32>, dense<[1.0, -2.0]> : tensor<2xf16>, dense<[7, 39]> : tensor<2xui16>], bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<2x40xui8>, tensor<2x2xf16>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

func.func @quantized_linear_outliers_rows(%a: tensor<?x40xf32>, %b: tensor<2x40xui8>, %c: tensor<2x2xf16>) -> tensor<?x2xf32> {
  // expected-error @below {{expects 3 rows of outliers, got 4}}
  %0 = qir.quantized_linear %a, %b scales %c {qir.outliers = [dense<0> : tensor<4xi32>, dense<[7, 39]> : tensor<2xui16>, dense<[1.0, -2.0]> : tensor<2xf16>], bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<2x40xui8>, tensor<2x2xf16>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

func.func @quantized_linear_outliers_columns(%a: tensor<?x40xf32>, %b: tensor<2x40xui8>, %c: tensor<2x2xf16>) -> tensor<?x2xf32> {
  // expected-error @below {{expects as many columns as values of outliers, at least one, got 1 and 2}}
  %0 = qir.quantized_linear %a, %b scales %c {qir.outliers = [dense<[0, 1, 2]> : tensor<3xi32>, dense<1> : tensor<1xui16>, dense<[1.0, -2.0]> : tensor<2xf16>], bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<2x40xui8>, tensor<2x2xf16>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

func.func @quantized_linear_activation_scales(%a: tensor<?x40xf32>, %b: tensor<2x40xui8>, %c: tensor<2x2xf16>) -> tensor<?x2xf32> {
  // expected-error @below {{expects qir.activation_scales only with activation "a8"}}
  %0 = qir.quantized_linear %a, %b scales %c {qir.activation_scales = array<f64: 0.5, 0.5>, bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<2x40xui8>, tensor<2x2xf16>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

func.func @quantized_linear_activation_scales_count(%a: tensor<?x40xf32>, %b: tensor<2x40xui8>, %c: tensor<2x2xf16>) -> tensor<?x2xf32> {
  // expected-error @below {{expects 2 of qir.activation_scales, got 1}}
  %0 = qir.quantized_linear %a, %b scales %c {activation = "a8", qir.activation_scales = array<f64: 0.5>, bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<2x40xui8>, tensor<2x2xf16>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

func.func @quantized_linear_activation_scales_positive(%a: tensor<?x40xf32>, %b: tensor<2x40xui8>, %c: tensor<2x2xf16>) -> tensor<?x2xf32> {
  // expected-error @below {{expects qir.activation_scales to be an array of positive f64}}
  %0 = qir.quantized_linear %a, %b scales %c {activation = "a8", qir.activation_scales = array<f64: 0.5, 0.0>, bits = 4 : i64, group_size = 32 : i64} : (tensor<?x40xf32>, tensor<2x40xui8>, tensor<2x2xf16>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

func.func @quantized_embedding_c6(%a: tensor<8x40xui8>, %b: tensor<8x2xf16>, %c: tensor<?xi32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects a result of shape [?, 40], got [?, 8]}}
  %0 = qir.quantized_embedding %a scales %b ids %c {bits = 4 : i64, group_size = 32 : i64} : (tensor<8x40xui8>, tensor<8x2xf16>, tensor<?xi32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @quantized_embedding_c7(%a: tensor<8x40xui8>, %b: tensor<8x2xf16>, %c: tensor<?xi32>) -> tensor<?x40xf32> {
  // expected-error @below {{expects an offset of at least 0}}
  %0 = qir.quantized_embedding %a scales %b ids %c {bits = 4 : i64, group_size = 32 : i64, offset = -1 : i64} : (tensor<8x40xui8>, tensor<8x2xf16>, tensor<?xi32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}
