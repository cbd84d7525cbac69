// RUN: qopt-opt %s -split-input-file -verify-diagnostics -qir-quantize-weights

func.func @not_finite(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  // expected-error @below {{expects finite weights, got NaN or infinity in row 1}}
  %w = qir.constant dense<[[1.0, 2.0], [1.0, 0x7FC00000]]> : tensor<2x2xf32>
  %y = qir.linear %x, %w {scheme = #qir.scheme<w4a16, channel, sym>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

func.func @not_constant(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  // expected-error @below {{expects a constant weight for #qir.scheme<w4a16, channel, sym>}}
  %y = qir.linear %x, %w {scheme = #qir.scheme<w4a16, channel, sym>} : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
