// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @reduce_sum_c1(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{expects an axis inside rank 2, got 2}}
  %0 = qir.reduce_sum %a axes [2] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @reduce_sum_c1_twice(%a: tensor<2x3xf32>) -> tensor<2x1xf32> {
  // expected-error @below {{expects distinct axes, got -1 twice}}
  %0 = qir.reduce_sum %a axes [1, -1] : (tensor<2x3xf32>) -> tensor<2x1xf32>
  return %0 : tensor<2x1xf32>
}

// -----

func.func @reduce_sum_c2(%a: tensor<2x3xf32>) -> tensor<2xf32> {
  // expected-error @below {{expects a result of shape [2, 1], got [2]}}
  %0 = qir.reduce_sum %a axes [1] : (tensor<2x3xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @reduce_sum_c3(%a: tensor<2x3xf32>) -> tensor<2xf32> {
  // expected-error @below {{expects keepdims to be 0 or 1, got 2}}
  %0 = qir.reduce_sum %a axes [1] {keepdims = 2 : i64} : (tensor<2x3xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @reduce_sum_c4(%a: tensor<2x3xf32>) -> tensor<2x1xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.reduce_sum %a axes [1] : (tensor<2x3xf32>) -> tensor<2x1xf16>
  return %0 : tensor<2x1xf16>
}

// -----

func.func @matmul_c1(%a: tensor<2x3xf32>, %b: tensor<4x2xf32>) -> tensor<2x2xf32> {
  // expected-error @below {{expects operands that agree in K}}
  %0 = qir.matmul %a, %b : (tensor<2x3xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

func.func @matmul_c2(%a: tensor<2x2x3xf32>, %b: tensor<3x3x2xf32>) -> tensor<2x2x2xf32> {
  // expected-error @below {{expects batch dimensions that broadcast}}
  %0 = qir.matmul %a, %b : (tensor<2x2x3xf32>, tensor<3x3x2xf32>) -> tensor<2x2x2xf32>
  return %0 : tensor<2x2x2xf32>
}

// -----

func.func @matmul_c2_result(%a: tensor<5x2x3xf32>, %b: tensor<3x4xf32>) -> tensor<2x4xf32> {
  // expected-error @below {{expects a result of shape [5, 2, 4], got [2, 4]}}
  %0 = qir.matmul %a, %b : (tensor<5x2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

func.func @matmul_c3(%a: tensor<2x3xf32>, %b: tensor<3x2xf16>) -> tensor<2x2xf32> {
  // expected-error @below {{expects a second operand of element type 'f32', got 'f16'}}
  %0 = qir.matmul %a, %b : (tensor<2x3xf32>, tensor<3x2xf16>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

func.func @einsum_c1(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{expects an equation of 1 terms and a result, got 'ij,jk->ik'}}
  %0 = qir.einsum "ij,jk->ik" %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @einsum_c2(%a: tensor<2x2xf32>) -> tensor<2x2xf16> {
  // expected-error @below {{expects an operand of element type 'f16', got 'f32'}}
  %0 = qir.einsum "ij->ji" %a : (tensor<2x2xf32>) -> tensor<2x2xf16>
  return %0 : tensor<2x2xf16>
}

// -----

func.func @softmax_c1(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{expects an axis inside rank 2, got -3}}
  %0 = qir.softmax %a {axis = -3 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @softmax_c2(%a: tensor<2x3xf32>) -> tensor<2x4xf32> {
  // expected-error @below {{expects a result of shape [2, 3], got [2, 4]}}
  %0 = qir.softmax %a : (tensor<2x3xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

func.func @arg_max_c1(%a: tensor<2x3xf32>) -> tensor<2x1xi64> {
  // expected-error @below {{expects an axis inside rank 2, got 2}}
  %0 = qir.arg_max %a {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x1xi64>
  return %0 : tensor<2x1xi64>
}

// -----

func.func @arg_max_c2(%a: tensor<2x3xf32>) -> tensor<2xi64> {
  // expected-error @below {{expects a result of shape [2, 1], got [2]}}
  %0 = qir.arg_max %a {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// -----

func.func @arg_max_c3(%a: tensor<2x3xf32>) -> tensor<2x1xi64> {
  // expected-error @below {{expects select_last to be 0 or 1, got 3}}
  %0 = qir.arg_max %a {axis = 1 : i64, select_last = 3 : i64} : (tensor<2x3xf32>) -> tensor<2x1xi64>
  return %0 : tensor<2x1xi64>
}

// -----

func.func @top_k_c1(%a: tensor<2x3xf32>, %b: tensor<i64>) -> (tensor<2x?xf32>, tensor<2x?xi64>) {
  // expected-error @below {{expects an axis inside rank 2, got 4}}
  %0:2 = qir.top_k %a, %b {axis = 4 : i64} : (tensor<2x3xf32>, tensor<i64>) -> (tensor<2x?xf32>, tensor<2x?xi64>)
  return %0#0, %0#1 : tensor<2x?xf32>, tensor<2x?xi64>
}

// -----

func.func @top_k_c2(%a: tensor<2x3xf32>, %b: tensor<2xi64>) -> (tensor<2x?xf32>, tensor<2x?xi64>) {
  // expected-error @below {{expects k of one element}}
  %0:2 = qir.top_k %a, %b : (tensor<2x3xf32>, tensor<2xi64>) -> (tensor<2x?xf32>, tensor<2x?xi64>)
  return %0#0, %0#1 : tensor<2x?xf32>, tensor<2x?xi64>
}

// -----

func.func @top_k_c3(%a: tensor<2x3xf32>, %b: tensor<i64>) -> (tensor<3x?xf32>, tensor<2x?xi64>) {
  // expected-error @below {{expects values of shape [2, ?], got [3, ?]}}
  %0:2 = qir.top_k %a, %b : (tensor<2x3xf32>, tensor<i64>) -> (tensor<3x?xf32>, tensor<2x?xi64>)
  return %0#0, %0#1 : tensor<3x?xf32>, tensor<2x?xi64>
}

// -----

func.func @top_k_c4(%a: tensor<2x3xf32>, %b: tensor<i64>) -> (tensor<2x?xf16>, tensor<2x?xi64>) {
  // expected-error @below {{expects values of element type 'f32', got 'f16'}}
  %0:2 = qir.top_k %a, %b : (tensor<2x3xf32>, tensor<i64>) -> (tensor<2x?xf16>, tensor<2x?xi64>)
  return %0#0, %0#1 : tensor<2x?xf16>, tensor<2x?xi64>
}

// -----

func.func @cumsum_c1(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{expects an axis inside rank 2, got 2}}
  %0 = qir.cumsum %a {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @cumsum_c2(%a: tensor<2x3xf32>) -> tensor<2xf32> {
  // expected-error @below {{expects a result of shape [2, 3], got [2]}}
  %0 = qir.cumsum %a {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @cumsum_c3(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{expects reverse to be 0 or 1, got -1}}
  %0 = qir.cumsum %a {axis = 1 : i64, reverse = -1 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
