// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @shape_of_c1(%a: tensor<2x3xf32>) -> tensor<2xi64> {
  // expected-error @below {{expects a result of shape [1], got [2]}}
  %0 = qir.shape_of %a {start = 1 : i64} : (tensor<2x3xf32>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// -----

func.func @size_of_c1(%a: tensor<2x3xf32>) -> tensor<1xi64> {
  // expected-error @below {{expects a result of rank 0, got 1}}
  %0 = qir.size_of %a : (tensor<2x3xf32>) -> tensor<1xi64>
  return %0 : tensor<1xi64>
}

// -----

func.func @range_c1(%a: tensor<2xi64>, %b: tensor<i64>, %c: tensor<i64>) -> tensor<?xi64> {
  // expected-error @below {{expects an operand of one element}}
  %0 = qir.range %a, %b, %c : (tensor<2xi64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}

// -----

func.func @range_c2(%a: tensor<i64>, %b: tensor<i64>, %c: tensor<i64>) -> tensor<i64> {
  // expected-error @below {{expects a result of rank 1, got 0}}
  %0 = qir.range %a, %b, %c : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<i64>
  return %0 : tensor<i64>
}

// -----

func.func @range_c3(%a: tensor<i64>, %b: tensor<f32>, %c: tensor<i64>) -> tensor<?xi64> {
  // expected-error @below {{expects an operand of element type 'i64', got 'f32'}}
  %0 = qir.range %a, %b, %c : (tensor<i64>, tensor<f32>, tensor<i64>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}

// -----

func.func @full_c1(%a: tensor<2xi64>, %b: tensor<f32>) -> tensor<?xf32> {
  // expected-error @below {{expects a result of rank 2, got 1}}
  %0 = qir.full %a, %b : (tensor<2xi64>, tensor<f32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @full_c2(%a: tensor<1xi64>, %b: tensor<2xf32>) -> tensor<?xf32> {
  // expected-error @below {{expects a value of one element}}
  %0 = qir.full %a, %b : (tensor<1xi64>, tensor<2xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @reshape_c1(%a: tensor<2x3xf32>, %b: tensor<1x2xi64>) -> tensor<3x2xf32> {
  // expected-error @below {{expects a shape of rank 1, got 2}}
  %0 = qir.reshape %a, %b : (tensor<2x3xf32>, tensor<1x2xi64>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

func.func @reshape_c1_rank(%a: tensor<2x3xf32>, %b: tensor<3xi64>) -> tensor<3x2xf32> {
  // expected-error @below {{expects a result of rank 3, got 2}}
  %0 = qir.reshape %a, %b : (tensor<2x3xf32>, tensor<3xi64>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

func.func @reshape_c2(%a: tensor<2x3xf32>, %b: tensor<2xi64>) -> tensor<3x3xf32> {
  // expected-error @below {{expects a result of 6 elements, got 9}}
  %0 = qir.reshape %a, %b : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}

// -----

func.func @reshape_c3(%a: tensor<2x3xf32>, %b: tensor<2xi64>) -> tensor<3x2xf32> {
  // expected-error @below {{expects allowzero to be 0 or 1, got 2}}
  %0 = qir.reshape %a, %b {allowzero = 2 : i64} : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

func.func @reshape_c4(%a: tensor<2x3xf32>, %b: tensor<2xi64>) -> tensor<3x2xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.reshape %a, %b : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<3x2xf16>
  return %0 : tensor<3x2xf16>
}

// -----

func.func @flatten_c1(%a: tensor<2x3xf32>) -> tensor<6x1xf32> {
  // expected-error @below {{expects an axis inside rank 2, got 3}}
  %0 = qir.flatten %a {axis = 3 : i64} : (tensor<2x3xf32>) -> tensor<6x1xf32>
  return %0 : tensor<6x1xf32>
}

// -----

func.func @flatten_c2(%a: tensor<2x3xf32>) -> tensor<1x6xf32> {
  // expected-error @below {{expects a result of shape [6, 1], got [1, 6]}}
  %0 = qir.flatten %a {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<1x6xf32>
  return %0 : tensor<1x6xf32>
}

// -----

func.func @flatten_c3(%a: tensor<2x3xf32>) -> tensor<2x3xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.flatten %a : (tensor<2x3xf32>) -> tensor<2x3xf16>
  return %0 : tensor<2x3xf16>
}

// -----

func.func @transpose_c1(%a: tensor<2x3xf32>) -> tensor<3x3xf32> {
  // expected-error @below {{expects a permutation of 2 axes, got [1, 1]}}
  %0 = qir.transpose %a perm [1, 1] : (tensor<2x3xf32>) -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}

// -----

func.func @transpose_c2(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{expects a result of shape [3, 2], got [2, 3]}}
  %0 = qir.transpose %a perm [1, 0] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @transpose_c3(%a: tensor<2x3xf32>) -> tensor<3x2xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.transpose %a perm [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf16>
  return %0 : tensor<3x2xf16>
}

// -----

func.func @squeeze_c1(%a: tensor<2x3xf32>) -> tensor<2xf32> {
  // expected-error @below {{expects axes of size 1, got 3 at axis 1}}
  %0 = qir.squeeze %a axes [1] : (tensor<2x3xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @squeeze_c2(%a: tensor<1x3xf32>) -> tensor<1xf32> {
  // expected-error @below {{expects a result of shape [3], got [1]}}
  %0 = qir.squeeze %a axes [0] : (tensor<1x3xf32>) -> tensor<1xf32>
  return %0 : tensor<1xf32>
}

// -----

func.func @squeeze_c3(%a: tensor<1x3xf32>) -> tensor<3xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.squeeze %a axes [0] : (tensor<1x3xf32>) -> tensor<3xf16>
  return %0 : tensor<3xf16>
}

// -----

func.func @unsqueeze_c1(%a: tensor<2x3xf32>) -> tensor<2x3x1xf32> {
  // expected-error @below {{expects an axis inside rank 3, got 3}}
  %0 = qir.unsqueeze %a axes [3] : (tensor<2x3xf32>) -> tensor<2x3x1xf32>
  return %0 : tensor<2x3x1xf32>
}

// -----

func.func @unsqueeze_c2(%a: tensor<2x3xf32>) -> tensor<2x3x1xf32> {
  // expected-error @below {{expects a result of shape [1, 2, 3], got [2, 3, 1]}}
  %0 = qir.unsqueeze %a axes [0] : (tensor<2x3xf32>) -> tensor<2x3x1xf32>
  return %0 : tensor<2x3x1xf32>
}

// -----

func.func @unsqueeze_c3(%a: tensor<3xf32>) -> tensor<1x3xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.unsqueeze %a axes [0] : (tensor<3xf32>) -> tensor<1x3xf16>
  return %0 : tensor<1x3xf16>
}

// -----

func.func @expand_c1(%a: tensor<2x3xf32>, %b: tensor<i64>) -> tensor<2x3xf32> {
  // expected-error @below {{expects a shape of rank 1, got 0}}
  %0 = qir.expand %a, %b : (tensor<2x3xf32>, tensor<i64>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @expand_c2(%a: tensor<2x3xf32>, %b: tensor<3xi64>) -> tensor<2x3xf32> {
  // expected-error @below {{expects a result of rank 3, got 2}}
  %0 = qir.expand %a, %b : (tensor<2x3xf32>, tensor<3xi64>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @expand_c2_dim(%a: tensor<2x3xf32>, %b: tensor<2xi64>) -> tensor<2x4xf32> {
  // expected-error @below {{expects to keep dimension 3, got 4}}
  %0 = qir.expand %a, %b : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

func.func @expand_c3(%a: tensor<2x3xf32>, %b: tensor<2xi64>) -> tensor<2x3xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.expand %a, %b : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x3xf16>
  return %0 : tensor<2x3xf16>
}

// -----

func.func @tile_c1(%a: tensor<2x3xf32>, %b: tensor<3xi64>) -> tensor<2x3xf32> {
  // expected-error @below {{expects repeats of shape [2], got [3]}}
  %0 = qir.tile %a, %b : (tensor<2x3xf32>, tensor<3xi64>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @tile_c2(%a: tensor<2x3xf32>, %b: tensor<2xi64>) -> tensor<2xf32> {
  // expected-error @below {{expects a result of rank 2, got 1}}
  %0 = qir.tile %a, %b : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @concat_c1(%a: tensor<2xf32>, %b: tensor<2xf16>) -> tensor<4xf32> {
  // expected-error @below {{expects a result of element type 'f16', got 'f32'}}
  %0 = qir.concat %a, %b {axis = 0 : i64} : (tensor<2xf32>, tensor<2xf16>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @concat_c2(%a: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @below {{expects an axis inside rank 1, got 1}}
  %0 = qir.concat %a {axis = 1 : i64} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @concat_c3(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) -> tensor<4x3xf32> {
  // expected-error @below {{expects operands that agree outside the axis}}
  %0 = qir.concat %a, %b {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

func.func @concat_c3_sum(%a: tensor<2x3xf32>, %b: tensor<2x3xf32>) -> tensor<5x3xf32> {
  // expected-error @below {{expects a result of shape [4, 3], got [5, 3]}}
  %0 = qir.concat %a, %b {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}

// -----

func.func @split_c1(%a: tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x2xf32>) {
  // expected-error @below {{expects one size per result, got 3 for 2}}
  %0:2 = qir.split %a sizes [1, 1, 1] {axis = 1 : i64} : (tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x2xf32>)
  return %0#0, %0#1 : tensor<2x1xf32>, tensor<2x2xf32>
}

// -----

func.func @split_c2(%a: tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x2xf32>) {
  // expected-error @below {{expects an axis inside rank 2, got 2}}
  %0:2 = qir.split %a sizes [1, 2] {axis = 2 : i64} : (tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x2xf32>)
  return %0#0, %0#1 : tensor<2x1xf32>, tensor<2x2xf32>
}

// -----

func.func @split_c3(%a: tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x1xf32>) {
  // expected-error @below {{expects sizes that add up to 3, got 2}}
  %0:2 = qir.split %a sizes [1, 1] {axis = 1 : i64} : (tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x1xf32>)
  return %0#0, %0#1 : tensor<2x1xf32>, tensor<2x1xf32>
}

// -----

func.func @split_c4(%a: tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x1xf32>) {
  // expected-error @below {{expects a result of shape [2, 2], got [2, 1]}}
  %0:2 = qir.split %a sizes [1, 2] {axis = 1 : i64} : (tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x1xf32>)
  return %0#0, %0#1 : tensor<2x1xf32>, tensor<2x1xf32>
}

// -----

func.func @slice_c1(%a: tensor<2x3xf32>, %b: tensor<1xi64>, %c: tensor<2xi64>) -> tensor<?x?xf32> {
  // expected-error @below {{expects starts of shape [2], got [1]}}
  %0 = qir.slice %a, %b, %c axes [0, 1] steps [1, 1] : (tensor<2x3xf32>, tensor<1xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

func.func @slice_c2(%a: tensor<2x3xf32>, %b: tensor<2xi64>, %c: tensor<2xi64>) -> tensor<?x?xf32> {
  // expected-error @below {{expects distinct axes, got 1 twice}}
  %0 = qir.slice %a, %b, %c axes [1, 1] steps [1, 1] : (tensor<2x3xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

func.func @slice_c3(%a: tensor<2x3xf32>, %b: tensor<1xi64>, %c: tensor<1xi64>) -> tensor<?x?xf32> {
  // expected-error @below {{expects one step per axis, none of them 0, got [0]}}
  %0 = qir.slice %a, %b, %c axes [1] steps [0] : (tensor<2x3xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

func.func @slice_c4(%a: tensor<2x3xf32>, %b: tensor<1xi64>, %c: tensor<1xi64>) -> tensor<3x?xf32> {
  // expected-error @below {{expects a result of shape [2, ?], got [3, ?]}}
  %0 = qir.slice %a, %b, %c axes [1] steps [1] : (tensor<2x3xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<3x?xf32>
  return %0 : tensor<3x?xf32>
}

// -----

func.func @slice_c5(%a: tensor<2x3xf32>, %b: tensor<1xi64>, %c: tensor<1xi64>) -> tensor<2x?xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.slice %a, %b, %c axes [1] steps [1] : (tensor<2x3xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<2x?xf16>
  return %0 : tensor<2x?xf16>
}
