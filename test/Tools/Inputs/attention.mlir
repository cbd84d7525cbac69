// A token-major model of one attention layer whose key bias has an outlier.
func.func @main(%ids: tensor<?xi32> {qir.name = "ids"}, %p: tensor<?xi32> {qir.name = "positions"}) -> (tensor<?x16xf32> {qir.name = "logits"}) attributes {qir.token_major} {
  %t = qir.constant dense<0.5> : tensor<16x8xf32> loc("embed")
  %x = qir.embedding %t, %ids : (tensor<16x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  %w = qir.constant dense<0.25> : tensor<8x8xf32> loc("k")
  %b = qir.constant dense<[0.0, 90.0, 0.1, -0.2, 0.3, 0.0, 0.1, 0.2]> : tensor<8xf32> loc("b")
  %f = qir.constant dense<[1.0, 0.1, 0.01, 0.001]> : tensor<4xf32> loc("f")
  %k0 = qir.linear %x, %w bias %b : (tensor<?x8xf32>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %k = qir.rope %k0, %p, %f {head_dim = 8 : i64} : (tensor<?x8xf32>, tensor<?xi32>, tensor<4xf32>) -> tensor<?x8xf32>
  %y = qir.attention %x, %k, %x {num_heads = 1 : i64, kv_heads = 1 : i64, head_dim = 8 : i64, value_dim = 8 : i64, scale = 0.35 : f64, cache = 0 : i64} : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %h = qir.constant dense<1.0> : tensor<16x8xf32> loc("head")
  %l = qir.linear %y, %h {role = "head"} : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %l : tensor<?x16xf32>
}
