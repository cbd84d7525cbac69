// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @neg_c1(%a: tensor<2x3xf32>) -> tensor<3x2xf32> {
  // expected-error @below {{expects a result of shape [2, 3], got [3, 2]}}
  %0 = qir.neg %a : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

func.func @not_c1(%a: tensor<2x3xi1>) -> tensor<3x2xi1> {
  // expected-error @below {{expects a result of shape [2, 3], got [3, 2]}}
  %0 = qir.not %a : (tensor<2x3xi1>) -> tensor<3x2xi1>
  return %0 : tensor<3x2xi1>
}

// -----

func.func @cast_c1(%a: tensor<2x3xf32>) -> tensor<3x2xf32> {
  // expected-error @below {{expects a result of shape [2, 3], got [3, 2]}}
  %0 = qir.cast %a : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// -----

func.func @neg_c1_element(%a: tensor<2x3xf32>) -> tensor<2x3xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.neg %a : (tensor<2x3xf32>) -> tensor<2x3xf16>
  return %0 : tensor<2x3xf16>
}

// -----

func.func @add_c1(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{expects shapes that broadcast, got 'tensor<2x3xf32>' and 'tensor<2x4xf32>'}}
  %0 = qir.add %a, %b : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @add_c1_result(%a: tensor<2x3xf32>, %b: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error @below {{expects a result of shape [2, 3], got [3]}}
  %0 = qir.add %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @add_c2(%a: tensor<3xf32>, %b: tensor<3xf16>) -> tensor<3xf32> {
  // expected-error @below {{expects a second operand of element type 'f32', got 'f16'}}
  %0 = qir.add %a, %b : (tensor<3xf32>, tensor<3xf16>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @add_c3(%a: tensor<3xf32>, %b: tensor<3xf32>) -> tensor<3xf16> {
  // expected-error @below {{expects a result of element type 'f32', got 'f16'}}
  %0 = qir.add %a, %b : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf16>
  return %0 : tensor<3xf16>
}

// -----

func.func @less_c1(%a: tensor<3xf32>, %b: tensor<4xf32>) -> tensor<3xi1> {
  // expected-error @below {{expects shapes that broadcast}}
  %0 = qir.less %a, %b : (tensor<3xf32>, tensor<4xf32>) -> tensor<3xi1>
  return %0 : tensor<3xi1>
}

// -----

func.func @less_c2(%a: tensor<3xf32>, %b: tensor<3xi64>) -> tensor<3xi1> {
  // expected-error @below {{expects a second operand of element type 'f32', got 'i64'}}
  %0 = qir.less %a, %b : (tensor<3xf32>, tensor<3xi64>) -> tensor<3xi1>
  return %0 : tensor<3xi1>
}

// -----

func.func @pow_c1(%a: tensor<3xf32>, %b: tensor<2xi64>) -> tensor<3xf32> {
  // expected-error @below {{expects shapes that broadcast}}
  %0 = qir.pow %a, %b : (tensor<3xf32>, tensor<2xi64>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @pow_c2(%a: tensor<3xf32>, %b: tensor<3xi64>) -> tensor<3xi64> {
  // expected-error @below {{expects a result of element type 'f32', got 'i64'}}
  %0 = qir.pow %a, %b : (tensor<3xf32>, tensor<3xi64>) -> tensor<3xi64>
  return %0 : tensor<3xi64>
}

// -----

func.func @mod_c4(%a: tensor<3xf32>, %b: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error @below {{expects fmod to be 0 or 1, got 2}}
  %0 = qir.mod %a, %b {fmod = 2 : i64} : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @gelu_c1(%a: tensor<3xf32>) -> tensor<2xf32> {
  // expected-error @below {{expects a result of shape [3], got [2]}}
  %0 = qir.gelu %a : (tensor<3xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @gelu_c2(%a: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error @below {{expects approximate to be 'none' or 'tanh', got 'fast'}}
  %0 = qir.gelu %a {approximate = "fast"} : (tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @softcap_c1(%a: tensor<3xf32>) -> tensor<2xf32> {
  // expected-error @below {{expects a result of shape [3], got [2]}}
  %0 = qir.softcap %a {cap = 1.0 : f64} : (tensor<3xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @softcap_c2(%a: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error @below {{expects a positive cap}}
  %0 = qir.softcap %a {cap = 0.0 : f64} : (tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @where_c1(%a: tensor<2xi1>, %b: tensor<3xf32>, %c: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error @below {{expects shapes that broadcast}}
  %0 = qir.where %a, %b, %c : (tensor<2xi1>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @where_c2(%a: tensor<3xi1>, %b: tensor<3xf32>, %c: tensor<3xf16>) -> tensor<3xf32> {
  // expected-error @below {{expects a second choice of element type 'f32', got 'f16'}}
  %0 = qir.where %a, %b, %c : (tensor<3xi1>, tensor<3xf32>, tensor<3xf16>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @clip_c1(%a: tensor<3xf32>) -> tensor<2xf32> {
  // expected-error @below {{expects a result of shape [3], got [2]}}
  %0 = qir.clip %a : (tensor<3xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @clip_c2(%a: tensor<3xf32>, %b: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error @below {{expects a bound of one element, got 'tensor<3xf32>'}}
  %0 = qir.clip %a max %b : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @clip_c2_element(%a: tensor<3xf32>, %b: tensor<i64>) -> tensor<3xf32> {
  // expected-error @below {{expects a bound of element type 'f32', got 'i64'}}
  %0 = qir.clip %a min %b : (tensor<3xf32>, tensor<i64>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
