// RUN: qopt-opt %s --qir-balance-keys | FileCheck %s
// RUN: qopt-opt %s --qir-balance-keys --remarks-filter=kv -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// A bias makes feature 1 twenty times larger than the rest: |b| + 3 |w| = 63 beside 3. Rotation pairs it
// with feature 3; mean square (3^2 + 63^2 + 3^2 + 63^2) / 4.
// CHECK-LABEL: func.func @bias
// CHECK: qir.attention
// CHECK-SAME: qir.key_balance = array<f32: 0.067267{{[0-9]*}}, 1.412612{{[0-9]*}}, 0.067267{{[0-9]*}}, 1.412612{{[0-9]*}}>
// REMARK-DAG: Category:kv | spread=2.1
func.func @bias(%x: tensor<?x1xf32>, %p: tensor<?xi32>, %v: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w = qir.constant dense<1.0> : tensor<4x1xf32>
  %b = qir.constant dense<[0.0, -60.0, 0.0, 0.0]> : tensor<4xf32>
  %f = qir.constant dense<1.0> : tensor<2xf32>
  %k0 = qir.linear %x, %w bias %b : (tensor<?x1xf32>, tensor<4x1xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %k = qir.rope %k0, %p, %f {head_dim = 4 : i64} : (tensor<?x4xf32>, tensor<?xi32>, tensor<2xf32>) -> tensor<?x4xf32>
  %y = qir.attention %v, %k, %v {num_heads = 1 : i64, kv_heads = 1 : i64, head_dim = 4 : i64, value_dim = 4 : i64, scale = 0.5 : f64, cache = 0 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Keys are the second part of a split: sizes 3 and 42.3.
// CHECK-LABEL: func.func @split
// CHECK: qir.key_balance = array<f32: 0.1000{{[0-9]*}}, 1.41
func.func @split(%x: tensor<?x1xf32>) -> tensor<?x2xf32> {
  %w = qir.constant dense<[[50.0], [50.0], [1.0], [14.1], [3.0], [3.0]]> : tensor<6x1xf32>
  %a = qir.linear %x, %w : (tensor<?x1xf32>, tensor<6x1xf32>) -> tensor<?x6xf32>
  %q, %k, %v = qir.split %a sizes [2, 2, 2] {axis = 1} : (tensor<?x6xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>)
  %y = qir.attention %q, %k, %v {num_heads = 1 : i64, kv_heads = 1 : i64, head_dim = 2 : i64, value_dim = 2 : i64, scale = 0.5 : f64, cache = 0 : i64} : (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Even keys, and keys that nothing constant makes, are left alone.
// CHECK-LABEL: func.func @refused
// CHECK-NOT: key_balance
// REMARK-DAG: the keys are even
// REMARK-DAG: no linear with constant weights makes the keys
func.func @refused(%x: tensor<?x1xf32>, %v: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = qir.constant dense<1.0> : tensor<2x1xf32>
  %k = qir.linear %x, %w : (tensor<?x1xf32>, tensor<2x1xf32>) -> tensor<?x2xf32>
  %y = qir.attention %v, %k, %v {num_heads = 1 : i64, kv_heads = 1 : i64, head_dim = 2 : i64, value_dim = 2 : i64, scale = 0.5 : f64, cache = 0 : i64} : (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %z = qir.attention %v, %y, %v {num_heads = 1 : i64, kv_heads = 1 : i64, head_dim = 2 : i64, value_dim = 2 : i64, scale = 0.5 : f64, cache = 1 : i64} : (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %z : tensor<?x2xf32>
}
