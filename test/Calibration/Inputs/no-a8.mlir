func.func @main(%ids: tensor<?xi32> {qir.name = "ids"}) -> (tensor<?x2xf32> {qir.name = "logits"})
    attributes {qir.token_major} {
  %table = qir.constant dense<0.5> : tensor<24x8xf32> loc("table")
  %w = qir.constant dense<0.5> : tensor<2x8xf32> loc("w")
  %x = qir.embedding %table, %ids : (tensor<24x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  %y = qir.linear %x, %w {scheme = #qir.scheme<w4a16, channel, sym>} : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
