func.func @main(%ids: tensor<?xi32> {qir.name = "ids"}) -> (tensor<?x8xf32> {qir.name = "logits"})
    attributes {qir.token_major} {
  %table = qir.constant dense<0.5> : tensor<16x8xf32> loc("embed")
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  %y = qir.exp %x : (tensor<?x8xf32>) -> tensor<?x8xf32> loc("/exp")
  %z = qir.erf %y : (tensor<?x8xf32>) -> tensor<?x8xf32> loc("/erf")
  return %z : tensor<?x8xf32>
}
