// RUN: qopt-opt %s -split-input-file -verify-diagnostics -qir-assign-alternates | FileCheck %s
// RUN: not qopt-opt %s -split-input-file -qir-assign-alternates -remarks-filter=assign -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// The format is that of the source; f32 becomes f16 unless a value is too large for it. Dense
// schemes and embeddings need no alternate.
// REMARK: Category:assign | linears=3
// CHECK-LABEL: func.func @formats
func.func @formats(%ids: tensor<?xi32>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) attributes {qir.token_major} {
  %a = qir.constant dense<1.0> : tensor<2x4xbf16>
  %b = qir.constant dense<2.0> : tensor<2x4xf32>
  %c = qir.constant dense<1.0e6> : tensor<2x4xf32>
  // CHECK: qir.embedding {{.*}} {scheme = #qir.scheme<w8a16, channel, sym>}
  %x = qir.embedding %b, %ids {scheme = #qir.scheme<w8a16, channel, sym>} : (tensor<2x4xf32>, tensor<?xi32>) -> tensor<?x4xf32>
  // CHECK: qir.linear {{.*}} {qir.alternate = "bf16", scheme
  %0 = qir.linear %x, %a {scheme = #qir.scheme<w4a16, channel, sym>} : (tensor<?x4xf32>, tensor<2x4xbf16>) -> tensor<?x2xf32>
  // CHECK: qir.linear {{.*}} {qir.alternate = "f16", scheme
  %1 = qir.linear %x, %b {scheme = #qir.scheme<w2a16, channel, sym>} : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  // CHECK: qir.linear {{.*}} {qir.alternate = "bf16", scheme
  %2 = qir.linear %x, %c {scheme = #qir.scheme<w2a16, channel, sym>} : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  // CHECK: qir.linear {{.*}} {scheme = #qir.scheme<f16>}
  %3 = qir.linear %x, %b {scheme = #qir.scheme<f16>} : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  return %0, %1, %2, %3 : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// expected-error @below {{a second weight set has no effect: no linear is quantized}}
func.func @nothing(%x: tensor<?x4xf32>) -> tensor<?x2xf32> attributes {qir.token_major} {
  %b = qir.constant dense<2.0> : tensor<2x4xf32>
  %0 = qir.linear %x, %b {scheme = #qir.scheme<f16>} : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

// expected-error @below {{a second weight set needs a token-major program, and this graph was not raised}}
func.func @generic(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %b = qir.constant dense<2.0> : tensor<2x4xf32>
  %0 = qir.linear %x, %b {scheme = #qir.scheme<w4a16, channel, sym>} : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
