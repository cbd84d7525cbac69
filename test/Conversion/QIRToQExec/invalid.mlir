// RUN: qopt-opt %s -split-input-file -verify-diagnostics -convert-qir-to-qexec

// Everything that has no instruction is named in one error.
// expected-error @below {{ops without an instruction in a .qmod program:}}
func.func @token_major(%ids: tensor<?xi32> {qir.name = "ids"}) -> tensor<?x8xf32> attributes {qir.token_major} {
  %w = qir.constant dense<1.0> : tensor<4x8xf32>
  %x = qir.embedding %w, %ids : (tensor<4x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  // expected-note @below {{qir.exp: not token-major (2 times)}}
  %y = qir.exp %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %z = qir.exp %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  // expected-note @below {{qir.softmax: not token-major (1 times)}}
  %s = qir.softmax %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %x : tensor<?x8xf32>
}

// -----

// expected-error @below {{expects token-major arguments named ids and positions, got "mask"}}
func.func @arguments(%mask: tensor<?xi32> {qir.name = "mask"}) -> tensor<?xi32> attributes {qir.token_major} {
  return %mask : tensor<?xi32>
}

// -----

func.func @not_quantized(%ids: tensor<?xi32> {qir.name = "ids"}) -> tensor<?x8xf32> attributes {qir.token_major} {
  %w = qir.constant dense<1.0> : tensor<4x8xf32>
  // expected-error @below {{expects a quantized weight for #qir.scheme<w4a16, group = 32, sym>; run qir-quantize-weights before lowering}}
  %x = qir.embedding %w, %ids {scheme = #qir.scheme<w4a16, group = 32, sym>} : (tensor<4x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  return %x : tensor<?x8xf32>
}

// -----

// expected-error @below {{ops without an instruction in a .qmod program:}}
func.func @control_flow(%c: tensor<i1>, %x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-note @below {{qir.if: control flow that could not be resolved at compile time (1 times)}}
  %y = qir.if %c : (tensor<i1>) -> tensor<?xf32> {
    qir.yield %x : tensor<?xf32>
  } else {
    qir.yield %x : tensor<?xf32>
  }
  return %y : tensor<?xf32>
}
