// RUN: qopt-opt %s --qir-fuse-activations --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @silu
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>)
// CHECK-NEXT: %[[Y:.*]] = qir.silu %[[X]]
// CHECK-NEXT: return %[[Y]]
func.func @silu(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %s = qir.sigmoid %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = qir.mul %s, %x : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @quick_gelu_of_one
// CHECK: qir.silu
func.func @quick_gelu_of_one(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = qir.quick_gelu %x {alpha = 1.0 : f64} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @scaled_sigmoid
// CHECK: qir.quick_gelu %{{.*}} {alpha = 1.750000e+00 : f64}
func.func @scaled_sigmoid(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %a = qir.constant dense<1.75> : tensor<f32>
  %0 = qir.mul %x, %a : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %s = qir.sigmoid %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = qir.mul %x, %s : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @gelu_erf
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>)
// CHECK-NEXT: %[[Y:.*]] = qir.gelu %[[X]]
// CHECK-NEXT: return %[[Y]]
func.func @gelu_erf(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %root = qir.constant dense<1.41421354> : tensor<f32>
  %one = qir.constant dense<1.0> : tensor<f32>
  %half = qir.constant dense<0.5> : tensor<f32>
  %0 = qir.div %x, %root : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %1 = qir.erf %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = qir.add %1, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = qir.mul %x, %2 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = qir.mul %3, %half : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  return %4 : tensor<?x8xf32>
}

// The cube as pow, 0.5 x first.
// CHECK-LABEL: func.func @gelu_tanh_pow
// CHECK: qir.gelu %{{.*}} {approximate = "tanh"}
// CHECK-NEXT: return
func.func @gelu_tanh_pow(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %three = qir.constant dense<3.0> : tensor<f32>
  %c = qir.constant dense<0.044715> : tensor<f32>
  %root = qir.constant dense<0.797884583> : tensor<f32>
  %one = qir.constant dense<1.0> : tensor<f32>
  %half = qir.constant dense<0.5> : tensor<f32>
  %h = qir.mul %x, %half : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %0 = qir.pow %x, %three : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %1 = qir.mul %0, %c : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %2 = qir.add %x, %1 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = qir.mul %2, %root : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %4 = qir.tanh %3 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %5 = qir.add %4, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %6 = qir.mul %h, %5 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %6 : tensor<?x8xf32>
}

// The cube as products.
// CHECK-LABEL: func.func @gelu_tanh_mul
// CHECK: qir.gelu %{{.*}} {approximate = "tanh"}
// CHECK-NEXT: return
func.func @gelu_tanh_mul(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %c = qir.constant dense<0.044715> : tensor<f32>
  %root = qir.constant dense<0.797884583> : tensor<f32>
  %one = qir.constant dense<1.0> : tensor<f32>
  %half = qir.constant dense<0.5> : tensor<f32>
  %s = qir.mul %x, %x : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %0 = qir.mul %x, %s : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = qir.mul %c, %0 : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = qir.add %1, %x : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = qir.mul %root, %2 : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = qir.tanh %3 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %5 = qir.add %one, %4 : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %6 = qir.mul %x, %5 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %7 = qir.mul %half, %6 : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %7 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @softcap
// CHECK: qir.softcap %{{.*}} {cap = 3.000000e+01 : f64}
// CHECK-NEXT: return
func.func @softcap(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %cap = qir.constant dense<30.0> : tensor<f32>
  %0 = qir.div %x, %cap : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %1 = qir.tanh %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = qir.mul %1, %cap : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  return %2 : tensor<?x8xf32>
}

// A gate by the sigmoid of another value is no silu.
// CHECK-LABEL: func.func @other_gate
// CHECK-NOT: qir.silu
// CHECK: return
func.func @other_gate(%x: tensor<?x8xf32>, %g: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %s = qir.sigmoid %g : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = qir.mul %x, %s : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// Another cubic coefficient is no gelu.
// CHECK-LABEL: func.func @other_cubic
// CHECK-NOT: qir.gelu
// CHECK: return
func.func @other_cubic(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %three = qir.constant dense<3.0> : tensor<f32>
  %c = qir.constant dense<0.05> : tensor<f32>
  %root = qir.constant dense<0.797884583> : tensor<f32>
  %one = qir.constant dense<1.0> : tensor<f32>
  %half = qir.constant dense<0.5> : tensor<f32>
  %h = qir.mul %x, %half : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %0 = qir.pow %x, %three : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %1 = qir.mul %0, %c : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %2 = qir.add %x, %1 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = qir.mul %2, %root : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %4 = qir.tanh %3 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %5 = qir.add %4, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %6 = qir.mul %h, %5 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %6 : tensor<?x8xf32>
}
