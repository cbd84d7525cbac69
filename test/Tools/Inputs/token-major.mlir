// A model of one linear, token-major: embeds ids, norms, and asks the table for logits.
func.func @main(%ids: tensor<?xi32> {qir.name = "ids"}) -> (tensor<?x16xf32> {qir.name = "logits"})
    attributes {qir.token_major} {
  %table = qir.constant dense<0.5> : tensor<16x8xf32> loc("embed")
  %norm = qir.constant dense<1.0> : tensor<8xf32> loc("norm")
  %x = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  %n = qir.rms_norm %x, %norm {epsilon = 1.0e-6 : f64} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %y = qir.linear %n, %table {role = "head"} : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
