// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qir-rotate-residual{seed=0}))' -remarks-filter=rotate -o %t.mlir 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s < %t.mlir
// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qir-rotate-residual{seed=3}))' | FileCheck %s --check-prefix=SIGNS
// RUN: not qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qir-rotate-residual{required}))' -o /dev/null 2>&1 | FileCheck %s --check-prefix=ERROR

// R = [[1, 1], [1, -1]] / sqrt(2). Table and bias: rows times R; the writing weight: R^T w; the reading one: w R.
// CHECK-LABEL: func.func @rms
// SIGNS-LABEL: func.func @rms
func.func @rms(%ids: tensor<?xi32>) -> tensor<?x2xf32> attributes {qir.token_major} {
  %table = qir.constant dense<[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]> : tensor<3x2xf32> loc("table")
  %ones = qir.constant dense<1.0> : tensor<2xf32>
  %w = qir.constant dense<[[1.0, 1.0], [2.0, 0.0]]> : tensor<2x2xf32> loc("w")
  %bias = qir.constant dense<[1.0, 1.0]> : tensor<2xf32> loc("bias")
  %row = qir.constant dense<[0.0, 2.0]> : tensor<2xf32> loc("row")
  %half = qir.constant dense<0.5> : tensor<1xf32>
  %head = qir.constant dense<[[1.0, 0.0], [0.0, 2.0]]> : tensor<2x2xf32> loc("head")
  // CHECK-DAG: %[[TABLE:.*]] = qir.constant {qir.rewritten} dense<{{\[\[}}0.707106769, 0.707106769], [0.707106769, -0.707106769], [1.41421354, 0.000000e+00]]>
  // CHECK-DAG: qir.embedding %[[TABLE]], %arg0
  // CHECK-DAG: %[[ROW:.*]] = qir.constant {qir.rewritten} dense<[1.41421354, -1.41421354]>
  // CHECK-DAG: qir.add %{{.*}}, %[[ROW]]
  // w R = [[1.41, 0], [1.41, 1.41]]; R^T (w R) = [[2, 1], [0, -1]].
  // CHECK-DAG: %[[W:.*]] = qir.constant {qir.rewritten} dense<{{\[\[}}{{2.000000e[+]00|1.99999988}}, {{1.000000e[+]00|0.99999994}}], [0.000000e+00, {{-1.000000e[+]00|-0.99999994}}]]>
  // CHECK-DAG: %[[BIAS:.*]] = qir.constant {qir.rewritten} dense<[1.41421354, 0.000000e+00]>
  // CHECK-DAG: qir.linear %{{.*}}, %[[W]] bias %[[BIAS]]
  // CHECK-DAG: %[[HEAD:.*]] = qir.constant {qir.rewritten} dense<{{\[\[}}0.707106769, 0.707106769], [1.41421354, -1.41421354]]>
  // CHECK: qir.linear %{{.*}}, %[[HEAD]] {role = "head"}
  // SIGNS-NOT: dense<{{\[\[}}0.707106769, 0.707106769], [0.707106769, -0.707106769], [1.41421354, 0.000000e+00]]>
  // REMARK: [Passed] residual | Category:rotate | order=2, readers=2, width=2, writers=2
  %e = qir.embedding %table, %ids : (tensor<3x2xf32>, tensor<?xi32>) -> tensor<?x2xf32>
  %s = qir.mul %e, %half : (tensor<?x2xf32>, tensor<1xf32>) -> tensor<?x2xf32>
  %x = qir.add %s, %row : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %n = qir.rms_norm %x, %ones {epsilon = 1.0e-5 : f64} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = qir.linear %n, %w bias %bias : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %z = qir.add %x, %y : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %l = qir.linear %z, %head {role = "head"} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %l : tensor<?x2xf32>
}

// -----

