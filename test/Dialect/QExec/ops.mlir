// RUN: qopt-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: func.func @tensors
func.func @tensors() -> (!qexec.weight<2, 4>, !qexec.weight<2, 40>, tensor<2xi64>) {
  // CHECK: qexec.weight "w" format "bf16" value dense<1.000000e+00> : tensor<2x4xf32> {scheme = "bf16", sources = [{name = "w", transposed = true}]} : <2, 4>
  %0 = qexec.weight "w" format "bf16" value dense<1.0> : tensor<2x4xf32> {scheme = "bf16", sources = [{name = "w", transposed = true}]} : <2, 4>
  // CHECK: qexec.weight "q" format "u4" value dense<7> : tensor<2x40xui8> scales dense<5.000000e-01> : tensor<2x2xf16> zero_points dense<8> : tensor<2x2xui8> {group_size = 32 : i64, rms_error = 1.000000e-02 : f64, sources = []} : <2, 40>
  %1 = qexec.weight "q" format "u4" value dense<7> : tensor<2x40xui8> scales dense<0.5> : tensor<2x2xf16> zero_points dense<8> : tensor<2x2xui8> {group_size = 32 : i64, rms_error = 0.01 : f64, sources = []} : <2, 40>
  // CHECK: qexec.tensor "shape" {sources = []} dense<[1, 2]> : tensor<2xi64>
  %2 = qexec.tensor "shape" {sources = []} dense<[1, 2]> : tensor<2xi64>
  return %0, %1, %2 : !qexec.weight<2, 4>, !qexec.weight<2, 40>, tensor<2xi64>
}

