// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qir-rotate-down-projection{seed=0}))' -remarks-filter=rotate -o %t.mlir 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s < %t.mlir
// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qir-rotate-down-projection{seed=4}))' | FileCheck %s --check-prefix=SIGNS
// RUN: not qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qir-rotate-down-projection{required}))' -o /dev/null 2>&1 | FileCheck %s --check-prefix=ERROR

// A power of two: no base. Signs go into the rows of the up-projection and its bias; the gate stays.
// CHECK-LABEL: func.func @gated
// SIGNS-LABEL: func.func @gated
func.func @gated(%x: tensor<?x1xf32>) -> tensor<?x1xf32> attributes {qir.token_major} {
  %g = qir.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32> loc("gate")
  %u = qir.constant dense<[[5.0], [6.0], [7.0], [8.0]]> : tensor<4x1xf32> loc("up")
  %b = qir.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> loc("bias")
  %d = qir.constant dense<[[2.0, 0.0, 0.0, 4.0]]> : tensor<1x4xf32> loc("down")
  // CHECK: %[[G:.*]] = qir.constant dense<{{\[\[}}1.000000e+00], [2.000000e+00], [3.000000e+00], [4.000000e+00]]>
  // CHECK: %[[UP:.*]] = qir.linear %arg0, %{{.*}} bias
  // CHECK: %[[H:.*]] = qir.swiglu %{{.*}}, %[[UP]]
  // CHECK: %[[R:.*]] = qir.hadamard %[[H]] {block = 4 : i64} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: %[[D:.*]] = qir.constant {qir.rewritten} dense<{{\[\[}}3.000000e+00, -1.000000e+00, -1.000000e+00, 3.000000e+00]]>
  // CHECK: qir.linear %[[R]], %[[D]]
  // REMARK: [Passed] down | Category:rotate | order=4, width=4
  // SIGNS: qir.constant dense<{{\[\[}}1.000000e+00], [2.000000e+00], [3.000000e+00], [4.000000e+00]]>
  // SIGNS: qir.constant {qir.rewritten} dense<{{\[\[}}{{-?}}5.000000e+00], [{{-?}}6.000000e+00], [{{-?}}7.000000e+00], [{{-?}}8.000000e+00]]>
  // SIGNS: qir.constant {qir.rewritten} dense<[{{-?}}1.000000e+00, {{-?}}2.000000e+00, {{-?}}3.000000e+00, {{-?}}4.000000e+00]>
  // SIGNS-NOT: qir.mul
  %gate = qir.linear %x, %g : (tensor<?x1xf32>, tensor<4x1xf32>) -> tensor<?x4xf32>
  %up = qir.linear %x, %u bias %b : (tensor<?x1xf32>, tensor<4x1xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %h = qir.swiglu %gate, %up : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = qir.linear %h, %d : (tensor<?x4xf32>, tensor<1x4xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// 24 = 12 * 2: a base. Nothing can take signs before an activation, so they are multiplied at run time. What else
// reads the activation still does.
// CHECK-LABEL: func.func @plain
// SIGNS-LABEL: func.func @plain
func.func @plain(%x: tensor<?x24xf32>) -> (tensor<?x1xf32>, tensor<?x24xf32>) attributes {qir.token_major} {
  %d = qir.constant dense<1.0> : tensor<1x24xf32> loc("down")
  // CHECK: %[[A:.*]] = qir.gelu %arg0
  // CHECK: %[[BASE:.*]] = qir.constant {{.*}} : tensor<12x12xf32>
  // CHECK: %[[R:.*]] = qir.hadamard %[[A]] base %[[BASE]] {block = 24 : i64} : (tensor<?x24xf32>, tensor<12x12xf32>) -> tensor<?x24xf32>
  // CHECK: %[[Y:.*]] = qir.linear %[[R]],
  // CHECK: return %[[Y]], %[[A]]
  // SIGNS: %[[A:.*]] = qir.gelu
  // SIGNS: %[[M:.*]] = qir.mul %[[A]], %{{.*}} : (tensor<?x24xf32>, tensor<24xf32>) -> tensor<?x24xf32>
  // SIGNS: qir.hadamard %[[M]] base
  // REMARK: [Passed] down | Category:rotate | order=24, width=24
  %a = qir.gelu %x : (tensor<?x24xf32>) -> tensor<?x24xf32>
  %y = qir.linear %a, %d : (tensor<?x24xf32>, tensor<1x24xf32>) -> tensor<?x1xf32>
  return %y, %a : tensor<?x1xf32>, tensor<?x24xf32>
}

// -----

// A product of an activation; signs into the other factor. Linears that read no activation stay.
// CHECK-LABEL: func.func @product
// SIGNS-LABEL: func.func @product
func.func @product(%x: tensor<?x2xf32>) -> tensor<?x2xf32> attributes {qir.token_major} {
  %w = qir.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> loc("w")
  // CHECK: %[[P:.*]] = qir.mul
  // CHECK-NEXT: %[[R:.*]] = qir.hadamard %[[P]] {block = 2 : i64}
  // CHECK: qir.linear %[[R]]
  // CHECK-NOT: qir.hadamard
  // SIGNS: qir.mul
  // SIGNS-NOT: qir.mul
  %up = qir.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %g = qir.relu %x : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %p = qir.mul %up, %g : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = qir.linear %p, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %z = qir.linear %y, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %z : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func.func @refused
// CHECK-NOT: qir.hadamard
func.func @refused(%x: tensor<?x3xf32>, %w: tensor<2x2xf32>, %z: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) attributes {qir.token_major} {
  %d = qir.constant dense<1.0> : tensor<2x3xf32> loc("down")
  %a = qir.silu %x : (tensor<?x3xf32>) -> tensor<?x3xf32>
  // REMARK: "/odd"{{.*}}Category:rotate | {{.*}}the input cannot be rotated: {{.*}}a width of 3 has no Hadamard matrix
  %y = qir.linear %a, %d : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<?x2xf32> loc("/odd")
  %b = qir.silu %z : (tensor<?x2xf32>) -> tensor<?x2xf32>
  // REMARK: "/coded"{{.*}}Category:rotate | {{.*}}the input cannot be rotated: {{.*}}its weight is no constant of floats
  // ERROR: error: the input of no down-projection can be rotated: its weight is no constant of floats
  %v = qir.linear %b, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("/coded")
  return %y, %v : tensor<?x2xf32>, tensor<?x2xf32>
}
