// RUN: qopt-opt %s --verify-roundtrip | FileCheck %s
// RUN: qopt-opt %s --mlir-print-op-generic | qopt-opt | FileCheck %s

// CHECK-LABEL: func.func @embedding(
// CHECK: qir.embedding %arg0, %arg1 {offset = 2 : i64, scheme = #qir.scheme<w8a16, channel, sym>} : (
func.func @embedding(%a: tensor<9x4xf16>, %b: tensor<?xi32>) -> tensor<?x4xf32> {
  %0 = qir.embedding %a, %b {offset = 2 : i64, scheme = #qir.scheme<w8a16, channel, sym>} : (tensor<9x4xf16>, tensor<?xi32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @linear(
// CHECK: qir.linear %arg0, %arg1 bias %arg2 {role = "head", scheme = #qir.scheme<w4a16, group = 128, sym>} : (
func.func @linear(%a: tensor<?x?x4xf32>, %b: tensor<8x4xf16>, %c: tensor<8xf32>) -> tensor<?x?x8xf32> {
  %0 = qir.linear %a, %b bias %c {role = "head", scheme = #qir.scheme<w4a16, group = 128, sym>} : (tensor<?x?x4xf32>, tensor<8x4xf16>, tensor<8xf32>) -> tensor<?x?x8xf32>
  return %0 : tensor<?x?x8xf32>
}

// CHECK-LABEL: func.func @linear_plain(
// CHECK: qir.linear %arg0, %arg1 : (
func.func @linear_plain(%a: tensor<?x4xf32>, %b: tensor<8x4xf32>) -> tensor<?x8xf32> {
  %0 = qir.linear %a, %b : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @rms_norm(
// CHECK: qir.rms_norm %arg0, %arg1 {epsilon = 1.000000e-05 : f64} : (
func.func @rms_norm(%a: tensor<?x8xf32>, %b: tensor<4xf32>) -> tensor<?x8xf32> {
  %0 = qir.rms_norm %a, %b {epsilon = 1.000000e-05 : f64} : (tensor<?x8xf32>, tensor<4xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @layer_norm(
// CHECK: qir.layer_norm %arg0, %arg1 bias %arg2 {epsilon = 1.000000e-05 : f64} : (
func.func @layer_norm(%a: tensor<?x8xf32>, %b: tensor<8xf32>, %c: tensor<8xf32>) -> tensor<?x8xf32> {
  %0 = qir.layer_norm %a, %b bias %c {epsilon = 1.000000e-05 : f64} : (tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @layer_norm_plain(
// CHECK: qir.layer_norm %arg0, %arg1 {epsilon = 1.000000e-05 : f64} : (
func.func @layer_norm_plain(%a: tensor<?x8xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32> {
  %0 = qir.layer_norm %a, %b {epsilon = 1.000000e-05 : f64} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @rotary_embedding(
// CHECK: qir.rotary_embedding %arg0, %arg1, %arg2 {interleaved = 1 : i64} : (
func.func @rotary_embedding(%a: tensor<?x2x?x8xf32>, %b: tensor<?x?x4xf32>, %c: tensor<?x?x4xf32>) -> tensor<?x2x?x8xf32> {
  %0 = qir.rotary_embedding %a, %b, %c {interleaved = 1 : i64} : (tensor<?x2x?x8xf32>, tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x2x?x8xf32>
  return %0 : tensor<?x2x?x8xf32>
}

// CHECK-LABEL: func.func @sdpa(
// CHECK: qir.sdpa %arg0, %arg1, %arg2 mask %arg3 {scale = 5.000000e-01 : f64, softcap = 3.000000e+01 : f64} : (
func.func @sdpa(%a: tensor<?x4x?x8xf32>, %b: tensor<?x2x?x8xf32>, %c: tensor<?x2x?x6xf32>, %d: tensor<?x1x?x?xi1>) -> tensor<?x4x?x6xf32> {
  %0 = qir.sdpa %a, %b, %c mask %d {scale = 5.000000e-01 : f64, softcap = 3.000000e+01 : f64} : (tensor<?x4x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x6xf32>, tensor<?x1x?x?xi1>) -> tensor<?x4x?x6xf32>
  return %0 : tensor<?x4x?x6xf32>
}

// CHECK-LABEL: func.func @sdpa_causal(
// CHECK: qir.sdpa %arg0, %arg1, %arg2 {causal = 1 : i64, scale = 5.000000e-01 : f64} : (
func.func @sdpa_causal(%a: tensor<?x4x?x8xf32>, %b: tensor<?x2x?x8xf32>, %c: tensor<?x2x?x6xf32>) -> tensor<?x4x?x6xf32> {
  %0 = qir.sdpa %a, %b, %c {causal = 1 : i64, scale = 5.000000e-01 : f64} : (tensor<?x4x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x6xf32>) -> tensor<?x4x?x6xf32>
  return %0 : tensor<?x4x?x6xf32>
}

// CHECK-LABEL: func.func @rope(
// CHECK: qir.rope %arg0, %arg1, %arg2 {head_dim = 4 : i64, interleaved = 1 : i64, scaling = 1.500000e+00 : f64} : (
func.func @rope(%a: tensor<?x8xf32>, %b: tensor<?xi32>, %c: tensor<2xf32>) -> tensor<?x8xf32> {
  %0 = qir.rope %a, %b, %c {head_dim = 4 : i64, interleaved = 1 : i64, scaling = 1.500000e+00 : f64} : (tensor<?x8xf32>, tensor<?xi32>, tensor<2xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @attention(
// CHECK: qir.attention %arg0, %arg1, %arg2 {cache = 0 : i64, head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 4 : i64, scale = 5.000000e-01 : f64, value_dim = 2 : i64, window = 8 : i64} : (
func.func @attention(%a: tensor<?x16xf32>, %b: tensor<?x8xf32>, %c: tensor<?x4xf32>) -> tensor<?x8xf32> {
  %0 = qir.attention %a, %b, %c {cache = 0 : i64, head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 4 : i64, scale = 5.000000e-01 : f64, value_dim = 2 : i64, window = 8 : i64} : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @hadamard(
// CHECK: qir.hadamard %arg0 {block = 4 : i64} : (tensor<?x24xf32>) -> tensor<?x24xf32>
// CHECK: qir.hadamard %{{.*}} base %arg1 {block = 24 : i64} : (tensor<?x24xf32>, tensor<12x12xf32>) -> tensor<?x24xf32>
func.func @hadamard(%a: tensor<?x24xf32>, %b: tensor<12x12xf32>) -> tensor<?x24xf32> {
  %0 = qir.hadamard %a {block = 4 : i64} : (tensor<?x24xf32>) -> tensor<?x24xf32>
  %1 = qir.hadamard %0 base %b {block = 24 : i64} : (tensor<?x24xf32>, tensor<12x12xf32>) -> tensor<?x24xf32>
  return %1 : tensor<?x24xf32>
}

// CHECK-LABEL: func.func @swiglu(
// CHECK: qir.swiglu %arg0, %arg1 : (
func.func @swiglu(%a: tensor<?x8xf32>, %b: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = qir.swiglu %a, %b : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @geglu(
// CHECK: qir.geglu %arg0, %arg1 {approximate = "tanh"} : (
func.func @geglu(%a: tensor<?x8xf32>, %b: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = qir.geglu %a, %b {approximate = "tanh"} : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
