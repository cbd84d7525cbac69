// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @embedding_c1(%a: tensor<9xf32>, %b: tensor<?xi32>) -> tensor<?x9xf32> {
  // expected-error @below {{expects a table of rank 2, got 1}}
  %0 = qir.embedding %a, %b : (tensor<9xf32>, tensor<?xi32>) -> tensor<?x9xf32>
  return %0 : tensor<?x9xf32>
}

// -----

func.func @embedding_c2(%a: tensor<9x4xf32>, %b: tensor<?xi32>) -> tensor<?x5xf32> {
  // expected-error @below {{expects a result of shape [?, 4], got [?, 5]}}
  %0 = qir.embedding %a, %b : (tensor<9x4xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  return %0 : tensor<?x5xf32>
}

// -----

func.func @embedding_c3(%a: tensor<9x4xf32>, %b: tensor<?xi32>) -> tensor<?x4xf32> {
  // expected-error @below {{expects an offset of at least 0}}
  %0 = qir.embedding %a, %b {offset = -2 : i64} : (tensor<9x4xf32>, tensor<?xi32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

func.func @linear_c1(%a: tensor<?x4xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects a weight of rank 2, got 1}}
  %0 = qir.linear %a, %b : (tensor<?x4xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @linear_c2(%a: tensor<?x5xf32>, %b: tensor<8x4xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects x with a last dimension of 4}}
  %0 = qir.linear %a, %b : (tensor<?x5xf32>, tensor<8x4xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @linear_c3(%a: tensor<?x4xf32>, %b: tensor<8x4xf32>, %c: tensor<4xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects a bias of shape [8], got [4]}}
  %0 = qir.linear %a, %b bias %c : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<4xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @linear_c4(%a: tensor<?x4xf32>, %b: tensor<8x4xf32>) -> tensor<?x4xf32> {
  // expected-error @below {{expects a result of shape [?, 8], got [?, 4]}}
  %0 = qir.linear %a, %b : (tensor<?x4xf32>, tensor<8x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

func.func @rms_norm_c1(%a: tensor<?x8xf32>, %b: tensor<3xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects a weight whose length divides the last dimension of 'tensor<?x8xf32>', got 'tensor<3xf32>'}}
  %0 = qir.rms_norm %a, %b {epsilon = 1.0e-5 : f64} : (tensor<?x8xf32>, tensor<3xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @rms_norm_c2(%a: tensor<?x8xf32>, %b: tensor<8xf32>) -> tensor<?x4xf32> {
  // expected-error @below {{expects a result of shape [?, 8], got [?, 4]}}
  %0 = qir.rms_norm %a, %b {epsilon = 1.0e-5 : f64} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

func.func @rms_norm_c3(%a: tensor<?x8xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects an epsilon of at least 0}}
  %0 = qir.rms_norm %a, %b {epsilon = -1.0 : f64} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @layer_norm_c1(%a: tensor<?x8xf32>, %b: tensor<9xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects a weight whose length divides}}
  %0 = qir.layer_norm %a, %b {epsilon = 1.0e-5 : f64} : (tensor<?x8xf32>, tensor<9xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @layer_norm_c2(%a: tensor<?x8xf32>, %b: tensor<8xf32>) -> tensor<?x4xf32> {
  // expected-error @below {{expects a result of shape [?, 8], got [?, 4]}}
  %0 = qir.layer_norm %a, %b {epsilon = 1.0e-5 : f64} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

func.func @layer_norm_c3(%a: tensor<?x8xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects an epsilon of at least 0}}
  %0 = qir.layer_norm %a, %b {epsilon = -1.0 : f64} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @layer_norm_c4(%a: tensor<?x8xf32>, %b: tensor<8xf32>, %c: tensor<4xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects a bias of shape [8], got [4]}}
  %0 = qir.layer_norm %a, %b bias %c {epsilon = 1.0e-5 : f64} : (tensor<?x8xf32>, tensor<8xf32>, tensor<4xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @rotary_embedding_c1(%a: tensor<?x8xf32>, %b: tensor<1x3x4xf32>, %c: tensor<1x3x4xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects x of rank 4, got 2}}
  %0 = qir.rotary_embedding %a, %b, %c : (tensor<?x8xf32>, tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @rotary_embedding_c2(%a: tensor<1x2x3x8xf32>, %b: tensor<1x3x5xf32>, %c: tensor<1x3x5xf32>) -> tensor<1x2x3x8xf32> {
  // expected-error @below {{expects tables of at most 4 angles, got 5}}
  %0 = qir.rotary_embedding %a, %b, %c : (tensor<1x2x3x8xf32>, tensor<1x3x5xf32>, tensor<1x3x5xf32>) -> tensor<1x2x3x8xf32>
  return %0 : tensor<1x2x3x8xf32>
}

// -----

func.func @rotary_embedding_c3(%a: tensor<1x2x3x8xf32>, %b: tensor<1x3x4xf32>, %c: tensor<1x3x4xf32>) -> tensor<1x2x3x4xf32> {
  // expected-error @below {{expects a result of shape [1, 2, 3, 8], got [1, 2, 3, 4]}}
  %0 = qir.rotary_embedding %a, %b, %c : (tensor<1x2x3x8xf32>, tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x2x3x4xf32>
  return %0 : tensor<1x2x3x4xf32>
}

// -----

func.func @rotary_embedding_c4(%a: tensor<1x2x3x8xf32>, %b: tensor<1x3x4xf32>, %c: tensor<1x3x4xf32>) -> tensor<1x2x3x8xf32> {
  // expected-error @below {{expects interleaved to be 0 or 1, got 2}}
  %0 = qir.rotary_embedding %a, %b, %c {interleaved = 2 : i64} : (tensor<1x2x3x8xf32>, tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x2x3x8xf32>
  return %0 : tensor<1x2x3x8xf32>
}

// -----

func.func @sdpa_c1(%a: tensor<3x8xf32>, %b: tensor<1x2x5x8xf32>, %c: tensor<1x2x5x6xf32>) -> tensor<1x4x3x6xf32> {
  // expected-error @below {{expects q of rank 4, got 2}}
  %0 = qir.sdpa %a, %b, %c {scale = 0.5 : f64} : (tensor<3x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x6xf32>) -> tensor<1x4x3x6xf32>
  return %0 : tensor<1x4x3x6xf32>
}

// -----

func.func @sdpa_c2(%a: tensor<1x3x3x8xf32>, %b: tensor<1x2x5x8xf32>, %c: tensor<1x2x5x6xf32>) -> tensor<1x3x3x6xf32> {
  // expected-error @below {{expects query heads that are a multiple of 2, got 3}}
  %0 = qir.sdpa %a, %b, %c {scale = 0.5 : f64} : (tensor<1x3x3x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x6xf32>) -> tensor<1x3x3x6xf32>
  return %0 : tensor<1x3x3x6xf32>
}

// -----

func.func @sdpa_c3(%a: tensor<1x4x3x7xf32>, %b: tensor<1x2x5x8xf32>, %c: tensor<1x2x5x6xf32>) -> tensor<1x4x3x6xf32> {
  // expected-error @below {{expects q, k and v that agree}}
  %0 = qir.sdpa %a, %b, %c {scale = 0.5 : f64} : (tensor<1x4x3x7xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x6xf32>) -> tensor<1x4x3x6xf32>
  return %0 : tensor<1x4x3x6xf32>
}

// -----

func.func @sdpa_c4(%a: tensor<1x4x3x8xf32>, %b: tensor<1x2x5x8xf32>, %c: tensor<1x2x5x6xf32>) -> tensor<1x4x3x8xf32> {
  // expected-error @below {{expects a result of shape [1, 4, 3, 6], got [1, 4, 3, 8]}}
  %0 = qir.sdpa %a, %b, %c {scale = 0.5 : f64} : (tensor<1x4x3x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x6xf32>) -> tensor<1x4x3x8xf32>
  return %0 : tensor<1x4x3x8xf32>
}

// -----

func.func @sdpa_c5(%a: tensor<1x4x3x8xf32>, %b: tensor<1x2x5x8xf32>, %c: tensor<1x2x5x6xf32>) -> tensor<1x4x3x6xf32> {
  // expected-error @below {{expects a softcap of at least 0}}
  %0 = qir.sdpa %a, %b, %c {scale = 0.5 : f64, softcap = -1.0 : f64} : (tensor<1x4x3x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x6xf32>) -> tensor<1x4x3x6xf32>
  return %0 : tensor<1x4x3x6xf32>
}

// -----

func.func @sdpa_c6(%a: tensor<1x4x3x8xf32>, %b: tensor<1x2x5x8xf32>, %c: tensor<1x2x5x6xf32>) -> tensor<1x4x3x6xf32> {
  // expected-error @below {{expects causal to be 0 or 1, got 2}}
  %0 = qir.sdpa %a, %b, %c {scale = 0.5 : f64, causal = 2 : i64} : (tensor<1x4x3x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x6xf32>) -> tensor<1x4x3x6xf32>
  return %0 : tensor<1x4x3x6xf32>
}

// -----

func.func @rope_c1(%a: tensor<?x8xf32>, %b: tensor<?xi32>, %c: tensor<1xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects a last dimension that is a multiple of head_dim 3}}
  %0 = qir.rope %a, %b, %c {head_dim = 3 : i64} : (tensor<?x8xf32>, tensor<?xi32>, tensor<1xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @rope_c2(%a: tensor<?x8xf32>, %b: tensor<?xi32>, %c: tensor<3xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects at most 2 frequencies}}
  %0 = qir.rope %a, %b, %c {head_dim = 4 : i64} : (tensor<?x8xf32>, tensor<?xi32>, tensor<3xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @rope_c3(%a: tensor<?x8xf32>, %b: tensor<?xi32>, %c: tensor<2xf32>) -> tensor<?x4xf32> {
  // expected-error @below {{expects a result of shape [?, 8], got [?, 4]}}
  %0 = qir.rope %a, %b, %c {head_dim = 4 : i64} : (tensor<?x8xf32>, tensor<?xi32>, tensor<2xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

func.func @rope_c4(%a: tensor<?x8xf32>, %b: tensor<?xi32>, %c: tensor<2xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects interleaved to be 0 or 1, got 3}}
  %0 = qir.rope %a, %b, %c {head_dim = 4 : i64, interleaved = 3 : i64} : (tensor<?x8xf32>, tensor<?xi32>, tensor<2xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @attention_c1(%a: tensor<?x16xf32>, %b: tensor<?x8xf32>, %c: tensor<?x4xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects num_heads to be a multiple of kv_heads, got 3 and 2}}
  %0 = qir.attention %a, %b, %c {cache = 0 : i64, head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 3 : i64, scale = 5.000000e-01 : f64, value_dim = 2 : i64} : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @attention_c2(%a: tensor<?x16xf32>, %b: tensor<?x16xf32>, %c: tensor<?x4xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects k of shape [?, 8], got [?, 16]}}
  %0 = qir.attention %a, %b, %c {cache = 0 : i64, head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 4 : i64, scale = 5.000000e-01 : f64, value_dim = 2 : i64} : (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @attention_c3(%a: tensor<?x16xf32>, %b: tensor<?x8xf32>, %c: tensor<?x4xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects window, softcap and cache of at least 0}}
  %0 = qir.attention %a, %b, %c {cache = 0 : i64, head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 4 : i64, scale = 5.000000e-01 : f64, value_dim = 2 : i64, window = -1 : i64} : (tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @swiglu_c1(%a: tensor<?x8xf32>, %b: tensor<?x4xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects up of shape [?, 8], got [?, 4]}}
  %0 = qir.swiglu %a, %b : (tensor<?x8xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @geglu_c1(%a: tensor<?x8xf32>, %b: tensor<?x4xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects up of shape [?, 8], got [?, 4]}}
  %0 = qir.geglu %a, %b : (tensor<?x8xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @geglu_c2(%a: tensor<?x8xf32>, %b: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects approximate to be 'none' or 'tanh', got 'erf'}}
  %0 = qir.geglu %a, %b {approximate = "erf"} : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @hadamard_c1(%a: tensor<?x24xf32>, %b: tensor<12x6xf32>) -> tensor<?x24xf32> {
  // expected-error @below {{expects a square base, got 'tensor<12x6xf32>'}}
  %0 = qir.hadamard %a base %b {block = 24 : i64} : (tensor<?x24xf32>, tensor<12x6xf32>) -> tensor<?x24xf32>
  return %0 : tensor<?x24xf32>
}

// -----

func.func @hadamard_c1_block(%a: tensor<?x24xf32>, %b: tensor<4x4xf32>) -> tensor<?x24xf32> {
  // expected-error @below {{expects a block of 4 times a power of two, got 24}}
  %0 = qir.hadamard %a base %b {block = 24 : i64} : (tensor<?x24xf32>, tensor<4x4xf32>) -> tensor<?x24xf32>
  return %0 : tensor<?x24xf32>
}

// -----

func.func @hadamard_c2(%a: tensor<?x24xf32>) -> tensor<?x24xf32> {
  // expected-error @below {{expects a last dimension that is a multiple of block 16, got 'tensor<?x24xf32>'}}
  %0 = qir.hadamard %a {block = 16 : i64} : (tensor<?x24xf32>) -> tensor<?x24xf32>
  return %0 : tensor<?x24xf32>
}

// -----

func.func @hadamard_c3(%a: tensor<?x24xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects a result}}
  %0 = qir.hadamard %a {block = 8 : i64} : (tensor<?x24xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
