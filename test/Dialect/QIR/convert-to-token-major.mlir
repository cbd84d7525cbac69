// RUN: qopt-opt %s --qir-convert-to-token-major --split-input-file --verify-diagnostics | FileCheck %s

// Grouped heads, a cache, a mask inside the op: reshapes and transposes are gone.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[IDS:.*]]: tensor<?xi32> {qir.name = "ids"}, %{{.*}}: tensor<?xi32> {qir.name = "positions"})
// CHECK-SAME: -> (tensor<?x8xf32> {qir.name = "logits"}) attributes {qir.token_major}
// CHECK: %[[X:.*]] = qir.embedding %{{.*}}, %[[IDS]]
// CHECK-DAG: %[[Q:.*]] = qir.linear %[[X]], %{{.*}} -> tensor<?x8xf32>
// CHECK-DAG: %[[K:.*]] = qir.linear %[[X]], %{{.*}} -> tensor<?x4xf32>
// CHECK: %[[A:.*]] = qir.attention %[[Q]], %{{.*}}, %{{.*}} {cache = 0 : i64, head_dim = 4 : i64, kv_heads = 1 : i64, num_heads = 2 : i64, scale = 5.000000e-01 : f64, value_dim = 4 : i64}
// CHECK-NEXT: return %[[A]] : tensor<?x8xf32>
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %mask: tensor<?x?xi64> {qir.name = "attention_mask"}, %pos: tensor<?x?xi64> {qir.name = "position_ids"}, %pk: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.key"}, %pv: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.value"}) -> (tensor<?x?x8xf32> {qir.name = "logits"}, tensor<?x1x?x4xf32> {qir.name = "present.0.key"}, tensor<?x1x?x4xf32> {qir.name = "present.0.value"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %wq = qir.constant dense<0.25> : tensor<8x8xf32>
  %wk = qir.constant dense<0.25> : tensor<4x8xf32>
  %qheads = qir.constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %kheads = qir.constant dense<[0, 0, 1, 4]> : tensor<4xi64>
  %merged = qir.constant dense<[0, 0, 8]> : tensor<3xi64>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q0 = qir.linear %x, %wq : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %k0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %v0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %q1 = qir.reshape %q0, %qheads : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %k1 = qir.reshape %k0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %v1 = qir.reshape %v0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %q2 = qir.transpose %q1 perm [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k2 = qir.transpose %k1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %v2 = qir.transpose %v1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %k = qir.concat %pk, %k2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %v = qir.concat %pv, %v2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %a = qir.sdpa %q2, %k, %v {scale = 0.5 : f64, causal = 1 : i64} : (tensor<?x2x?x4xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x2x?x4xf32>
  %t = qir.transpose %a perm [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %y = qir.reshape %t, %merged : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  return %y, %k, %v : tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>
}

// -----

// A computed window of 6: key j is visible to token i iff i - 6 < j <= i. The scale sits on the queries.
// CHECK-LABEL: func.func @main
// CHECK: qir.attention {{.*}} scale = 5.000000e-01 : f64, value_dim = 4 : i64, window = 6 : i64}
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %mask: tensor<?x?xi64> {qir.name = "attention_mask"}, %pos: tensor<?x?xi64> {qir.name = "position_ids"}, %pk: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.key"}, %pv: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.value"}) -> (tensor<?x?x8xf32> {qir.name = "logits"}, tensor<?x1x?x4xf32> {qir.name = "present.0.key"}, tensor<?x1x?x4xf32> {qir.name = "present.0.value"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %wq = qir.constant dense<0.25> : tensor<8x8xf32>
  %wk = qir.constant dense<0.25> : tensor<4x8xf32>
  %qheads = qir.constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %kheads = qir.constant dense<[0, 0, 1, 4]> : tensor<4xi64>
  %merged = qir.constant dense<[0, 0, 8]> : tensor<3xi64>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q0 = qir.linear %x, %wq : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %k0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %v0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %q1 = qir.reshape %q0, %qheads : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %k1 = qir.reshape %k0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %v1 = qir.reshape %v0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %q2 = qir.transpose %q1 perm [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k2 = qir.transpose %k1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %v2 = qir.transpose %v1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %k = qir.concat %pk, %k2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %v = qir.concat %pv, %v2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %c0 = qir.constant dense<0> : tensor<i64>
  %c1 = qir.constant dense<1> : tensor<i64>
  %past = qir.shape_of %pk {start = 2 : i64, end = 3 : i64} : (tensor<?x1x?x4xf32>) -> tensor<1xi64>
  %new = qir.shape_of %ids {start = 1 : i64} : (tensor<?x?xi64>) -> tensor<1xi64>
  %p = qir.squeeze %past axes [0] : (tensor<1xi64>) -> tensor<i64>
  %s = qir.squeeze %new axes [0] : (tensor<1xi64>) -> tensor<i64>
  %total = qir.add %p, %s : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %rows = qir.range %p, %total, %c1 : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %keys = qir.range %c0, %total, %c1 : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %i = qir.unsqueeze %rows axes [1] : (tensor<?xi64>) -> tensor<?x1xi64>
  %j = qir.unsqueeze %keys axes [0] : (tensor<?xi64>) -> tensor<1x?xi64>
  %kt = qir.transpose %k perm [0, 1, 3, 2] : (tensor<?x1x?x4xf32>) -> tensor<?x1x4x?xf32>
  %half = qir.constant dense<0.5> : tensor<f32>
  %qs = qir.mul %q2, %half : (tensor<?x2x?x4xf32>, tensor<f32>) -> tensor<?x2x?x4xf32>
  %qk = qir.matmul %qs, %kt : (tensor<?x2x?x4xf32>, tensor<?x1x4x?xf32>) -> tensor<?x2x?x?xf32>
  %w = qir.constant dense<6> : tensor<i64>
  %zero = qir.constant dense<0.0> : tensor<f32>
  %hidden = qir.constant dense<-3.40282347E+38> : tensor<f32>
  %causal = qir.less_equal %j, %i : (tensor<1x?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %oldest = qir.sub %i, %w : (tensor<?x1xi64>, tensor<i64>) -> tensor<?x1xi64>
  %near = qir.greater %j, %oldest : (tensor<1x?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %both = qir.and %causal, %near : (tensor<?x?xi1>, tensor<?x?xi1>) -> tensor<?x?xi1>
  %bias = qir.where %both, %zero, %hidden : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %masked = qir.add %qk, %bias : (tensor<?x2x?x?xf32>, tensor<?x?xf32>) -> tensor<?x2x?x?xf32>
  %m = qir.softmax %masked : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %a = qir.matmul %m, %v : (tensor<?x2x?x?xf32>, tensor<?x1x?x4xf32>) -> tensor<?x2x?x4xf32>
  %t = qir.transpose %a perm [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %y = qir.reshape %t, %merged : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  return %y, %k, %v : tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>
}

// -----

// Scores are capped, then hidden by a choice and kept finite; rows without keys give zeros.
// CHECK-LABEL: func.func @main
// CHECK: qir.attention {{.*}} scale = 5.000000e-01 : f64, softcap = 5.000000e+01 : f64, value_dim = 4 : i64}
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %mask: tensor<?x?xi64> {qir.name = "attention_mask"}, %pos: tensor<?x?xi64> {qir.name = "position_ids"}, %pk: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.key"}, %pv: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.value"}) -> (tensor<?x?x8xf32> {qir.name = "logits"}, tensor<?x1x?x4xf32> {qir.name = "present.0.key"}, tensor<?x1x?x4xf32> {qir.name = "present.0.value"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %wq = qir.constant dense<0.25> : tensor<8x8xf32>
  %wk = qir.constant dense<0.25> : tensor<4x8xf32>
  %qheads = qir.constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %kheads = qir.constant dense<[0, 0, 1, 4]> : tensor<4xi64>
  %merged = qir.constant dense<[0, 0, 8]> : tensor<3xi64>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q0 = qir.linear %x, %wq : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %k0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %v0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %q1 = qir.reshape %q0, %qheads : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %k1 = qir.reshape %k0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %v1 = qir.reshape %v0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %q2 = qir.transpose %q1 perm [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k2 = qir.transpose %k1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %v2 = qir.transpose %v1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %k = qir.concat %pk, %k2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %v = qir.concat %pv, %v2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %c0 = qir.constant dense<0> : tensor<i64>
  %c1 = qir.constant dense<1> : tensor<i64>
  %past = qir.shape_of %pk {start = 2 : i64, end = 3 : i64} : (tensor<?x1x?x4xf32>) -> tensor<1xi64>
  %new = qir.shape_of %ids {start = 1 : i64} : (tensor<?x?xi64>) -> tensor<1xi64>
  %p = qir.squeeze %past axes [0] : (tensor<1xi64>) -> tensor<i64>
  %s = qir.squeeze %new axes [0] : (tensor<1xi64>) -> tensor<i64>
  %total = qir.add %p, %s : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %rows = qir.range %p, %total, %c1 : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %keys = qir.range %c0, %total, %c1 : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %i = qir.unsqueeze %rows axes [1] : (tensor<?xi64>) -> tensor<?x1xi64>
  %j = qir.unsqueeze %keys axes [0] : (tensor<?xi64>) -> tensor<1x?xi64>
  %kt = qir.transpose %k perm [0, 1, 3, 2] : (tensor<?x1x?x4xf32>) -> tensor<?x1x4x?xf32>
  %half = qir.constant dense<0.5> : tensor<f32>
  %qs = qir.mul %q2, %half : (tensor<?x2x?x4xf32>, tensor<f32>) -> tensor<?x2x?x4xf32>
  %qk = qir.matmul %qs, %kt : (tensor<?x2x?x4xf32>, tensor<?x1x4x?xf32>) -> tensor<?x2x?x?xf32>
  %cap = qir.constant dense<50.0> : tensor<f32>
  %zero = qir.constant dense<0.0> : tensor<f32>
  %hidden = qir.constant dense<0xFF800000> : tensor<f32>
  %d = qir.div %qk, %cap : (tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %th = qir.tanh %d : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %capped = qir.mul %th, %cap : (tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %causal = qir.less_equal %j, %i : (tensor<1x?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %masked = qir.where %causal, %capped, %hidden : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %lowest = qir.constant dense<0xFF7FFFFF> : tensor<f32>
  %finite = qir.max %masked, %lowest : (tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %m0 = qir.softmax %finite : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %n = qir.is_nan %m0 : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xi1>
  %m = qir.where %n, %zero, %m0 : (tensor<?x2x?x?xi1>, tensor<f32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %a = qir.matmul %m, %v : (tensor<?x2x?x?xf32>, tensor<?x1x?x4xf32>) -> tensor<?x2x?x4xf32>
  %t = qir.transpose %a perm [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %y = qir.reshape %t, %merged : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  return %y, %k, %v : tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>
}

// -----

// A rotation of halves written with slices, a negation and a concatenation, on the keys only.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[POS:[a-z0-9]+]]: tensor<?xi32> {qir.name = "positions"}
// CHECK: %[[F:.*]] = qir.constant dense<[1.000000e+00, 2.500000e-01]> : tensor<2xf32>
// CHECK: %[[K:.*]] = qir.rope %{{.*}}, %[[POS]], %[[F]] {head_dim = 4 : i64}
// CHECK: qir.attention %{{.*}}, %[[K]], %{{.*}}
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %mask: tensor<?x?xi64> {qir.name = "attention_mask"}, %pos: tensor<?x?xi64> {qir.name = "position_ids"}, %pk: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.key"}, %pv: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.value"}) -> (tensor<?x?x8xf32> {qir.name = "logits"}, tensor<?x1x?x4xf32> {qir.name = "present.0.key"}, tensor<?x1x?x4xf32> {qir.name = "present.0.value"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %wq = qir.constant dense<0.25> : tensor<8x8xf32>
  %wk = qir.constant dense<0.25> : tensor<4x8xf32>
  %qheads = qir.constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %kheads = qir.constant dense<[0, 0, 1, 4]> : tensor<4xi64>
  %merged = qir.constant dense<[0, 0, 8]> : tensor<3xi64>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q0 = qir.linear %x, %wq : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %k0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %v0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %q1 = qir.reshape %q0, %qheads : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %k1 = qir.reshape %k0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %v1 = qir.reshape %v0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %q2 = qir.transpose %q1 perm [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k2 = qir.transpose %k1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %v2 = qir.transpose %v1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %f = qir.constant dense<[[[1.0, 0.25]]]> : tensor<1x1x2xf32>
  %pf = qir.cast %pos : (tensor<?x?xi64>) -> tensor<?x?xf32>
  %pu = qir.unsqueeze %pf axes [2] : (tensor<?x?xf32>) -> tensor<?x?x1xf32>
  %angle = qir.mul %pu, %f : (tensor<?x?x1xf32>, tensor<1x1x2xf32>) -> tensor<?x?x2xf32>
  %full = qir.concat %angle, %angle {axis = -1 : i64} : (tensor<?x?x2xf32>, tensor<?x?x2xf32>) -> tensor<?x?x4xf32>
  %cos = qir.cos %full : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %sin = qir.sin %full : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %cosu = qir.unsqueeze %cos axes [1] : (tensor<?x?x4xf32>) -> tensor<?x1x?x4xf32>
  %sinu = qir.unsqueeze %sin axes [1] : (tensor<?x?x4xf32>) -> tensor<?x1x?x4xf32>
  %i0 = qir.constant dense<0> : tensor<1xi64>
  %i2 = qir.constant dense<2> : tensor<1xi64>
  %end = qir.constant dense<9223372036854775807> : tensor<1xi64>
  %lo = qir.slice %k2, %i0, %i2 axes [3] steps [1] : (tensor<?x1x?x4xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x1x?x2xf32>
  %hi = qir.slice %k2, %i2, %end axes [3] steps [1] : (tensor<?x1x?x4xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x1x?x2xf32>
  %neg = qir.neg %hi : (tensor<?x1x?x2xf32>) -> tensor<?x1x?x2xf32>
  %rot = qir.concat %neg, %lo {axis = -1 : i64} : (tensor<?x1x?x2xf32>, tensor<?x1x?x2xf32>) -> tensor<?x1x?x4xf32>
  %kc = qir.mul %k2, %cosu : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %ks = qir.mul %rot, %sinu : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %kr = qir.add %kc, %ks : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %k = qir.concat %pk, %kr {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %v = qir.concat %pv, %v2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %a = qir.sdpa %q2, %k, %v {scale = 0.5 : f64, causal = 1 : i64} : (tensor<?x2x?x4xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x2x?x4xf32>
  %t = qir.transpose %a perm [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %y = qir.reshape %t, %merged : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  return %y, %k, %v : tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>
}

// -----

// Neighbours rotate each other, by half of the features, twice as long.
// CHECK-LABEL: func.func @main
// CHECK: %[[F:.*]] = qir.constant dense<1.000000e+00> : tensor<1xf32>
// CHECK: qir.rope %{{.*}}, %{{.*}}, %[[F]] {head_dim = 4 : i64, scaling = 2.000000e+00 : f64}
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %mask: tensor<?x?xi64> {qir.name = "attention_mask"}, %pos: tensor<?x?xi64> {qir.name = "position_ids"}, %pk: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.key"}, %pv: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.value"}) -> (tensor<?x?x8xf32> {qir.name = "logits"}, tensor<?x1x?x4xf32> {qir.name = "present.0.key"}, tensor<?x1x?x4xf32> {qir.name = "present.0.value"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %wq = qir.constant dense<0.25> : tensor<8x8xf32>
  %wk = qir.constant dense<0.25> : tensor<4x8xf32>
  %qheads = qir.constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %kheads = qir.constant dense<[0, 0, 1, 4]> : tensor<4xi64>
  %merged = qir.constant dense<[0, 0, 8]> : tensor<3xi64>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q0 = qir.linear %x, %wq : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %k0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %v0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %q1 = qir.reshape %q0, %qheads : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %k1 = qir.reshape %k0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %v1 = qir.reshape %v0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %q2 = qir.transpose %q1 perm [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k2 = qir.transpose %k1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %v2 = qir.transpose %v1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %two = qir.constant dense<2.0> : tensor<f32>
  %pf = qir.cast %pos : (tensor<?x?xi64>) -> tensor<?x?xf32>
  %angle = qir.unsqueeze %pf axes [2] : (tensor<?x?xf32>) -> tensor<?x?x1xf32>
  %cos0 = qir.cos %angle : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %sin0 = qir.sin %angle : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %cos = qir.mul %cos0, %two : (tensor<?x?x1xf32>, tensor<f32>) -> tensor<?x?x1xf32>
  %sin = qir.mul %sin0, %two : (tensor<?x?x1xf32>, tensor<f32>) -> tensor<?x?x1xf32>
  %kr = qir.rotary_embedding %k2, %cos, %sin : (tensor<?x1x?x4xf32>, tensor<?x?x1xf32>, tensor<?x?x1xf32>) -> tensor<?x1x?x4xf32>
  %k = qir.concat %pk, %kr {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %v = qir.concat %pv, %v2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %a = qir.sdpa %q2, %k, %v {scale = 0.5 : f64, causal = 1 : i64} : (tensor<?x2x?x4xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x2x?x4xf32>
  %t = qir.transpose %a perm [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %y = qir.reshape %t, %merged : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  return %y, %k, %v : tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>
}

// -----

// The angle grows with the square of the position.
// CHECK-LABEL: func.func @main
// CHECK-SAME: qir.not_raised = "'qir.sdpa' takes features that are no rotary embedding
// CHECK: qir.sdpa
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %mask: tensor<?x?xi64> {qir.name = "attention_mask"}, %pos: tensor<?x?xi64> {qir.name = "position_ids"}, %pk: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.key"}, %pv: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.value"}) -> (tensor<?x?x8xf32> {qir.name = "logits"}, tensor<?x1x?x4xf32> {qir.name = "present.0.key"}, tensor<?x1x?x4xf32> {qir.name = "present.0.value"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %wq = qir.constant dense<0.25> : tensor<8x8xf32>
  %wk = qir.constant dense<0.25> : tensor<4x8xf32>
  %qheads = qir.constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %kheads = qir.constant dense<[0, 0, 1, 4]> : tensor<4xi64>
  %merged = qir.constant dense<[0, 0, 8]> : tensor<3xi64>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q0 = qir.linear %x, %wq : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %k0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %v0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %q1 = qir.reshape %q0, %qheads : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %k1 = qir.reshape %k0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %v1 = qir.reshape %v0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %q2 = qir.transpose %q1 perm [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k2 = qir.transpose %k1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %v2 = qir.transpose %v1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %f = qir.constant dense<[[[1.0, 0.25]]]> : tensor<1x1x2xf32>
  %pf = qir.cast %pos : (tensor<?x?xi64>) -> tensor<?x?xf32>
  %pu = qir.unsqueeze %pf axes [2] : (tensor<?x?xf32>) -> tensor<?x?x1xf32>
  %sq = qir.mul %pu, %pu : (tensor<?x?x1xf32>, tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %angle = qir.mul %sq, %f : (tensor<?x?x1xf32>, tensor<1x1x2xf32>) -> tensor<?x?x2xf32>
  %cos = qir.cos %angle : (tensor<?x?x2xf32>) -> tensor<?x?x2xf32>
  %sin = qir.sin %angle : (tensor<?x?x2xf32>) -> tensor<?x?x2xf32>
  %kr = qir.rotary_embedding %k2, %cos, %sin : (tensor<?x1x?x4xf32>, tensor<?x?x2xf32>, tensor<?x?x2xf32>) -> tensor<?x1x?x4xf32>
  %k = qir.concat %pk, %kr {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %v = qir.concat %pv, %v2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  // expected-remark @below {{takes features that are no rotary embedding}}
  %a = qir.sdpa %q2, %k, %v {scale = 0.5 : f64, causal = 1 : i64} : (tensor<?x2x?x4xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x2x?x4xf32>
  %t = qir.transpose %a perm [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %y = qir.reshape %t, %merged : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  return %y, %k, %v : tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>
}

// -----

// All keys are visible: no decoder.
// CHECK-LABEL: func.func @main
// CHECK: qir.sdpa
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %mask: tensor<?x?xi64> {qir.name = "attention_mask"}, %pos: tensor<?x?xi64> {qir.name = "position_ids"}, %pk: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.key"}, %pv: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.value"}) -> (tensor<?x?x8xf32> {qir.name = "logits"}, tensor<?x1x?x4xf32> {qir.name = "present.0.key"}, tensor<?x1x?x4xf32> {qir.name = "present.0.value"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %wq = qir.constant dense<0.25> : tensor<8x8xf32>
  %wk = qir.constant dense<0.25> : tensor<4x8xf32>
  %qheads = qir.constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %kheads = qir.constant dense<[0, 0, 1, 4]> : tensor<4xi64>
  %merged = qir.constant dense<[0, 0, 8]> : tensor<3xi64>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q0 = qir.linear %x, %wq : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %k0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %v0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %q1 = qir.reshape %q0, %qheads : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %k1 = qir.reshape %k0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %v1 = qir.reshape %v0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %q2 = qir.transpose %q1 perm [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k2 = qir.transpose %k1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %v2 = qir.transpose %v1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %k = qir.concat %pk, %k2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %v = qir.concat %pv, %v2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  // expected-remark @below {{has a mask that is neither causal nor a causal window}}
  %a = qir.sdpa %q2, %k, %v {scale = 0.5 : f64} : (tensor<?x2x?x4xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x2x?x4xf32>
  %t = qir.transpose %a perm [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %y = qir.reshape %t, %merged : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  return %y, %k, %v : tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>
}

// -----

// A bias that grows with the distance (ALiBi) is no mask.
// CHECK-LABEL: func.func @main
// CHECK: qir.sdpa
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %mask: tensor<?x?xi64> {qir.name = "attention_mask"}, %pos: tensor<?x?xi64> {qir.name = "position_ids"}, %pk: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.key"}, %pv: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.value"}) -> (tensor<?x?x8xf32> {qir.name = "logits"}, tensor<?x1x?x4xf32> {qir.name = "present.0.key"}, tensor<?x1x?x4xf32> {qir.name = "present.0.value"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %wq = qir.constant dense<0.25> : tensor<8x8xf32>
  %wk = qir.constant dense<0.25> : tensor<4x8xf32>
  %qheads = qir.constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %kheads = qir.constant dense<[0, 0, 1, 4]> : tensor<4xi64>
  %merged = qir.constant dense<[0, 0, 8]> : tensor<3xi64>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q0 = qir.linear %x, %wq : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %k0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %v0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %q1 = qir.reshape %q0, %qheads : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %k1 = qir.reshape %k0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %v1 = qir.reshape %v0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %q2 = qir.transpose %q1 perm [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k2 = qir.transpose %k1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %v2 = qir.transpose %v1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %k = qir.concat %pk, %k2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %v = qir.concat %pv, %v2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %c0 = qir.constant dense<0> : tensor<i64>
  %c1 = qir.constant dense<1> : tensor<i64>
  %past = qir.shape_of %pk {start = 2 : i64, end = 3 : i64} : (tensor<?x1x?x4xf32>) -> tensor<1xi64>
  %new = qir.shape_of %ids {start = 1 : i64} : (tensor<?x?xi64>) -> tensor<1xi64>
  %p = qir.squeeze %past axes [0] : (tensor<1xi64>) -> tensor<i64>
  %s = qir.squeeze %new axes [0] : (tensor<1xi64>) -> tensor<i64>
  %total = qir.add %p, %s : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %rows = qir.range %p, %total, %c1 : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %keys = qir.range %c0, %total, %c1 : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %i = qir.unsqueeze %rows axes [1] : (tensor<?xi64>) -> tensor<?x1xi64>
  %j = qir.unsqueeze %keys axes [0] : (tensor<?xi64>) -> tensor<1x?xi64>
  %dist = qir.sub %j, %i : (tensor<1x?xi64>, tensor<?x1xi64>) -> tensor<?x?xi64>
  %alibi = qir.cast %dist : (tensor<?x?xi64>) -> tensor<?x?xf32>
  // expected-remark @below {{adds a bias to the scores that is neither 0 nor a mask}}
  %a = qir.sdpa %q2, %k, %v mask %alibi {scale = 0.5 : f64, causal = 1 : i64} : (tensor<?x2x?x4xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>, tensor<?x?xf32>) -> tensor<?x2x?x4xf32>
  %t = qir.transpose %a perm [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %y = qir.reshape %t, %merged : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  return %y, %k, %v : tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>
}

// -----

// An input that says nothing about tokens.
// CHECK-LABEL: func.func @main
// CHECK-SAME: qir.not_raised
// expected-remark @below {{input 'pixel_values' has no known meaning}}
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %x: tensor<?x8xf32> {qir.name = "pixel_values"}) -> (tensor<?x8xf32> {qir.name = "logits"}) {
  return %x : tensor<?x8xf32>
}

// -----

// A floor under features, not under scores.
// CHECK-LABEL: func.func @main
// CHECK-SAME: qir.not_raised
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}) -> (tensor<?x?x8xf32> {qir.name = "logits"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %zero = qir.constant dense<0.0> : tensor<f32>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  // expected-remark @below {{is not understood on token data}}
  %y = qir.max %x, %zero : (tensor<?x?x8xf32>, tensor<f32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// -----

// The cache that is returned is not the one that was read.
// CHECK-LABEL: func.func @main
// CHECK: qir.sdpa
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %mask: tensor<?x?xi64> {qir.name = "attention_mask"}, %pos: tensor<?x?xi64> {qir.name = "position_ids"}, %pk: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.key"}, %pv: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.value"}) -> (tensor<?x?x8xf32> {qir.name = "logits"}, tensor<?x1x?x4xf32> {qir.name = "present.0.key"}, tensor<?x1x?x4xf32> {qir.name = "present.0.value"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %wq = qir.constant dense<0.25> : tensor<8x8xf32>
  %wk = qir.constant dense<0.25> : tensor<4x8xf32>
  %qheads = qir.constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %kheads = qir.constant dense<[0, 0, 1, 4]> : tensor<4xi64>
  %merged = qir.constant dense<[0, 0, 8]> : tensor<3xi64>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q0 = qir.linear %x, %wq : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %k0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %v0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %q1 = qir.reshape %q0, %qheads : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %k1 = qir.reshape %k0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %v1 = qir.reshape %v0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %q2 = qir.transpose %q1 perm [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k2 = qir.transpose %k1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %v2 = qir.transpose %v1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %k = qir.concat %pk, %k2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %v = qir.concat %pv, %v2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %a = qir.sdpa %q2, %k, %v {scale = 0.5 : f64, causal = 1 : i64} : (tensor<?x2x?x4xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x2x?x4xf32>
  %t = qir.transpose %a perm [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %y = qir.reshape %t, %merged : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  // expected-remark @below {{result 'present.0.key' extends the cache 'past_key_values.0.value'}}
  return %y, %v, %k : tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>
}

// -----

// Queries, keys and values interleaved per head in one weight, half of each head rotated, and no
// cache at all (GPT-NeoX): heads are gathered by columns, the mask is that of the whole sequence.
// CHECK-LABEL: func.func @main
// CHECK: %[[P:.*]] = qir.linear
// CHECK: %[[Q0:.*]] = qir.slice %[[P]], %{{.*}}, %{{.*}} axes [1] steps [1] : {{.*}} -> tensor<?x4xf32>
// CHECK: %[[Q1:.*]] = qir.slice %[[P]], %{{.*}}, %{{.*}} axes [1] steps [1] : {{.*}} -> tensor<?x4xf32>
// CHECK: %[[Q:.*]] = qir.concat %[[Q0]], %[[Q1]] {axis = 1 : i64}
// CHECK: %[[QR:.*]] = qir.rope %[[Q]], {{.*}} {head_dim = 4 : i64}
// CHECK: qir.attention %[[QR]], %{{.*}}, %{{.*}} {cache = 0 : i64, head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 2 : i64
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %mask: tensor<?x?xi64> {qir.name = "attention_mask"}, %pos: tensor<?x?xi64> {qir.name = "position_ids"}) -> (tensor<?x?x8xf32> {qir.name = "logits"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %w = qir.constant dense<0.25> : tensor<24x8xf32>
  %heads = qir.constant dense<[0, 0, 2, 12]> : tensor<4xi64>
  %merged = qir.constant dense<[0, 0, 8]> : tensor<3xi64>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %p = qir.linear %x, %w : (tensor<?x?x8xf32>, tensor<24x8xf32>) -> tensor<?x?x24xf32>
  %h = qir.reshape %p, %heads : (tensor<?x?x24xf32>, tensor<4xi64>) -> tensor<?x?x2x12xf32>
  %ht = qir.transpose %h perm [0, 2, 1, 3] : (tensor<?x?x2x12xf32>) -> tensor<?x2x?x12xf32>
  %q, %k, %v = qir.split %ht sizes [4, 4, 4] {axis = -1 : i64} : (tensor<?x2x?x12xf32>) -> (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>)
  %pf = qir.cast %pos : (tensor<?x?xi64>) -> tensor<?x?xf32>
  %angle = qir.unsqueeze %pf axes [2] : (tensor<?x?xf32>) -> tensor<?x?x1xf32>
  %cos = qir.cos %angle : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %sin = qir.sin %angle : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %qr = qir.rotary_embedding %q, %cos, %sin : (tensor<?x2x?x4xf32>, tensor<?x?x1xf32>, tensor<?x?x1xf32>) -> tensor<?x2x?x4xf32>
  %kr = qir.rotary_embedding %k, %cos, %sin : (tensor<?x2x?x4xf32>, tensor<?x?x1xf32>, tensor<?x?x1xf32>) -> tensor<?x2x?x4xf32>
  %a = qir.sdpa %qr, %kr, %v {scale = 0.5 : f64, causal = 1 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %t = qir.transpose %a perm [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %y = qir.reshape %t, %merged : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// -----

// Learned positions behind an offset (OPT: position + 2), and logits of the last token only.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[IDS:.*]]: tensor<?xi32> {qir.name = "ids"}, %[[POS:[a-z0-9]+]]: tensor<?xi32>
// CHECK: %[[X:.*]] = qir.embedding %{{.*}}, %[[IDS]]
// CHECK: %[[P:.*]] = qir.embedding %{{.*}}, %[[POS]] {offset = 2 : i64} : (tensor<64x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
// CHECK: %[[S:.*]] = qir.add %[[X]], %[[P]]
// CHECK: %[[Y:.*]] = qir.linear %[[S]], %{{.*}} {role = "head"}
// CHECK-NEXT: return %[[Y]] : tensor<?x16xf32>
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %mask: tensor<?x?xi64> {qir.name = "attention_mask"}) -> (tensor<?x1x16xf32> {qir.name = "logits"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %positions = qir.constant dense<0.25> : tensor<64x8xf32>
  %one = qir.constant dense<1> : tensor<i64>
  %last = qir.constant dense<[-1]> : tensor<1xi64>
  %two = qir.constant dense<2> : tensor<i64>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %sum = qir.cumsum %mask {axis = 1 : i64} : (tensor<?x?xi64>) -> tensor<?x?xi64>
  %real = qir.mul %sum, %mask : (tensor<?x?xi64>, tensor<?x?xi64>) -> tensor<?x?xi64>
  %zero = qir.sub %real, %one : (tensor<?x?xi64>, tensor<i64>) -> tensor<?x?xi64>
  %index = qir.add %zero, %two : (tensor<?x?xi64>, tensor<i64>) -> tensor<?x?xi64>
  %p = qir.gather %positions, %index : (tensor<64x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %s = qir.add %x, %p : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %l = qir.gather %s, %last {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x1x8xf32>
  %y = qir.linear %l, %table : (tensor<?x1x8xf32>, tensor<16x8xf32>) -> tensor<?x1x16xf32>
  return %y : tensor<?x1x16xf32>
}

// -----

// Frequencies that change behind 4096 tokens (longrope): raised up to there.
// CHECK-LABEL: func.func @main
// CHECK-SAME: qir.max_context = 4096 : i64, qir.token_major
// CHECK: qir.rope
// expected-remark @below {{raised for texts of at most 4096 tokens}}
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}, %mask: tensor<?x?xi64> {qir.name = "attention_mask"}, %pos: tensor<?x?xi64> {qir.name = "position_ids"}, %pk: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.key"}, %pv: tensor<?x1x?x4xf32> {qir.name = "past_key_values.0.value"}) -> (tensor<?x?x8xf32> {qir.name = "logits"}, tensor<?x1x?x4xf32> {qir.name = "present.0.key"}, tensor<?x1x?x4xf32> {qir.name = "present.0.value"}) {
  %table = qir.constant dense<0.5> : tensor<16x8xf32>
  %wq = qir.constant dense<0.25> : tensor<8x8xf32>
  %wk = qir.constant dense<0.25> : tensor<4x8xf32>
  %qheads = qir.constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %kheads = qir.constant dense<[0, 0, 1, 4]> : tensor<4xi64>
  %merged = qir.constant dense<[0, 0, 8]> : tensor<3xi64>
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %q0 = qir.linear %x, %wq : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %k0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %v0 = qir.linear %x, %wk : (tensor<?x?x8xf32>, tensor<4x8xf32>) -> tensor<?x?x4xf32>
  %q1 = qir.reshape %q0, %qheads : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %k1 = qir.reshape %k0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %v1 = qir.reshape %v0, %kheads : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x1x4xf32>
  %q2 = qir.transpose %q1 perm [0, 2, 1, 3] : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k2 = qir.transpose %k1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %v2 = qir.transpose %v1 perm [0, 2, 1, 3] : (tensor<?x?x1x4xf32>) -> tensor<?x1x?x4xf32>
  %one = qir.constant dense<1.0> : tensor<f32>
  %two = qir.constant dense<2.0> : tensor<f32>
  %quarter = qir.constant dense<0.25> : tensor<f32>
  %limit = qir.constant dense<4096> : tensor<1xi64>
  %length = qir.shape_of %mask {start = 1 : i64} : (tensor<?x?xi64>) -> tensor<1xi64>
  %long = qir.greater %length, %limit : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %stretch = qir.where %long, %quarter, %one : (tensor<1xi1>, tensor<f32>, tensor<f32>) -> tensor<1xf32>
  %pf = qir.cast %pos : (tensor<?x?xi64>) -> tensor<?x?xf32>
  %pu = qir.unsqueeze %pf axes [2] : (tensor<?x?xf32>) -> tensor<?x?x1xf32>
  %angle = qir.mul %pu, %stretch : (tensor<?x?x1xf32>, tensor<1xf32>) -> tensor<?x?x1xf32>
  %cos0 = qir.cos %angle : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %sin0 = qir.sin %angle : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %cos = qir.mul %cos0, %two : (tensor<?x?x1xf32>, tensor<f32>) -> tensor<?x?x1xf32>
  %sin = qir.mul %sin0, %two : (tensor<?x?x1xf32>, tensor<f32>) -> tensor<?x?x1xf32>
  %kr = qir.rotary_embedding %k2, %cos, %sin : (tensor<?x1x?x4xf32>, tensor<?x?x1xf32>, tensor<?x?x1xf32>) -> tensor<?x1x?x4xf32>
  %k = qir.concat %pk, %kr {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %v = qir.concat %pv, %v2 {axis = 2 : i64} : (tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x1x?x4xf32>
  %a = qir.sdpa %q2, %k, %v {scale = 0.5 : f64, causal = 1 : i64} : (tensor<?x2x?x4xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>) -> tensor<?x2x?x4xf32>
  %t = qir.transpose %a perm [0, 2, 1, 3] : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %y = qir.reshape %t, %merged : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  return %y, %k, %v : tensor<?x?x8xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>
}
