// RUN: rm -f %t.json && qopt-opt %s --pass-pipeline='builtin.module(qir-assign-mixed{target-bpw=12 calib=%S/Inputs/ids.npy scores=%t.json})' -remarks-filter=mixed -o %t.mlir 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s < %t.mlir
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qir-assign-mixed{target-bpw=12 scores=%t.json})' | diff - %t.mlir
// RUN: not qopt-opt %s --pass-pipeline='builtin.module(qir-assign-mixed{target-bpw=1 scores=%t.json})' 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qir-assign-mixed{keep-critical=0.6 scores=%t.json})' | FileCheck %s --check-prefix=KEEP
// RUN: not qopt-opt %s --pass-pipeline='builtin.module(qir-assign-mixed{scores=%t.json})' 2>&1 | FileCheck %s --check-prefix=NEEDS

// REMARK: "up"{{.*}}Category:mixed | {{.*}} predicted
// TARGET: error: the smallest precisions take {{[0-9.]+}} bits per weight; the target is below that
// NEEDS: error: qir-assign-mixed needs target-bpw or keep-critical

// CHECK-LABEL: func.func @main
func.func @main(%ids: tensor<?xi32> {qir.name = "ids"}) -> tensor<?x24xf32> attributes {qir.token_major} {
  %table = qir.constant dense<[[0.5, 0.1, 0.1, -0.2], [0.1, -0.7, 0.3, 0.4], [-0.6, 0.9, -0.7, 0.1], [0.2, 0.6, 0.2, -0.9], [0.5, 0.8, 0.1, 0.2], [0.1, -0.9, 0.3, 0.4], [-0.6, 0.9, -0.7, 0.3], [0.2, 0.6, 0.2, -0.9], [0.5, 0.8, 0.1, -0.5], [0.1, -0.7, 0.8, 0.4], [-0.6, 0.8, -0.7, 0.7], [0.2, 0.6, 0.6, -0.9], [0.3, 0.8, 0.1, -0.2], [0.7, -0.7, 0.3, 0.4], [-0.8, 0.9, -0.7, 0.1], [0.9, 0.6, 0.2, -0.9], [0.5, 0.8, 0.9, -0.2], [0.1, -0.7, -0.3, 0.4], [-0.6, 0.9, -0.2, 0.1], [0.2, 0.6, 0.1, -0.9], [0.4, 0.8, 0.1, -0.2], [0.1, -0.7, 0.3, 0.5], [-0.6, 0.9, -0.7, 0.6], [0.2, 0.6, 0.2, -0.8]]> : tensor<24x4xf32> loc("table")
  %w0 = qir.constant dense<[[1.0, 0.11, -0.7, 0.3], [-0.9, 0.07, 0.5, 1.0], [0.8, -0.13, 1.0, 0.2], [0.1, 0.09, -1.0, 0.6]]> : tensor<4x4xf32> loc("up")
  %w1 = qir.constant dense<[[1.0, 0.1, -0.7, 0.3], [-0.9, 0.1, 0.5, 1.0], [0.8, -0.1, 1.0, 0.2], [0.1, 0.1, -1.0, 0.6]]> : tensor<4x4xf32> loc("down")
  %x = qir.embedding %table, %ids : (tensor<24x4xf32>, tensor<?xi32>) -> tensor<?x4xf32>
  // One of the two stays f16 where the other has its bits.
  // CHECK: qir.linear {{.*}}scheme = #qir.scheme<
  // KEEP: qir.linear {{.*}}qir.critical = #qir.critical<"{{.*}} of a predicted KL of {{.*}} at w3a16-channel-asym, for 50.00 % of the weights">{{.*}}scheme = #qir.scheme<f16>
  %a = qir.linear %x, %w0 {scheme = #qir.scheme<w3a16, channel, asym>} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %s = qir.silu %a : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %b = qir.linear %s, %w1 {scheme = #qir.scheme<w3a16, channel, asym>} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %y = qir.linear %b, %table {role = "head"} : (tensor<?x4xf32>, tensor<24x4xf32>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}
