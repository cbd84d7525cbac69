// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @gather_c1(%a: tensor<2x3xf32>, %b: tensor<i64>) -> tensor<2xf32> {
  // expected-error @below {{expects an axis inside rank 2, got 2}}
  %0 = qir.gather %a, %b {axis = 2 : i64} : (tensor<2x3xf32>, tensor<i64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @gather_c2(%a: tensor<2x3xf32>, %b: tensor<4xi64>) -> tensor<4x3xf32> {
  // expected-error @below {{expects a result of shape [2, 4], got [4, 3]}}
  %0 = qir.gather %a, %b {axis = 1 : i64} : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

func.func @gather_c3(%a: tensor<2x3xf32>, %b: tensor<4xi64>) -> tensor<4x3xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.gather %a, %b : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<4x3xf16>
  return %0 : tensor<4x3xf16>
}

// -----

func.func @gather_elements_c1(%a: tensor<2x3xf32>, %b: tensor<2x1xi64>) -> tensor<2x1xf32> {
  // expected-error @below {{expects an axis inside rank 2, got 2}}
  %0 = qir.gather_elements %a, %b {axis = 2 : i64} : (tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<2x1xf32>
  return %0 : tensor<2x1xf32>
}

// -----

func.func @gather_elements_c2(%a: tensor<2x3xf32>, %b: tensor<2xi64>) -> tensor<2xf32> {
  // expected-error @below {{expects indices of rank 2, got 1}}
  %0 = qir.gather_elements %a, %b : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @gather_elements_c2_result(%a: tensor<2x3xf32>, %b: tensor<2x1xi64>) -> tensor<2x3xf32> {
  // expected-error @below {{expects a result of shape [2, 1], got [2, 3]}}
  %0 = qir.gather_elements %a, %b : (tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @gather_elements_c3(%a: tensor<2x3xf32>, %b: tensor<2x1xi64>) -> tensor<2x1xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.gather_elements %a, %b : (tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<2x1xf16>
  return %0 : tensor<2x1xf16>
}

// -----

func.func @gather_nd_c1(%a: tensor<2x3xf32>, %b: tensor<2x1xi64>) -> tensor<2xf32> {
  // expected-error @below {{expects batch_dims below 2, got 2}}
  %0 = qir.gather_nd %a, %b {batch_dims = 2 : i64} : (tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @gather_nd_c2(%a: tensor<2x3xf32>, %b: tensor<5x1xi64>) -> tensor<5xf32> {
  // expected-error @below {{expects a result of rank 2, got 1}}
  %0 = qir.gather_nd %a, %b : (tensor<2x3xf32>, tensor<5x1xi64>) -> tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

func.func @gather_nd_c3(%a: tensor<2x3xf32>, %b: tensor<5x1xi64>) -> tensor<5x3xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.gather_nd %a, %b : (tensor<2x3xf32>, tensor<5x1xi64>) -> tensor<5x3xf16>
  return %0 : tensor<5x3xf16>
}

// -----

func.func @scatter_nd_c1(%a: tensor<2x3xf32>, %b: tensor<1x1xi64>, %c: tensor<1x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{expects reduction to be 'none', 'add', 'mul', 'min' or 'max', got 'div'}}
  %0 = qir.scatter_nd %a, %b, %c {reduction = "div"} : (tensor<2x3xf32>, tensor<1x1xi64>, tensor<1x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @scatter_nd_c2(%a: tensor<2x3xf32>, %b: tensor<1x1xi64>, %c: tensor<1x3xf32>) -> tensor<3x3xf32> {
  // expected-error @below {{expects a result of shape [2, 3], got [3, 3]}}
  %0 = qir.scatter_nd %a, %b, %c : (tensor<2x3xf32>, tensor<1x1xi64>, tensor<1x3xf32>) -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}

// -----

func.func @scatter_nd_c3(%a: tensor<2x3xf32>, %b: tensor<1x1xi64>, %c: tensor<1x3xf16>) -> tensor<2x3xf32> {
  // expected-error @below {{expects updates of element type 'f32', got 'f16'}}
  %0 = qir.scatter_nd %a, %b, %c : (tensor<2x3xf32>, tensor<1x1xi64>, tensor<1x3xf16>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @pad_c1(%a: tensor<2x3xf32>, %b: tensor<4xi64>) -> tensor<?x?xf32> {
  // expected-error @below {{expects mode to be 'constant', 'reflect', 'edge' or 'wrap', got 'zero'}}
  %0 = qir.pad %a, %b axes [] {mode = "zero"} : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

func.func @pad_c2(%a: tensor<2x3xf32>, %b: tensor<4xi64>) -> tensor<?x?xf32> {
  // expected-error @below {{expects pads of shape [2], got [4]}}
  %0 = qir.pad %a, %b axes [1] : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

func.func @pad_c3(%a: tensor<2x3xf32>, %b: tensor<2xi64>) -> tensor<?xf32> {
  // expected-error @below {{expects a result of rank 2, got 1}}
  %0 = qir.pad %a, %b axes [1] : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @pad_c4(%a: tensor<2x3xf32>, %b: tensor<2xi64>, %c: tensor<2xf32>) -> tensor<2x?xf32> {
  // expected-error @below {{expects a value of one element}}
  %0 = qir.pad %a, %b value %c axes [1] : (tensor<2x3xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}

// -----

func.func @trilu_c1(%a: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error @below {{expects an operand of rank 2 or more}}
  %0 = qir.trilu %a : (tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @trilu_c2(%a: tensor<2x3xf32>) -> tensor<3x3xf32> {
  // expected-error @below {{expects a result of shape [2, 3], got [3, 3]}}
  %0 = qir.trilu %a : (tensor<2x3xf32>) -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}

// -----

func.func @trilu_c3(%a: tensor<2x3xf32>, %b: tensor<2xi64>) -> tensor<2x3xf32> {
  // expected-error @below {{expects k of one element}}
  %0 = qir.trilu %a k %b : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @trilu_c4(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{expects upper to be 0 or 1, got 2}}
  %0 = qir.trilu %a {upper = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @non_zero_c1(%a: tensor<2x3xf32>) -> tensor<3x?xi64> {
  // expected-error @below {{expects a result of shape [2, ?], got [3, ?]}}
  %0 = qir.non_zero %a : (tensor<2x3xf32>) -> tensor<3x?xi64>
  return %0 : tensor<3x?xi64>
}
