// RUN: qopt-opt %s --pass-pipeline='builtin.module(qir-fold-smooth-scales{calib=%S/Inputs/ids.npy})' -remarks-filter=smooth -o %t.mlir 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s < %t.mlir

// REMARK: "after_norm"{{.*}}Category:smooth | alpha={{.*}}, loss={{.*}}, loss_plain=
// REMARK: "after_silu"{{.*}}Category:smooth | {{.*}}what makes the input is not linear
// REMARK: "shared"{{.*}}Category:smooth | {{.*}}other ops read the input, too

// REMARK: "float_activations"{{.*}}Category:smooth | {{.*}}its activations are not quantized

// RUN: not qopt-opt %s --pass-pipeline='builtin.module(qir-fold-smooth-scales{calib=%S/Inputs/ids.npy alpha=2})' 2>&1 | FileCheck %s --check-prefix=ALPHA
// ALPHA: error: alpha: expects 0 to 1

// CHECK-LABEL: func.func @main
func.func @main(%ids: tensor<?xi32> {qir.name = "ids"}) -> tensor<?x4xf32> attributes {qir.token_major} {
  %table = qir.constant dense<[[0.5, 8.0, 0.1, -0.2], [0.1, -7.0, 0.3, 0.4], [-0.6, 9.0, -0.7, 0.1], [0.2, 6.5, 0.2, -0.9], [0.5, 8.0, 0.1, 0.2], [0.1, -9.0, 0.3, 0.4], [-0.6, 9.5, -0.7, 0.3], [0.2, 6.0, 0.2, -0.9], [0.5, 8.1, 0.1, -0.5], [0.1, -7.7, 0.8, 0.4], [-0.6, 8.8, -0.7, 0.7], [0.2, 6.1, 0.6, -0.9], [0.3, 8.0, 0.1, -0.2], [0.7, -7.0, 0.3, 0.4], [-0.8, 9.0, -0.7, 0.1], [0.9, 6.5, 0.2, -0.9], [0.5, 8.0, 0.9, -0.2], [0.1, -7.0, -0.3, 0.4], [-0.6, 9.0, -0.2, 0.1], [0.2, 6.5, 0.1, -0.9], [0.4, 8.0, 0.1, -0.2], [0.1, -7.0, 0.3, 0.5], [-0.6, 9.0, -0.7, 0.6], [0.2, 6.5, 0.2, -0.8]]> : tensor<24x4xf32> loc("table")
  %one = qir.constant dense<1.0> : tensor<4xf32> loc("norm")
  %w0 = qir.constant dense<[[1.0, 0.11, -0.7, 0.3], [-0.9, 0.07, 0.5, 1.0], [0.8, -0.13, 1.0, 0.2], [0.1, 0.09, -1.0, 0.6]]> : tensor<4x4xf32> loc("after_norm")
  %w1 = qir.constant dense<[[1.0, 0.1, -0.7, 0.3], [-0.9, 0.1, 0.5, 1.0], [0.8, -0.1, 1.0, 0.2], [0.1, 0.1, -1.0, 0.6]]> : tensor<4x4xf32> loc("after_silu")
  %w2 = qir.constant dense<[[1.0, 0.1, -0.7, 0.3], [-0.9, 0.1, 0.5, 1.0], [0.8, -0.1, 1.0, 0.2], [0.1, 0.1, -1.0, 0.6]]> : tensor<4x4xf32> loc("shared")
  %w3 = qir.constant dense<[[1.0, 0.1, -0.7, 0.3], [-0.9, 0.1, 0.5, 1.0], [0.8, -0.1, 1.0, 0.2], [0.1, 0.1, -1.0, 0.6]]> : tensor<4x4xf32> loc("float_activations")
  %x = qir.embedding %table, %ids : (tensor<24x4xf32>, tensor<?xi32>) -> tensor<?x4xf32>
  // The norm's weight is divided by sqrt(max |x| / max |W|), the columns of the linear grow; the scheme stays.
  // CHECK: %[[NORM:.*]] = qir.constant {qir.rewritten} dense<[{{.*}}]> : tensor<4xf32>
  // CHECK: qir.rms_norm %{{.*}}, %[[NORM]]
  %n = qir.rms_norm %x, %one {epsilon = 1.0e-5 : f64} : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  // CHECK: qir.linear {{.*}}scheme = #qir.scheme<w8a8, channel, sym>
  %a = qir.linear %n, %w0 {scheme = #qir.scheme<w8a8, channel, sym>} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %s = qir.silu %a : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %b = qir.linear %s, %w1 {scheme = #qir.scheme<w8a8, channel, sym>} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %m = qir.rms_norm %b, %one {epsilon = 1.0e-5 : f64} : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %c = qir.linear %m, %w2 {scheme = #qir.scheme<w8a8, channel, sym>} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %o = qir.rms_norm %c, %one {epsilon = 1.0e-5 : f64} : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %d = qir.linear %o, %w3 {scheme = #qir.scheme<w4a16, channel, sym>} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = qir.add %m, %d : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
