// RUN: qopt-opt %s -split-input-file -verify-diagnostics -qir-assign-outliers="share=0.01" | FileCheck %s
// RUN: not qopt-opt %s -split-input-file -qir-assign-outliers="share=0.01" -remarks-filter=assign -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// What calibration quantizes gets the share: not f16, not a head of 8 bits.
// REMARK: Category:assign | bits_per_weight=1.200000e+01, linears=1, weights=1
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<?x4xf32>) -> tensor<?x8xf32> {
  %w = qir.constant dense<1.0> : tensor<4x4xf32>
  %h = qir.constant dense<1.0> : tensor<8x4xf32>
  // CHECK: qir.linear {{.*}} {qir.outlier_share = 1.000000e-02 : f64, scheme = #qir.scheme<w3a16
  %0 = qir.linear %x, %w {scheme = #qir.scheme<w3a16, channel, asym>} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  // CHECK: qir.linear {{.*}} {scheme = #qir.scheme<f16>}
  %1 = qir.linear %0, %w {scheme = #qir.scheme<f16>} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  // CHECK: qir.linear {{.*}} {role = "head", scheme = #qir.scheme<w8a16
  %2 = qir.linear %1, %h {role = "head", scheme = #qir.scheme<w8a16, channel, sym>} : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  return %2 : tensor<?x8xf32>
}

// -----

// expected-error @below {{outliers have no effect: no linear is quantized}}
func.func @nothing(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w = qir.constant dense<1.0> : tensor<4x4xf32>
  %0 = qir.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

func.func @wide(%x: tensor<?x65600xf32>) -> tensor<?x1xf32> {
  %w = qir.constant dense<1.0> : tensor<1x65600xf32>
  // expected-error @below {{has 65600 columns, and outliers need at most 65536}}
  %0 = qir.linear %x, %w {scheme = #qir.scheme<w3a16, channel, asym>} : (tensor<?x65600xf32>, tensor<1x65600xf32>) -> tensor<?x1xf32>
  return %0 : tensor<?x1xf32>
}
