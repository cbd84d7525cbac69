// RUN: qopt-opt %s -qir-quantize-weights --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s
// RUN: qopt-opt %s -qir-quantize-weights -remarks-filter=quantize -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// REMARK: Category:quantize | rms_error=6.647001e-02, scheme=w4a16-channel-sym
// CHECK-LABEL: func.func @main
func.func @main(%ids: tensor<?xi32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  // Largest magnitude 7: scale 1. Codes are 8 + round(x), halves to even.
  // CHECK: %[[CODES:.*]] = qir.constant {qir.aliases = [{name = "head", transposed = true}]} dense<{{\[\[}}15, 8, 10, 1], [8, 10, 4, 15]]> : tensor<2x4xui8> loc("w")
  // CHECK: %[[SCALES:.*]] = qir.constant dense<1.000000e+00> : tensor<2x1xf16> loc("w")
  // CHECK-NOT: tensor<2x4xf32>
  %w = qir.constant {qir.aliases = [{name = "head", transposed = true}]} dense<[[7.0, 0.5, 1.5, -7.0], [-0.5, 2.0, -4.0, 7.0]]> : tensor<2x4xf32> loc("w")
  // CHECK: %[[X:.*]] = qir.quantized_embedding %[[CODES]] scales %[[SCALES]] ids %{{.*}} {bits = 4 : i64, offset = 1 : i64, qir.rms_error = {{.*}} : f64, qir.scheme_text = "w4a16-channel-sym"}
  %x = qir.embedding %w, %ids {offset = 1 : i64, scheme = #qir.scheme<w4a16, channel, sym>} : (tensor<2x4xf32>, tensor<?xi32>) -> tensor<?x4xf32>
  // One weight, one scheme: quantized once.
  // CHECK: qir.quantized_linear %[[X]], %[[CODES]] scales %[[SCALES]] {bits = 4 : i64
  %y = qir.linear %x, %w {scheme = #qir.scheme<w4a16, channel, sym>} : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  // Asymmetric: the range [0, 3] in 2 bits has scale 1 and zero point 0; [-1, 2] zero point 1.
  // CHECK: %[[C2:.*]] = qir.constant dense<{{\[\[}}0, 1, 2, 3], [0, 1, 2, 3]]> : tensor<2x4xui8> loc("v")
  // CHECK: %[[Z2:.*]] = qir.constant dense<{{\[\[}}0], [1]]> : tensor<2x1xui8> loc("v")
  // CHECK: qir.quantized_linear %[[X]], %[[C2]] scales %{{.*}} zero_points %[[Z2]] {activation = "a8", bits = 2 : i64, group_size = 32 : i64
  %v = qir.constant dense<[[0.0, 1.0, 2.0, 3.0], [-1.0, 0.0, 1.0, 2.0]]> : tensor<2x4xf32> loc("v")
  %z = qir.linear %x, %v {scheme = #qir.scheme<w2a8, group = 32, asym>} : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  return %y, %z : tensor<?x2xf32>, tensor<?x2xf32>
}

// Float schemes and weights without one are left to lowering.
// CHECK-LABEL: func.func @float
// CHECK: qir.linear %{{.*}} {scheme = #qir.scheme<f16>}
func.func @float(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = qir.constant dense<1.0> : tensor<2x4xf32>
  %y = qir.linear %x, %w {scheme = #qir.scheme<f16>} : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// A weight of the second set stays as the alternate.
// CHECK-LABEL: func.func @alternate
// CHECK: %[[W:.*]] = qir.constant dense<1.000000e+00> : tensor<2x4xf32>
// CHECK: qir.quantized_linear %arg0, %{{.*}} scales %{{.*}} alternate %[[W]] {bits = 4 : i64, qir.alternate = "f16", qir.rms_error
func.func @alternate(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = qir.constant dense<1.0> : tensor<2x4xf32>
  %y = qir.linear %x, %w {qir.alternate = "f16", scheme = #qir.scheme<w4a16, channel, sym>} : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
