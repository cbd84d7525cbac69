// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(qir-fold-norm-weights))' -remarks-filter=rotate -o %t.mlir 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s < %t.mlir

// CHECK-LABEL: func.func @rms_norm
func.func @rms_norm(%x: tensor<?x2xf32>) -> (tensor<?x3xf32>, tensor<?x2xf32>) {
  %gain = qir.constant dense<[2.0, -4.0]> : tensor<2xf32> loc("gain")
  %a = qir.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32> loc("a")
  %b = qir.constant dense<[[1.0, 0.0], [0.5, 1.0]]> : tensor<2x2xf16> loc("b")
  %bias = qir.constant dense<[7.0, 8.0]> : tensor<2xf32> loc("bias")
  // CHECK-DAG: %[[BIAS:.*]] = qir.constant dense<[7.000000e+00, 8.000000e+00]>
  // CHECK-DAG: %[[ONES:.*]] = qir.constant dense<1.000000e+00> : tensor<2xf32>
  // CHECK-DAG: %[[A:.*]] = qir.constant {qir.rewritten} dense<{{\[\[}}2.000000e+00, -8.000000e+00], [6.000000e+00, -1.600000e+01], [1.000000e+01, -2.400000e+01]]> : tensor<3x2xf32>
  // CHECK-DAG: %[[B:.*]] = qir.constant {qir.rewritten} dense<{{\[\[}}2.000000e+00, -0.000000e+00], [1.000000e+00, -4.000000e+00]]> : tensor<2x2xf32>
  // CHECK-DAG: %[[N:.*]] = qir.rms_norm %arg0, %[[ONES]] {epsilon
  // CHECK-DAG: qir.linear %[[N]], %[[A]] :
  // CHECK-DAG: qir.linear %[[N]], %[[B]] bias %[[BIAS]]
  // REMARK: [Passed] norm | Category:rotate | linears=2
  %n = qir.rms_norm %x, %gain {epsilon = 1.0e-5 : f64} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %0 = qir.linear %n, %a : (tensor<?x2xf32>, tensor<3x2xf32>) -> tensor<?x3xf32>
  %1 = qir.linear %n, %b bias %bias : (tensor<?x2xf32>, tensor<2x2xf16>, tensor<2xf32>) -> tensor<?x2xf32>
  return %0, %1 : tensor<?x3xf32>, tensor<?x2xf32>
}

// The bias of a layer norm becomes one of each linear.
// CHECK-LABEL: func.func @layer_norm
func.func @layer_norm(%x: tensor<?x2xf16>) -> tensor<?x1xf16> {
  %gain = qir.constant dense<[2.0, 3.0]> : tensor<2xf16> loc("gain")
  %shift = qir.constant dense<[0.5, -1.0]> : tensor<2xf16> loc("shift")
  %w = qir.constant dense<[[4.0, 1.0]]> : tensor<1x2xf16> loc("w")
  // CHECK-DAG: %[[BIAS:.*]] = qir.constant dense<1.000000e+00> : tensor<1xf32>
  // CHECK-DAG: %[[W:.*]] = qir.constant {qir.rewritten} dense<{{\[\[}}8.000000e+00, 3.000000e+00]]>
  // CHECK-DAG: %[[N:.*]] = qir.layer_norm %arg0, %{{[0-9]+}} {epsilon
  // CHECK: qir.linear %[[C:.*]], %[[W]] bias %[[BIAS]]
  %n = qir.layer_norm %x, %gain bias %shift {epsilon = 1.0e-5 : f64} : (tensor<?x2xf16>, tensor<2xf16>, tensor<2xf16>) -> tensor<?x2xf16>
  %c = qir.cast %n : (tensor<?x2xf16>) -> tensor<?x2xf32>
  %0 = qir.linear %c, %w : (tensor<?x2xf32>, tensor<1x2xf16>) -> tensor<?x1xf16>
  return %0 : tensor<?x1xf16>
}

// The head gives up the table, and takes its own name along.
// CHECK-LABEL: func.func @tied
func.func @tied(%ids: tensor<?xi32>) -> tensor<?x3xf32> {
  %table = qir.constant {qir.aliases = [{name = "lm_head", transposed = true}]} dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32> loc("embed")
  %gain = qir.constant dense<[1.0, 2.0]> : tensor<2xf32> loc("gain")
  // CHECK-DAG: %[[TABLE:.*]] = qir.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00], [5.000000e+00, 6.000000e+00]]> : tensor<3x2xf32>
  // CHECK-DAG: qir.embedding %[[TABLE]], %arg0
  // CHECK-DAG: %[[HEAD:.*]] = qir.constant {qir.rewritten, qir.transposed} dense<{{\[\[}}1.000000e+00, 4.000000e+00], [3.000000e+00, 8.000000e+00], [5.000000e+00, 1.200000e+01]]>
  // CHECK: qir.linear %{{.*}}, %[[HEAD]] {role = "head"}
  // REMARK: Category:rotate | {{.*}}no longer shares its weight with the embedding: the file holds both"{{.*}}elements=6
  %x = qir.embedding %table, %ids : (tensor<3x2xf32>, tensor<?xi32>) -> tensor<?x2xf32>
  %n = qir.rms_norm %x, %gain {epsilon = 1.0e-5 : f64} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = qir.linear %n, %table {role = "head"} : (tensor<?x2xf32>, tensor<3x2xf32>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}

// Something else than linears reads the norm: it keeps its gain.
// CHECK-LABEL: func.func @refused
func.func @refused(%x: tensor<?x2xf32>, %gain_in: tensor<2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %gain = qir.constant dense<[2.0, 3.0]> : tensor<2xf32> loc("gain")
  %one = qir.constant dense<1.0> : tensor<2xf32> loc("one")
  %w = qir.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> loc("w")
  // CHECK-DAG: %[[GAIN:.*]] = qir.constant dense<[2.000000e+00, 3.000000e+00]>
  // CHECK: qir.rms_norm %arg0, %[[GAIN]]
  // REMARK: [Missed] norm | Category:rotate | {{.*}}keeps its gain: 'qir.add' reads it, too
  %n = qir.rms_norm %x, %gain {epsilon = 1.0e-5 : f64} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = qir.linear %n, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %s = qir.add %n, %y : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  // REMARK: [Missed] norm | Category:rotate | {{.*}}the norm's weights are no constants
  %m = qir.rms_norm %x, %gain_in {epsilon = 1.0e-5 : f64} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %z = qir.linear %m, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %s, %z : tensor<?x2xf32>, tensor<?x2xf32>
}