// CHECK-LABEL: func.func @instructions
func.func @instructions(%ids: !qexec.ids, %pos: !qexec.positions, %w: !qexec.weight<8, 8>, %v: tensor<8xf32>, %f: tensor<2xf32>, %s: tensor<f32>, %m: tensor<2x2xf32>) -> !qexec.buffer<8, selected> {
  // CHECK: %[[E:.*]] = qexec.embed %{{.*}}, %{{.*}} at 0 {offset = 2 : i64} : (!qexec.weight<8, 8>, !qexec.positions) -> !qexec.buffer<8>
  %e = qexec.embed %w, %pos at 0 {offset = 2 : i64} : (!qexec.weight<8, 8>, !qexec.positions) -> !qexec.buffer<8>
  // CHECK: qexec.embed %{{.*}}, %arg0 : (!qexec.weight<8, 8>, !qexec.ids) -> !qexec.buffer<8>
  %i = qexec.embed %w, %ids : (!qexec.weight<8, 8>, !qexec.ids) -> !qexec.buffer<8>
  // CHECK: qexec.linear %[[E]], %{{.*}} bias %{{.*}} at 16 {activation = "a8"} : (!qexec.buffer<8>, !qexec.weight<8, 8>, tensor<8xf32>) -> !qexec.buffer<8>
  %l = qexec.linear %e, %w bias %v at 16 {activation = "a8"} : (!qexec.buffer<8>, !qexec.weight<8, 8>, tensor<8xf32>) -> !qexec.buffer<8>
  // CHECK: qexec.linear %[[E]], %{{.*}} alternate %{{.*}} at 16 : (!qexec.buffer<8>, !qexec.weight<8, 8>, !qexec.weight<8, 8>) -> !qexec.buffer<8>
  %alt = qexec.linear %e, %w alternate %w at 16 : (!qexec.buffer<8>, !qexec.weight<8, 8>, !qexec.weight<8, 8>) -> !qexec.buffer<8>
  // CHECK: qexec.linear %[[E]], %{{.*}} outliers %{{.*}}, %{{.*}}, %{{.*}} at 16 {activation = "a8", activation_scales = array<f64: 5.000000e-01>} : (!qexec.buffer<8>, !qexec.weight<8, 8>, tensor<9xi32>, tensor<2xui16>, tensor<2xf16>) -> !qexec.buffer<8>
  %rows = qexec.tensor "rows" {sources = []} dense<0> : tensor<9xi32>
  %columns = qexec.tensor "columns" {sources = []} dense<0> : tensor<2xui16>
  %entries = qexec.tensor "values" {sources = []} dense<0.0> : tensor<2xf16>
  %sparse = qexec.linear %e, %w outliers %rows, %columns, %entries at 16 {activation = "a8", activation_scales = array<f64: 0.5>} : (!qexec.buffer<8>, !qexec.weight<8, 8>, tensor<9xi32>, tensor<2xui16>, tensor<2xf16>) -> !qexec.buffer<8>
  // CHECK: qexec.rms_norm %{{.*}}, %{{.*}} at 16 {epsilon = 1.000000e-05 : f64}
  %r = qexec.rms_norm %l, %v at 16 {epsilon = 1.0e-5 : f64} : (!qexec.buffer<8>, tensor<8xf32>) -> !qexec.buffer<8>
  // CHECK: qexec.layer_norm %{{.*}}, %{{.*}} bias %{{.*}} {epsilon = 1.000000e-05 : f64}
  %n = qexec.layer_norm %r, %v bias %v {epsilon = 1.0e-5 : f64} : (!qexec.buffer<8>, tensor<8xf32>, tensor<8xf32>) -> !qexec.buffer<8>
  // CHECK: qexec.rope %{{.*}}, %arg1, %{{.*}} {head_dim = 4 : i64, interleaved = 1 : i64, scaling = 2.000000e+00 : f64}
  %o = qexec.rope %n, %pos, %f {head_dim = 4 : i64, interleaved = 1 : i64, scaling = 2.0 : f64} : (!qexec.buffer<8>, !qexec.positions, tensor<2xf32>) -> !qexec.buffer<8>
  // CHECK: qexec.attention %{{.*}}, %{{.*}}, %{{.*}} cache 0 {head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 2 : i64, scale = 5.000000e-01 : f64, softcap = 3.000000e+01 : f64, value_dim = 4 : i64, window = 16 : i64}
  %a = qexec.attention %o, %n, %n cache 0 {head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 2 : i64, scale = 0.5 : f64, softcap = 30.0 : f64, value_dim = 4 : i64, window = 16 : i64} : (!qexec.buffer<8>, !qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<8>
  // CHECK: qexec.gated_activation "silu" %{{.*}}, %{{.*}}
  %g = qexec.gated_activation "silu" %a, %a : (!qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<8>
  // CHECK: qexec.unary "softcap" %{{.*}} {cap = 3.000000e+01 : f64}
  %u = qexec.unary "softcap" %g {cap = 30.0 : f64} : (!qexec.buffer<8>) -> !qexec.buffer<8>
  // CHECK: qexec.binary "sub" %{{.*}}, %arg5 {swapped = 1 : i64} : (!qexec.buffer<8>, tensor<f32>) -> !qexec.buffer<8>
  %b = qexec.binary "sub" %u, %s {swapped = 1 : i64} : (!qexec.buffer<8>, tensor<f32>) -> !qexec.buffer<8>
  // CHECK: qexec.copy_columns %{{.*}}, %{{.*}} starts [0, 4] sizes [4, 4] at 32
  %c = qexec.copy_columns %b, %i starts [0, 4] sizes [4, 4] at 32 : (!qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<8>
  // CHECK: qexec.hadamard %{{.*}} at 32 {block = 4 : i64} : (!qexec.buffer<8>) -> !qexec.buffer<8>
  %h = qexec.hadamard %c at 32 {block = 4 : i64} : (!qexec.buffer<8>) -> !qexec.buffer<8>
  // CHECK: qexec.hadamard %{{.*}} base %arg6 {block = 8 : i64} : (!qexec.buffer<8>, tensor<2x2xf32>) -> !qexec.buffer<8>
  %hb = qexec.hadamard %h base %m {block = 8 : i64} : (!qexec.buffer<8>, tensor<2x2xf32>) -> !qexec.buffer<8>
  // CHECK: qexec.select_rows %{{.*}} : (!qexec.buffer<8>) -> !qexec.buffer<8, selected>
  %x = qexec.select_rows %hb : (!qexec.buffer<8>) -> !qexec.buffer<8, selected>
  return %x : !qexec.buffer<8, selected>
}

// CHECK-LABEL: func.func @generic
func.func @generic(%x: tensor<?x8xf32>, %m: tensor<f32>, %w: !qexec.weight<4, 8>) -> tensor<?x4xf32> {
  // CHECK: qexec.tensor_op "clip"(%{{.*}}, %{{.*}}) {} {absent = array<i64: 1>} : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %0 = qexec.tensor_op "clip"(%x, %m) {} {absent = array<i64: 1>} : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  // CHECK: %{{.*}}:2 = qexec.tensor_op "split"(%{{.*}}) {axis = 1 : i64, sizes = array<i64: 4, 4>}
  %1:2 = qexec.tensor_op "split"(%0) {axis = 1 : i64, sizes = array<i64: 4, 4>} : (tensor<?x8xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  // CHECK: qexec.linear %{{.*}}, %{{.*}} : (tensor<?x8xf32>, !qexec.weight<4, 8>) -> tensor<?x4xf32>
  %2 = qexec.linear %x, %w : (tensor<?x8xf32>, !qexec.weight<4, 8>) -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}
