// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @embed_c1(%a: !qexec.weight<4, 8>, %b: !qexec.ids) -> !qexec.buffer<4> {
  // expected-error @below {{expects a result 8 wide, got 4}}
  %0 = qexec.embed %a, %b : (!qexec.weight<4, 8>, !qexec.ids) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @embed_c2(%a: !qexec.weight<4, 8>, %b: tensor<?xi64>) -> !qexec.buffer<8> {
  // expected-error @below {{expects ids or positions for a buffer, a tensor for a tensor}}
  %0 = qexec.embed %a, %b : (!qexec.weight<4, 8>, tensor<?xi64>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @linear_c1(%a: !qexec.buffer<7>, %b: !qexec.weight<4, 8>) -> !qexec.buffer<4> {
  // expected-error @below {{expects buffers of width 8 and 4, got 7 and 4}}
  %0 = qexec.linear %a, %b : (!qexec.buffer<7>, !qexec.weight<4, 8>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @linear_c2(%a: !qexec.buffer<8>, %b: !qexec.weight<4, 8>, %c: tensor<8xf32>) -> !qexec.buffer<4> {
  // expected-error @below {{expects a bias of 4 entries, got 'tensor<8xf32>'}}
  %0 = qexec.linear %a, %b bias %c : (!qexec.buffer<8>, !qexec.weight<4, 8>, tensor<8xf32>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @linear_c3(%a: !qexec.buffer<8>, %b: !qexec.weight<4, 8>) -> !qexec.buffer<4> {
  // expected-error @below {{expects activation f32, a16 or a8, got 'a4'}}
  %0 = qexec.linear %a, %b {activation = "a4"} : (!qexec.buffer<8>, !qexec.weight<4, 8>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @linear_c4(%a: !qexec.buffer<8, selected>, %b: !qexec.weight<4, 8>) -> !qexec.buffer<4> {
  // expected-error @below {{expects operand and result over the same rows}}
  %0 = qexec.linear %a, %b : (!qexec.buffer<8, selected>, !qexec.weight<4, 8>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @linear_c5(%a: !qexec.buffer<8>, %b: !qexec.weight<4, 8>, %c: !qexec.weight<8, 8>) -> !qexec.buffer<4> {
  // expected-error @below {{expects an alternate of type '!qexec.weight<4, 8>' and buffers, got '!qexec.weight<8, 8>'}}
  %0 = qexec.linear %a, %b alternate %c : (!qexec.buffer<8>, !qexec.weight<4, 8>, !qexec.weight<8, 8>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @linear_c6(%a: !qexec.buffer<8>, %b: !qexec.weight<4, 8>, %c: tensor<5xi32>) -> !qexec.buffer<4> {
  // expected-error @below {{expects outliers to be rows, columns and values, got 1 tensors}}
  %0 = qexec.linear %a, %b outliers %c : (!qexec.buffer<8>, !qexec.weight<4, 8>, tensor<5xi32>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @linear_c7(%a: !qexec.buffer<8>, %b: !qexec.weight<4, 8>) -> !qexec.buffer<4> {
  // expected-error @below {{expects activation_scales only with activation a8}}
  %0 = qexec.linear %a, %b {activation = "a16", activation_scales = array<f64: 0.5>} : (!qexec.buffer<8>, !qexec.weight<4, 8>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @linear_c4_tensor(%a: tensor<?x8xf32>, %b: !qexec.weight<4, 8>) -> !qexec.buffer<4> {
  // expected-error @below {{expects operand and result over the same rows}}
  %0 = qexec.linear %a, %b : (tensor<?x8xf32>, !qexec.weight<4, 8>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @rms_norm_c1(%a: !qexec.buffer<8>, %b: tensor<3xf32>) -> !qexec.buffer<8> {
  // expected-error @below {{expects a weight whose length divides 8, got 'tensor<3xf32>'}}
  %0 = qexec.rms_norm %a, %b {epsilon = 1.0 : f64} : (!qexec.buffer<8>, tensor<3xf32>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @rms_norm_c2(%a: !qexec.buffer<8>, %b: tensor<4xf32>) -> !qexec.buffer<4> {
  // expected-error @below {{expects a result of type '!qexec.buffer<8>', got '!qexec.buffer<4>'}}
  %0 = qexec.rms_norm %a, %b {epsilon = 1.0 : f64} : (!qexec.buffer<8>, tensor<4xf32>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @layer_norm_c1(%a: !qexec.buffer<8>, %b: tensor<3xf32>) -> !qexec.buffer<8> {
  // expected-error @below {{expects a weight whose length divides 8}}
  %0 = qexec.layer_norm %a, %b {epsilon = 1.0 : f64} : (!qexec.buffer<8>, tensor<3xf32>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @layer_norm_c2(%a: !qexec.buffer<8>, %b: tensor<8xf32>) -> !qexec.buffer<4> {
  // expected-error @below {{expects a result of type '!qexec.buffer<8>'}}
  %0 = qexec.layer_norm %a, %b {epsilon = 1.0 : f64} : (!qexec.buffer<8>, tensor<8xf32>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @layer_norm_c3(%a: !qexec.buffer<8>, %b: tensor<8xf32>, %c: tensor<4xf32>) -> !qexec.buffer<8> {
  // expected-error @below {{expects bias and weight of one length}}
  %0 = qexec.layer_norm %a, %b bias %c {epsilon = 1.0 : f64} : (!qexec.buffer<8>, tensor<8xf32>, tensor<4xf32>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @rope_c1(%a: !qexec.buffer<8>, %b: !qexec.positions, %c: tensor<1xf32>) -> !qexec.buffer<8> {
  // expected-error @below {{expects a width that is a multiple of head_dim 3, got 8}}
  %0 = qexec.rope %a, %b, %c {head_dim = 3 : i64} : (!qexec.buffer<8>, !qexec.positions, tensor<1xf32>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @rope_c2(%a: !qexec.buffer<8>, %b: !qexec.positions, %c: tensor<3xf32>) -> !qexec.buffer<8> {
  // expected-error @below {{expects at most 2 frequencies}}
  %0 = qexec.rope %a, %b, %c {head_dim = 4 : i64} : (!qexec.buffer<8>, !qexec.positions, tensor<3xf32>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @rope_c3(%a: !qexec.buffer<8, selected>, %b: !qexec.positions, %c: tensor<2xf32>) -> !qexec.buffer<8, selected> {
  // expected-error @below {{expects all rows}}
  %0 = qexec.rope %a, %b, %c {head_dim = 4 : i64} : (!qexec.buffer<8, selected>, !qexec.positions, tensor<2xf32>) -> !qexec.buffer<8, selected>
  return %0 : !qexec.buffer<8, selected>
}

// -----

func.func @attention_c1(%a: !qexec.buffer<16>, %b: !qexec.buffer<16>, %c: !qexec.buffer<8>) -> !qexec.buffer<16> {
  // expected-error @below {{expects '!qexec.buffer<8>', got '!qexec.buffer<16>'}}
  %0 = qexec.attention %a, %b, %c cache 0 {head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 4 : i64, scale = 0.5 : f64, value_dim = 4 : i64} : (!qexec.buffer<16>, !qexec.buffer<16>, !qexec.buffer<8>) -> !qexec.buffer<16>
  return %0 : !qexec.buffer<16>
}

// -----

func.func @attention_c2(%a: !qexec.buffer<12>, %b: !qexec.buffer<8>, %c: !qexec.buffer<8>) -> !qexec.buffer<12> {
  // expected-error @below {{expects num_heads to be a multiple of kv_heads, got 3 and 2}}
  %0 = qexec.attention %a, %b, %c cache 0 {head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 3 : i64, scale = 0.5 : f64, value_dim = 4 : i64} : (!qexec.buffer<12>, !qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<12>
  return %0 : !qexec.buffer<12>
}

// -----

func.func @gated_activation_c1(%a: !qexec.buffer<8>, %b: !qexec.buffer<8>) -> !qexec.buffer<8> {
  // expected-error @below {{expects a known kind, got 'tanh'}}
  %0 = qexec.gated_activation "tanh" %a, %b : (!qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @gated_activation_c2(%a: !qexec.buffer<8>, %b: !qexec.buffer<4>) -> !qexec.buffer<8> {
  // expected-error @below {{expects an operand of type '!qexec.buffer<8>'}}
  %0 = qexec.gated_activation "silu" %a, %b : (!qexec.buffer<8>, !qexec.buffer<4>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @hadamard_c1(%a: !qexec.buffer<8>, %m: tensor<3x2xf32>) -> !qexec.buffer<8> {
  // expected-error @below {{expects a square base, got 'tensor<3x2xf32>'}}
  %0 = qexec.hadamard %a base %m {block = 8 : i64} : (!qexec.buffer<8>, tensor<3x2xf32>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @hadamard_c1_block(%a: !qexec.buffer<12>, %m: tensor<2x2xf32>) -> !qexec.buffer<12> {
  // expected-error @below {{expects a block of 2 times a power of two, got 6}}
  %0 = qexec.hadamard %a base %m {block = 6 : i64} : (!qexec.buffer<12>, tensor<2x2xf32>) -> !qexec.buffer<12>
  return %0 : !qexec.buffer<12>
}

// -----

func.func @hadamard_c2(%a: !qexec.buffer<12>) -> !qexec.buffer<12> {
  // expected-error @below {{expects a width that is a multiple of block 8, got 12}}
  %0 = qexec.hadamard %a {block = 8 : i64} : (!qexec.buffer<12>) -> !qexec.buffer<12>
  return %0 : !qexec.buffer<12>
}

// -----

func.func @hadamard_c3(%a: !qexec.buffer<8>) -> !qexec.buffer<4> {
  // expected-error @below {{expects a result of type '!qexec.buffer<8>'}}
  %0 = qexec.hadamard %a {block = 4 : i64} : (!qexec.buffer<8>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @unary_c1(%a: !qexec.buffer<8>) -> !qexec.buffer<8> {
  // expected-error @below {{expects a known kind, got 'erf'}}
  %0 = qexec.unary "erf" %a : (!qexec.buffer<8>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @unary_c2(%a: !qexec.buffer<8>) -> !qexec.buffer<8> {
  // expected-error @below {{expects a positive cap for softcap, and for it only}}
  %0 = qexec.unary "softcap" %a : (!qexec.buffer<8>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @unary_c2_other(%a: !qexec.buffer<8>) -> !qexec.buffer<8> {
  // expected-error @below {{expects a positive cap for softcap, and for it only}}
  %0 = qexec.unary "tanh" %a {cap = 1.0 : f64} : (!qexec.buffer<8>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @unary_c3(%a: !qexec.buffer<8>) -> !qexec.buffer<4> {
  // expected-error @below {{expects a result of type '!qexec.buffer<8>'}}
  %0 = qexec.unary "tanh" %a : (!qexec.buffer<8>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @binary_c1(%a: !qexec.buffer<8>, %b: !qexec.buffer<8>) -> !qexec.buffer<8> {
  // expected-error @below {{expects add, sub, mul or div, got 'pow'}}
  %0 = qexec.binary "pow" %a, %b : (!qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @binary_c2(%a: !qexec.buffer<8>, %b: tensor<4xf32>) -> !qexec.buffer<8> {
  // expected-error @below {{expects 1 or 8 elements, got 'tensor<4xf32>'}}
  %0 = qexec.binary "add" %a, %b : (!qexec.buffer<8>, tensor<4xf32>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @binary_c2_rows(%a: !qexec.buffer<8>, %b: !qexec.buffer<8, selected>) -> !qexec.buffer<8> {
  // expected-error @below {{expects an operand of type '!qexec.buffer<8>', got '!qexec.buffer<8, selected>'}}
  %0 = qexec.binary "add" %a, %b : (!qexec.buffer<8>, !qexec.buffer<8, selected>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @binary_c3(%a: !qexec.buffer<8>, %b: !qexec.buffer<8>) -> !qexec.buffer<4> {
  // expected-error @below {{expects a result of type '!qexec.buffer<8>'}}
  %0 = qexec.binary "add" %a, %b : (!qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @binary_c4(%a: !qexec.buffer<8>, %b: !qexec.buffer<8>) -> !qexec.buffer<8> {
  // expected-error @below {{expects swapped to be 0 or 1, got 2}}
  %0 = qexec.binary "add" %a, %b {swapped = 2 : i64} : (!qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @copy_columns_c1(%a: !qexec.buffer<8>) -> !qexec.buffer<1> {
  // expected-error @below {{expects one start and one size per operand}}
  %0 = qexec.copy_columns %a starts [0, 1] sizes [1] : (!qexec.buffer<8>) -> !qexec.buffer<1>
  return %0 : !qexec.buffer<1>
}

// -----

func.func @copy_columns_c2(%a: !qexec.buffer<8>) -> !qexec.buffer<3> {
  // expected-error @below {{expects columns inside '!qexec.buffer<8>', got [6, 9)}}
  %0 = qexec.copy_columns %a starts [6] sizes [3] : (!qexec.buffer<8>) -> !qexec.buffer<3>
  return %0 : !qexec.buffer<3>
}

// -----

func.func @copy_columns_c3(%a: !qexec.buffer<8>) -> !qexec.buffer<4> {
  // expected-error @below {{expects a result of type '!qexec.buffer<3>', got '!qexec.buffer<4>'}}
  %0 = qexec.copy_columns %a starts [0] sizes [3] : (!qexec.buffer<8>) -> !qexec.buffer<4>
  return %0 : !qexec.buffer<4>
}

// -----

func.func @copy_columns_c3_rows(%a: !qexec.buffer<8>, %b: !qexec.buffer<8, selected>) -> !qexec.buffer<2> {
  // expected-error @below {{expects operands over the same rows}}
  %0 = qexec.copy_columns %a, %b starts [0, 0] sizes [1, 1] : (!qexec.buffer<8>, !qexec.buffer<8, selected>) -> !qexec.buffer<2>
  return %0 : !qexec.buffer<2>
}

// -----

func.func @select_rows_c1(%a: !qexec.buffer<8>) -> !qexec.buffer<8> {
  // expected-error @below {{expects all rows, and a result of type}}
  %0 = qexec.select_rows %a : (!qexec.buffer<8>) -> !qexec.buffer<8>
  return %0 : !qexec.buffer<8>
}

// -----

func.func @tensor_op_c1(%a: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @below {{expects ascending absent positions below 3, got 1}}
  %0 = qexec.tensor_op "clip"(%a) {} {absent = array<i64: 2, 1>} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @weight_c1() {
  // expected-error @below {{expects a value of shape [4, 2]}}
  %0 = qexec.weight "w" format "f32" value dense<1.0> : tensor<2x4xf32> {sources = []} : <4, 2>
  return
}

// -----

func.func @weight_format() {
  // expected-error @below {{expects format f32, f16, bf16, u8, u4, u3 or u2, got 'u5'}}
  %0 = qexec.weight "w" format "u5" value dense<1> : tensor<2x4xui8> {sources = []} : <2, 4>
  return
}

// -----

func.func @weight_c2() {
  // expected-error @below {{expects ui8 codes with scales for format u4}}
  %0 = qexec.weight "w" format "u4" value dense<1> : tensor<2x4xui8> {sources = []} : <2, 4>
  return
}

// -----

func.func @weight_c2_float() {
  // expected-error @below {{expects float values without scales for format f16}}
  %0 = qexec.weight "w" format "f16" value dense<1> : tensor<2x4xui8> {sources = []} : <2, 4>
  return
}

// -----

func.func @weight_c3() {
  // expected-error @below {{expects f16 or f32 scales of shape [2, 2]}}
  %0 = qexec.weight "w" format "u4" value dense<1> : tensor<2x40xui8> scales dense<1.0> : tensor<2x1xf16> {group_size = 32 : i64, sources = []} : <2, 40>
  return
}

// -----

func.func @weight_c3_zero_points() {
  // expected-error @below {{expects ui8 zero points of shape [2, 2]}}
  %0 = qexec.weight "w" format "u4" value dense<1> : tensor<2x40xui8> scales dense<1.0> : tensor<2x2xf16> zero_points dense<1> : tensor<2x1xui8> {group_size = 32 : i64, sources = []} : <2, 40>
  return
}

// -----

func.func @attention_c3(%q: !qexec.buffer<8>) -> !qexec.buffer<8> {
  %0 = qexec.attention %q, %q, %q cache 1 {head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 2 : i64, scale = 0.5 : f64, value_dim = 4 : i64} : (!qexec.buffer<8>, !qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<8>
  // expected-error @below {{expects a cache of its own, but cache 1 has another user}}
  %1 = qexec.attention %0, %q, %q cache 1 {head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 2 : i64, scale = 0.5 : f64, value_dim = 4 : i64} : (!qexec.buffer<8>, !qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<8>
  return %1 : !qexec.buffer<8>
}

// -----

// expected-error @below {{expects a buffer of at least one feature, got 0}}
func.func private @buffer_width(!qexec.buffer<0>)
