// RUN: qopt-opt %s --qir-fuse-gated-activations --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @swiglu
// CHECK-SAME: (%[[G:.*]]: tensor<?x8xf32>, %[[U:.*]]: tensor<?x8xf32>)
// CHECK-NEXT: %[[Y:.*]] = qir.swiglu %[[G]], %[[U]]
// CHECK-NEXT: return %[[Y]]
func.func @swiglu(%g: tensor<?x8xf32>, %u: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %a = qir.silu %g : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = qir.mul %u, %a : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @geglu
// CHECK: qir.geglu %{{.*}}, %{{.*}} {approximate = "tanh"}
func.func @geglu(%g: tensor<?x8xf32>, %u: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %a = qir.gelu %g {approximate = "tanh"} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = qir.mul %a, %u : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// A gate that broadcasts keeps its product.
// CHECK-LABEL: func.func @broadcast
// CHECK-NOT: qir.swiglu
// CHECK: qir.mul
func.func @broadcast(%g: tensor<?x1xf32>, %u: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %a = qir.silu %g : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %y = qir.mul %a, %u : (tensor<?x1xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
