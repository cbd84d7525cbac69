// RUN: qopt-opt %s --qir-fuse-norms --canonicalize | FileCheck %s

// The spelling of the TorchScript exporter: pow, sqrt, 1 / x, casts that say nothing in f32.
// CHECK-LABEL: func.func @div_of_one
// CHECK-SAME: (%[[X:.*]]: tensor<?x?x4xf32>)
// CHECK: %[[W:.*]] = qir.constant dense<2.000000e+00> : tensor<4xf32>
// CHECK: %[[Y:.*]] = qir.rms_norm %[[X]], %[[W]] {epsilon = 9.765625E-4 : f64}
// CHECK-NEXT: return %[[Y]]
func.func @div_of_one(%x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %two = qir.constant dense<2.0> : tensor<f32>
  %one = qir.constant dense<1.0> : tensor<f32>
  %eps = qir.constant dense<0.0009765625> : tensor<f32>
  %w = qir.constant dense<2.0> : tensor<4xf32>
  %c = qir.cast %x : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %0 = qir.pow %c, %two : (tensor<?x?x4xf32>, tensor<f32>) -> tensor<?x?x4xf32>
  %1 = qir.reduce_mean %0 axes [-1] : (tensor<?x?x4xf32>) -> tensor<?x?x1xf32>
  %2 = qir.add %1, %eps : (tensor<?x?x1xf32>, tensor<f32>) -> tensor<?x?x1xf32>
  %3 = qir.sqrt %2 : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %4 = qir.div %one, %3 : (tensor<f32>, tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %5 = qir.mul %c, %4 : (tensor<?x?x4xf32>, tensor<?x?x1xf32>) -> tensor<?x?x4xf32>
  %6 = qir.mul %w, %5 : (tensor<4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  return %6 : tensor<?x?x4xf32>
}

// Square by mul, reciprocal, weight of shape [1, 1, 4] on the right, axis counted from the front.
// CHECK-LABEL: func.func @reciprocal
// CHECK: qir.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]> : tensor<4xf32>
// CHECK: qir.rms_norm
// CHECK-NOT: qir.mul
func.func @reciprocal(%x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %eps = qir.constant dense<1.0e-5> : tensor<f32>
  %w = qir.constant dense<[[[1.0, 2.0, 3.0, 4.0]]]> : tensor<1x1x4xf32>
  %0 = qir.mul %x, %x : (tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %1 = qir.reduce_mean %0 axes [2] : (tensor<?x?x4xf32>) -> tensor<?x?x1xf32>
  %2 = qir.add %eps, %1 : (tensor<f32>, tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %3 = qir.sqrt %2 : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %4 = qir.reciprocal %3 : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %5 = qir.mul %4, %x : (tensor<?x?x1xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %6 = qir.mul %5, %w : (tensor<?x?x4xf32>, tensor<1x1x4xf32>) -> tensor<?x?x4xf32>
  return %6 : tensor<?x?x4xf32>
}

// Exporters fold an epsilon of 1e-8 away.
// CHECK-LABEL: func.func @no_epsilon
// CHECK: qir.rms_norm %{{.*}} {epsilon = 0.000000e+00 : f64}
// CHECK-NOT: qir.reduce_mean
func.func @no_epsilon(%x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %w = qir.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %0 = qir.mul %x, %x : (tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %1 = qir.reduce_mean %0 axes [-1] : (tensor<?x?x4xf32>) -> tensor<?x?x1xf32>
  %2 = qir.sqrt %1 : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %3 = qir.reciprocal %2 : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %4 = qir.mul %x, %3 : (tensor<?x?x4xf32>, tensor<?x?x1xf32>) -> tensor<?x?x4xf32>
  %5 = qir.mul %4, %w : (tensor<?x?x4xf32>, tensor<4xf32>) -> tensor<?x?x4xf32>
  return %5 : tensor<?x?x4xf32>
}

// Half precision: the norm computes in f32, the weight is applied behind the cast back.
// CHECK-LABEL: func.func @half
// CHECK: %[[W:.*]] = qir.cast %{{.*}} : (tensor<4xf16>) -> tensor<4xf32>
// CHECK: %[[N:.*]] = qir.rms_norm %{{.*}}, %[[W]] {{.*}} -> tensor<?x4xf32>
// CHECK: qir.cast %[[N]] : (tensor<?x4xf32>) -> tensor<?x4xf16>
func.func @half(%x: tensor<?x4xf16>) -> tensor<?x4xf16> {
  %two = qir.constant dense<2.0> : tensor<f32>
  %eps = qir.constant dense<1.0e-6> : tensor<f32>
  %exp = qir.constant dense<-0.5> : tensor<f32>
  %w = qir.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf16>
  %c = qir.cast %x : (tensor<?x4xf16>) -> tensor<?x4xf32>
  %0 = qir.pow %c, %two : (tensor<?x4xf32>, tensor<f32>) -> tensor<?x4xf32>
  %1 = qir.reduce_mean %0 axes [-1] : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %2 = qir.add %1, %eps : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %3 = qir.pow %2, %exp : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %4 = qir.mul %c, %3 : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %5 = qir.cast %4 : (tensor<?x4xf32>) -> tensor<?x4xf16>
  %6 = qir.mul %5, %w : (tensor<?x4xf16>, tensor<4xf16>) -> tensor<?x4xf16>
  return %6 : tensor<?x4xf16>
}

// A norm without a weight (OLMo) gets a weight of ones.
// CHECK-LABEL: func.func @no_weight
// CHECK: %[[W:.*]] = qir.constant dense<1.000000e+00> : tensor<4xf32>
// CHECK: qir.rms_norm %{{.*}}, %[[W]]
func.func @no_weight(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %two = qir.constant dense<2.0> : tensor<f32>
  %eps = qir.constant dense<1.0e-6> : tensor<f32>
  %0 = qir.pow %x, %two : (tensor<?x4xf32>, tensor<f32>) -> tensor<?x4xf32>
  %1 = qir.reduce_mean %0 axes [-1] : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %2 = qir.add %1, %eps : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %3 = qir.sqrt %2 : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %4 = qir.div %x, %3 : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  return %4 : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @layer_norm
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>)
// CHECK: %[[B:.*]] = qir.constant dense<5.000000e-01> : tensor<4xf32>
// CHECK: %[[W:.*]] = qir.constant dense<2.000000e+00> : tensor<4xf32>
// CHECK: %[[Y:.*]] = qir.layer_norm %[[X]], %[[W]] bias %[[B]]
// CHECK-NEXT: return %[[Y]]
func.func @layer_norm(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %two = qir.constant dense<2.0> : tensor<f32>
  %eps = qir.constant dense<1.0e-5> : tensor<f32>
  %b = qir.constant dense<0.5> : tensor<4xf32>
  %w = qir.constant dense<2.0> : tensor<4xf32>
  %m = qir.reduce_mean %x axes [-1] : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %d = qir.sub %x, %m : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %0 = qir.pow %d, %two : (tensor<?x4xf32>, tensor<f32>) -> tensor<?x4xf32>
  %1 = qir.reduce_mean %0 axes [-1] : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %2 = qir.add %1, %eps : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %3 = qir.sqrt %2 : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %4 = qir.div %d, %3 : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  %5 = qir.mul %4, %w : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %6 = qir.add %5, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %6 : tensor<?x4xf32>
}

// Not a norm: the mean is over another axis.
// CHECK-LABEL: func.func @other_axis
// CHECK-NOT: qir.rms_norm
// CHECK: return
func.func @other_axis(%x: tensor<?x3x4xf32>) -> tensor<?x3x4xf32> {
  %two = qir.constant dense<2.0> : tensor<f32>
  %eps = qir.constant dense<1.0e-6> : tensor<f32>
  %0 = qir.pow %x, %two : (tensor<?x3x4xf32>, tensor<f32>) -> tensor<?x3x4xf32>
  %1 = qir.reduce_mean %0 axes [1] : (tensor<?x3x4xf32>) -> tensor<?x1x4xf32>
  %2 = qir.add %1, %eps : (tensor<?x1x4xf32>, tensor<f32>) -> tensor<?x1x4xf32>
  %3 = qir.sqrt %2 : (tensor<?x1x4xf32>) -> tensor<?x1x4xf32>
  %4 = qir.div %x, %3 : (tensor<?x3x4xf32>, tensor<?x1x4xf32>) -> tensor<?x3x4xf32>
  return %4 : tensor<?x3x4xf32>
}

// Not a norm: what is scaled is not what was squared.
// CHECK-LABEL: func.func @other_value
// CHECK-NOT: qir.rms_norm
// CHECK: return
func.func @other_value(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %two = qir.constant dense<2.0> : tensor<f32>
  %eps = qir.constant dense<1.0e-6> : tensor<f32>
  %0 = qir.pow %x, %two : (tensor<?x4xf32>, tensor<f32>) -> tensor<?x4xf32>
  %1 = qir.reduce_mean %0 axes [-1] : (tensor<?x4xf32>) -> tensor<?x1xf32>
  %2 = qir.add %1, %eps : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %3 = qir.sqrt %2 : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %4 = qir.div %z, %3 : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  return %4 : tensor<?x4xf32>
}
