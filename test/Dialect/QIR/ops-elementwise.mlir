// RUN: qopt-opt %s --verify-roundtrip | FileCheck %s
// RUN: qopt-opt %s --mlir-print-op-generic | qopt-opt | FileCheck %s

// CHECK-LABEL: func.func @neg(
// CHECK: qir.neg %arg0 : (
func.func @neg(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.neg %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @abs(
// CHECK: qir.abs %arg0 : (
func.func @abs(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.abs %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @sign(
// CHECK: qir.sign %arg0 : (
func.func @sign(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.sign %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @relu(
// CHECK: qir.relu %arg0 : (
func.func @relu(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.relu %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @sqrt(
// CHECK: qir.sqrt %arg0 : (
func.func @sqrt(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.sqrt %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @reciprocal(
// CHECK: qir.reciprocal %arg0 : (
func.func @reciprocal(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.reciprocal %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @exp(
// CHECK: qir.exp %arg0 : (
func.func @exp(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.exp %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @log(
// CHECK: qir.log %arg0 : (
func.func @log(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.log %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @erf(
// CHECK: qir.erf %arg0 : (
func.func @erf(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.erf %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @tanh(
// CHECK: qir.tanh %arg0 : (
func.func @tanh(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.tanh %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @sigmoid(
// CHECK: qir.sigmoid %arg0 : (
func.func @sigmoid(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.sigmoid %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @cos(
// CHECK: qir.cos %arg0 : (
func.func @cos(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.cos %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @sin(
// CHECK: qir.sin %arg0 : (
func.func @sin(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.sin %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @floor(
// CHECK: qir.floor %arg0 : (
func.func @floor(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.floor %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @ceil(
// CHECK: qir.ceil %arg0 : (
func.func @ceil(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.ceil %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @round(
// CHECK: qir.round %arg0 : (
func.func @round(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.round %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @softplus(
// CHECK: qir.softplus %arg0 : (
func.func @softplus(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.softplus %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @silu(
// CHECK: qir.silu %arg0 : (
func.func @silu(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.silu %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @identity(
// CHECK: qir.identity %arg0 : (
func.func @identity(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = qir.identity %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @not(
// CHECK: qir.not %arg0 : (
func.func @not(%a: tensor<2xi1>) -> tensor<2xi1> {
  %0 = qir.not %a : (tensor<2xi1>) -> tensor<2xi1>
  return %0 : tensor<2xi1>
}

// CHECK-LABEL: func.func @is_nan(
// CHECK: qir.is_nan %arg0 : (
func.func @is_nan(%a: tensor<2xf16>) -> tensor<2xi1> {
  %0 = qir.is_nan %a : (tensor<2xf16>) -> tensor<2xi1>
  return %0 : tensor<2xi1>
}

// CHECK-LABEL: func.func @is_inf(
// CHECK: qir.is_inf %arg0 : (
func.func @is_inf(%a: tensor<2xf16>) -> tensor<2xi1> {
  %0 = qir.is_inf %a : (tensor<2xf16>) -> tensor<2xi1>
  return %0 : tensor<2xi1>
}

// CHECK-LABEL: func.func @gelu(
// CHECK: qir.gelu %arg0 {approximate = "tanh"} : (
func.func @gelu(%a: tensor<2xf32>) -> tensor<2xf32> {
  %0 = qir.gelu %a {approximate = "tanh"} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @quick_gelu(
// CHECK: qir.quick_gelu %arg0 {alpha = 1.500000e+00 : f64} : (
func.func @quick_gelu(%a: tensor<2xf32>) -> tensor<2xf32> {
  %0 = qir.quick_gelu %a {alpha = 1.500000e+00 : f64} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @softcap(
// CHECK: qir.softcap %arg0 {cap = 3.000000e+01 : f64} : (
func.func @softcap(%a: tensor<2xf32>) -> tensor<2xf32> {
  %0 = qir.softcap %a {cap = 3.000000e+01 : f64} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @cast(
// CHECK: qir.cast %arg0 : (
func.func @cast(%a: tensor<*xf16>) -> tensor<2xui8> {
  %0 = qir.cast %a : (tensor<*xf16>) -> tensor<2xui8>
  return %0 : tensor<2xui8>
}

// CHECK-LABEL: func.func @add(
// CHECK: qir.add %arg0, %arg1 : (
func.func @add(%a: tensor<?x3xf32>, %b: tensor<3xf32>) -> tensor<?x3xf32> {
  %0 = qir.add %a, %b : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @sub(
// CHECK: qir.sub %arg0, %arg1 : (
func.func @sub(%a: tensor<?x3xf32>, %b: tensor<3xf32>) -> tensor<?x3xf32> {
  %0 = qir.sub %a, %b : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @mul(
// CHECK: qir.mul %arg0, %arg1 : (
func.func @mul(%a: tensor<?x3xf32>, %b: tensor<3xf32>) -> tensor<?x3xf32> {
  %0 = qir.mul %a, %b : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @div(
// CHECK: qir.div %arg0, %arg1 : (
func.func @div(%a: tensor<?x3xf32>, %b: tensor<3xf32>) -> tensor<?x3xf32> {
  %0 = qir.div %a, %b : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @min(
// CHECK: qir.min %arg0, %arg1 : (
func.func @min(%a: tensor<?x3xf32>, %b: tensor<3xf32>) -> tensor<?x3xf32> {
  %0 = qir.min %a, %b : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @max(
// CHECK: qir.max %arg0, %arg1 : (
func.func @max(%a: tensor<?x3xf32>, %b: tensor<3xf32>) -> tensor<?x3xf32> {
  %0 = qir.max %a, %b : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @pow(
// CHECK: qir.pow %arg0, %arg1 : (
func.func @pow(%a: tensor<?x3xf32>, %b: tensor<3xf32>) -> tensor<?x3xf32> {
  %0 = qir.pow %a, %b : (tensor<?x3xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @mod(
// CHECK: qir.mod %arg0, %arg1 {fmod = 1 : i64} : (
func.func @mod(%a: tensor<2xi64>, %b: tensor<i64>) -> tensor<2xi64> {
  %0 = qir.mod %a, %b {fmod = 1 : i64} : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// CHECK-LABEL: func.func @equal(
// CHECK: qir.equal %arg0, %arg1 : (
func.func @equal(%a: tensor<2x1xf32>, %b: tensor<1x3xf32>) -> tensor<2x3xi1> {
  %0 = qir.equal %a, %b : (tensor<2x1xf32>, tensor<1x3xf32>) -> tensor<2x3xi1>
  return %0 : tensor<2x3xi1>
}

// CHECK-LABEL: func.func @less(
// CHECK: qir.less %arg0, %arg1 : (
func.func @less(%a: tensor<2x1xf32>, %b: tensor<1x3xf32>) -> tensor<2x3xi1> {
  %0 = qir.less %a, %b : (tensor<2x1xf32>, tensor<1x3xf32>) -> tensor<2x3xi1>
  return %0 : tensor<2x3xi1>
}

// CHECK-LABEL: func.func @less_equal(
// CHECK: qir.less_equal %arg0, %arg1 : (
func.func @less_equal(%a: tensor<2x1xf32>, %b: tensor<1x3xf32>) -> tensor<2x3xi1> {
  %0 = qir.less_equal %a, %b : (tensor<2x1xf32>, tensor<1x3xf32>) -> tensor<2x3xi1>
  return %0 : tensor<2x3xi1>
}

// CHECK-LABEL: func.func @greater(
// CHECK: qir.greater %arg0, %arg1 : (
func.func @greater(%a: tensor<2x1xf32>, %b: tensor<1x3xf32>) -> tensor<2x3xi1> {
  %0 = qir.greater %a, %b : (tensor<2x1xf32>, tensor<1x3xf32>) -> tensor<2x3xi1>
  return %0 : tensor<2x3xi1>
}

// CHECK-LABEL: func.func @greater_equal(
// CHECK: qir.greater_equal %arg0, %arg1 : (
func.func @greater_equal(%a: tensor<2x1xf32>, %b: tensor<1x3xf32>) -> tensor<2x3xi1> {
  %0 = qir.greater_equal %a, %b : (tensor<2x1xf32>, tensor<1x3xf32>) -> tensor<2x3xi1>
  return %0 : tensor<2x3xi1>
}

// CHECK-LABEL: func.func @and(
// CHECK: qir.and %arg0, %arg1 : (
func.func @and(%a: tensor<2xi1>, %b: tensor<i1>) -> tensor<2xi1> {
  %0 = qir.and %a, %b : (tensor<2xi1>, tensor<i1>) -> tensor<2xi1>
  return %0 : tensor<2xi1>
}

// CHECK-LABEL: func.func @or(
// CHECK: qir.or %arg0, %arg1 : (
func.func @or(%a: tensor<2xi1>, %b: tensor<i1>) -> tensor<2xi1> {
  %0 = qir.or %a, %b : (tensor<2xi1>, tensor<i1>) -> tensor<2xi1>
  return %0 : tensor<2xi1>
}

// CHECK-LABEL: func.func @xor(
// CHECK: qir.xor %arg0, %arg1 : (
func.func @xor(%a: tensor<2xi1>, %b: tensor<i1>) -> tensor<2xi1> {
  %0 = qir.xor %a, %b : (tensor<2xi1>, tensor<i1>) -> tensor<2xi1>
  return %0 : tensor<2xi1>
}

// CHECK-LABEL: func.func @where(
// CHECK: qir.where %arg0, %arg1, %arg2 : (
func.func @where(%a: tensor<2x1xi1>, %b: tensor<3xf32>, %c: tensor<f32>) -> tensor<2x3xf32> {
  %0 = qir.where %a, %b, %c : (tensor<2x1xi1>, tensor<3xf32>, tensor<f32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @clip_all(
// CHECK: qir.clip %arg0 min %arg1 max %arg2 : (
func.func @clip_all(%a: tensor<2xf32>, %b: tensor<f32>, %c: tensor<f32>) -> tensor<2xf32> {
  %0 = qir.clip %a min %b max %c : (tensor<2xf32>, tensor<f32>, tensor<f32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @clip_max(
// CHECK: qir.clip %arg0 max %arg1 : (
func.func @clip_max(%a: tensor<2xf32>, %b: tensor<1xf32>) -> tensor<2xf32> {
  %0 = qir.clip %a max %b : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: func.func @clip_none(
// CHECK: qir.clip %arg0 : (
func.func @clip_none(%a: tensor<2xf32>) -> tensor<2xf32> {
  %0 = qir.clip %a : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
