// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qir-rotate-values{seed=0}))' -remarks-filter=rotate -o %t.mlir 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s < %t.mlir
// RUN: not qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qir-rotate-values{required}))' -o /dev/null 2>&1 | FileCheck %s --check-prefix=ERROR

// Two query heads on one value head: its rows are turned once, both heads of the output projection expect it. Only the
// last two rows of the fused weight and of its bias make values.
// CHECK-LABEL: func.func @fused
func.func @fused(%x: tensor<?x2xf32>) -> tensor<?x1xf32> attributes {qir.token_major} {
  %w = qir.constant dense<[[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0], [5.0, 5.0], [6.0, 6.0], [1.0, 0.0], [0.0, 1.0]]> : tensor<8x2xf32> loc("qkv")
  %b = qir.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 7.0]> : tensor<8xf32> loc("bias")
  %o = qir.constant dense<[[1.0, 0.0, 0.0, 1.0]]> : tensor<1x4xf32> loc("o")
  // CHECK-DAG: %[[W:.*]] = qir.constant {qir.rewritten} dense<{{\[\[}}1.000000e+00, 1.000000e+00], [2.000000e+00, 2.000000e+00], [3.000000e+00, 3.000000e+00], [4.000000e+00, 4.000000e+00], [5.000000e+00, 5.000000e+00], [6.000000e+00, 6.000000e+00], [0.707106769, 0.707106769], [0.707106769, -0.707106769]]>
  // CHECK-DAG: %[[B:.*]] = qir.constant {qir.rewritten} dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00, 5.000000e+00, 6.000000e+00, 9.89949512, 0.000000e+00]>
  // CHECK-DAG: %[[O:.*]] = qir.constant {qir.rewritten} dense<{{\[\[}}0.707106769, 0.707106769, 0.707106769, -0.707106769]]>
  // CHECK-DAG: qir.linear %arg0, %[[W]] bias %[[B]]
  // CHECK-DAG: qir.linear %{{.*}}, %[[O]]
  // REMARK: [Passed] values | Category:rotate | order=2, width=2
  %qkv = qir.linear %x, %w bias %b : (tensor<?x2xf32>, tensor<8x2xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %q, %k, %v = qir.split %qkv sizes [4, 2, 2] {axis = 1} : (tensor<?x8xf32>) -> (tensor<?x4xf32>, tensor<?x2xf32>, tensor<?x2xf32>)
  %a = qir.attention %q, %k, %v {num_heads = 2 : i64, kv_heads = 1 : i64, head_dim = 2 : i64, value_dim = 2 : i64, scale = 1.0 : f64, cache = 0 : i64} : (tensor<?x4xf32>, tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x4xf32>
  %y = qir.linear %a, %o : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// Slices instead of a split; the other ones keep their rows. A slice of features that another one has, too, stays.
// CHECK-LABEL: func.func @sliced
func.func @sliced(%x: tensor<?x2xf32>) -> (tensor<?x1xf32>, tensor<?x1xf32>) attributes {qir.token_major} {
  %w = qir.constant dense<[[1.0, 1.0], [2.0, 2.0], [1.0, 0.0], [0.0, 1.0]]> : tensor<4x2xf32> loc("kv")
  %o = qir.constant dense<[[1.0, 0.0]]> : tensor<1x2xf32> loc("o")
  %0 = qir.constant dense<0> : tensor<1xi64>
  %2 = qir.constant dense<2> : tensor<1xi64>
  %end = qir.constant dense<9223372036854775807> : tensor<1xi64>
  // CHECK-DAG: %[[W:.*]] = qir.constant {qir.rewritten} dense<{{\[\[}}1.000000e+00, 1.000000e+00], [2.000000e+00, 2.000000e+00], [0.707106769, 0.707106769], [0.707106769, -0.707106769]]>
  // CHECK: qir.linear %arg0, %[[W]]
  // REMARK: [Passed] values | Category:rotate | order=2, width=2
  %kv = qir.linear %x, %w : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
  %k = qir.slice %kv, %0, %2 axes [1] steps [1] : (tensor<?x4xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x2xf32>
  %v = qir.slice %kv, %2, %end axes [1] steps [1] : (tensor<?x4xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x2xf32>
  %a = qir.attention %x, %k, %v {num_heads = 1 : i64, kv_heads = 1 : i64, head_dim = 2 : i64, value_dim = 2 : i64, scale = 1.0 : f64, cache = 0 : i64} : (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = qir.linear %a, %o : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32>
  // REMARK: "/overlap"{{.*}}the values cannot be rotated: {{.*}}no linear of float weights makes them alone
  // CHECK: qir.linear %arg0, %{{[0-9]+}} : (tensor<?x2xf32>, tensor<4x2xf32>)
  %kv2 = qir.linear %x, %w : (tensor<?x2xf32>, tensor<4x2xf32>) -> tensor<?x4xf32>
  %k2 = qir.slice %kv2, %0, %2 axes [1] steps [1] : (tensor<?x4xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x2xf32>
  %v2 = qir.slice %kv2, %0, %2 axes [1] steps [1] : (tensor<?x4xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x2xf32>
  %a2 = qir.attention %x, %k2, %v2 {num_heads = 1 : i64, kv_heads = 1 : i64, head_dim = 2 : i64, value_dim = 2 : i64, scale = 1.0 : f64, cache = 1 : i64} : (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32> loc("/overlap")
  %y2 = qir.linear %a2, %o : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32>
  return %y, %y2 : tensor<?x1xf32>, tensor<?x1xf32>
}

// -----

// A norm of the value heads, and an output that something else reads.
// CHECK-LABEL: func.func @refused
// CHECK-NOT: qir.rewritten
func.func @refused(%x: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {qir.token_major} {
  %w = qir.constant dense<[[1.0, 1.0], [2.0, 2.0]]> : tensor<2x2xf32> loc("w")
  %ones = qir.constant dense<1.0> : tensor<2xf32>
  %v = qir.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %n = qir.rms_norm %v, %ones {epsilon = 1.0e-5 : f64} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  // REMARK: "/first"{{.*}}Category:rotate | {{.*}}the values cannot be rotated: {{.*}}no linear of float weights makes them alone
  %a = qir.attention %x, %x, %n {num_heads = 1 : i64, kv_heads = 1 : i64, head_dim = 2 : i64, value_dim = 2 : i64, scale = 1.0 : f64, cache = 0 : i64} : (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32> loc("/first")
  %u = qir.linear %a, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  // REMARK: "/second"{{.*}}Category:rotate | {{.*}}'qir.silu' reads the output, which is no linear of float weights
  // ERROR: error: the values of no attention can be rotated: 'qir.silu' reads the output
  %b = qir.attention %x, %x, %u {num_heads = 1 : i64, kv_heads = 1 : i64, head_dim = 2 : i64, value_dim = 2 : i64, scale = 1.0 : f64, cache = 1 : i64} : (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32> loc("/second")
  %y = qir.silu %b : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