// Layer norms: what writes is centred first, and they become RMS norms. Row (3, 1) is (1, -1) without its mean.
// CHECK-LABEL: func.func @layer
func.func @layer(%ids: tensor<?xi32>, %positions: tensor<?xi32>) -> tensor<?x2xf32> attributes {qir.token_major} {
  %table = qir.constant dense<[[3.0, 1.0], [5.0, 5.0]]> : tensor<2x2xf32> loc("wte")
  %places = qir.constant dense<[[0.0, 4.0]]> : tensor<1x2xf32> loc("wpe")
  %ones = qir.constant dense<1.0> : tensor<2xf32>
  %w = qir.constant dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xf32> loc("w")
  // CHECK-DAG: qir.constant {qir.rewritten} dense<{{\[\[}}0.000000e+00, 1.41421354], [0.000000e+00, 0.000000e+00]]>
  // CHECK-DAG: qir.constant {qir.rewritten} dense<{{\[\[}}0.000000e+00, -2.82842708]]>
  // CHECK: qir.rms_norm %{{.*}}, %{{.*}} {epsilon = 1.000000e-05 : f64}
  // CHECK-NOT: qir.layer_norm
  %e = qir.embedding %table, %ids : (tensor<2x2xf32>, tensor<?xi32>) -> tensor<?x2xf32>
  %p = qir.embedding %places, %positions : (tensor<1x2xf32>, tensor<?xi32>) -> tensor<?x2xf32>
  %x = qir.add %e, %p : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %n = qir.layer_norm %x, %ones {epsilon = 1.0e-5 : f64} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = qir.linear %n, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// A norm behind a block, as in Gemma, keeps its gain: nothing changes.
// CHECK-LABEL: func.func @post_norm
// CHECK-NOT: qir.rewritten
func.func @post_norm(%ids: tensor<?xi32>) -> tensor<?x2xf32> attributes {qir.token_major} {
  %table = qir.constant dense<[[3.0, 1.0], [5.0, 5.0]]> : tensor<2x2xf32> loc("wte")
  %ones = qir.constant dense<1.0> : tensor<2xf32>
  %gain = qir.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %w = qir.constant dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xf32> loc("w")
  %x = qir.embedding %table, %ids : (tensor<2x2xf32>, tensor<?xi32>) -> tensor<?x2xf32>
  %n = qir.rms_norm %x, %ones {epsilon = 1.0e-5 : f64} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = qir.linear %n, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  // REMARK: "/post_norm"{{.*}}Category:rotate | {{.*}}the residual stream cannot be rotated: 'qir.rms_norm' keeps a gain or a bias per channel, which does not commute with a rotation
  // ERROR: error: {{.*}}the residual stream cannot be rotated: 'qir.rms_norm' keeps a gain
  %m = qir.rms_norm %y, %gain {epsilon = 1.0e-5 : f64} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32> loc("/post_norm")
  %z = qir.add %x, %m : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %l = qir.linear %z, %w {role = "head"} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %l : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @quantized
// CHECK-NOT: qir.rewritten
func.func @quantized(%ids: tensor<?xi32>) -> tensor<?x2xf32> attributes {qir.token_major} {
  %table = qir.constant dense<[[3.0, 1.0], [5.0, 5.0]]> : tensor<2x2xf32> loc("wte")
  %codes = qir.constant dense<7> : tensor<2x2xui8>
  %scales = qir.constant dense<1.0> : tensor<2x1xf16>
  %x = qir.embedding %table, %ids : (tensor<2x2xf32>, tensor<?xi32>) -> tensor<?x2xf32>
  // REMARK: "/q_proj"{{.*}}Category:rotate | {{.*}}'qir.quantized_linear' has weights that are quantized already
  // ERROR: 'qir.quantized_linear' has weights that are quantized already
  %y = qir.quantized_linear %x, %codes scales %scales {bits = 4 : i64} : (tensor<?x2xf32>, tensor<2x2xui8>, tensor<2x1xf16>) -> tensor<?x2xf32> loc("/q_proj")
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @mean_is_read
// CHECK-NOT: qir.rewritten
func.func @mean_is_read(%ids: tensor<?xi32>) -> tensor<?x2xf32> attributes {qir.token_major} {
  %table = qir.constant dense<[[3.0, 1.0], [5.0, 5.0]]> : tensor<2x2xf32> loc("wte")
  %ones = qir.constant dense<1.0> : tensor<2xf32>
  %w = qir.constant dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xf32> loc("w")
  %x = qir.embedding %table, %ids : (tensor<2x2xf32>, tensor<?xi32>) -> tensor<?x2xf32>
  %n = qir.layer_norm %x, %ones {epsilon = 1.0e-5 : f64} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = qir.linear %n, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  // REMARK: "/raw"{{.*}}Category:rotate | {{.*}}'qir.linear' reads the residual stream without a norm, and its mean with it
  // ERROR: 'qir.linear' reads the residual stream without a norm
  %z = qir.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("/raw")
  %l = qir.add %y, %z : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %l : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @other_op
// CHECK-NOT: qir.rewritten
func.func @other_op(%ids: tensor<?xi32>) -> tensor<?x2xf32> attributes {qir.token_major} {
  %table = qir.constant dense<[[3.0, 1.0], [5.0, 5.0]]> : tensor<2x2xf32> loc("wte")
  %x = qir.embedding %table, %ids : (tensor<2x2xf32>, tensor<?xi32>) -> tensor<?x2xf32>
  // REMARK: "/act"{{.*}}Category:rotate | {{.*}}'qir.silu' reads the residual stream and does not commute with a rotation
  // ERROR: 'qir.silu' reads the residual stream
  %y = qir.silu %x : (tensor<?x2xf32>) -> tensor<?x2xf32> loc("/act")
  return %y : tensor<?x2xf32>
}
