// RUN: qopt-opt %s -convert-qir-to-qexec -qexec-select-rows -qexec-plan-memory | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[IDS:.*]]: !qexec.ids {qir.name = "ids"}, %[[POS:.*]]: !qexec.positions {qir.name = "positions"}) -> (!qexec.buffer<16, selected>
// CHECK-SAME: qexec.arena = 80 : i64, qexec.kind = "token_major", qexec.vocab_size = 16 : i64
func.func @main(%ids: tensor<?xi32> {qir.name = "ids"}, %positions: tensor<?xi32> {qir.name = "positions"})
    -> (tensor<?x16xf32> {qir.name = "logits"}) attributes {qir.token_major} {
  // One table for embedding and head; names of both.
  // CHECK: %[[TABLE:.*]] = qexec.weight "embed" format "f32" value dense<1.000000e+00> : tensor<16x8xf32>
  // CHECK-SAME: sources = [{name = "embed", transposed = false}, {name = "head", transposed = true}]
  %table = qir.constant {qir.aliases = [{name = "head", transposed = true}]} dense<1.0> : tensor<16x8xf32> loc("embed")
  %norm = qir.constant dense<2.0> : tensor<8xf16> loc("norm")
  %qkv = qir.constant dense<0.5> : tensor<16x8xf32> loc("qkv")
  %o = qir.constant dense<0.5> : tensor<8x8xf32> loc("o")
  %freq = qir.constant dense<[1.0, 0.1]> : tensor<2xf32>
  %scale = qir.constant dense<2.0> : tensor<f32>
  // CHECK: %[[H:.*]] = qexec.embed %[[TABLE]], %[[IDS]] at 0
  %h = qir.embedding %table, %ids : (tensor<16x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  // A vector of the graph's f16 becomes f32.
  // CHECK: %[[NORM:.*]] = qexec.tensor "norm" {{.*}} dense<2.000000e+00> : tensor<8xf32>
  // CHECK: %[[N:.*]] = qexec.rms_norm %[[H]], %[[NORM]] at 16 {epsilon
  %n = qir.rms_norm %h, %norm {epsilon = 1.0e-6 : f64} : (tensor<?x8xf32>, tensor<8xf16>) -> tensor<?x8xf32>
  // CHECK: qexec.weight "qkv" format "f16"
  // CHECK: %[[QKV:.*]] = qexec.linear %[[N]], %{{.*}} at 32 {activation = "a16"}
  %x = qir.linear %n, %qkv {scheme = #qir.scheme<f16>} : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  // The dead norm makes room for q.
  // CHECK: %[[Q:.*]] = qexec.copy_columns %[[QKV]] starts [0] sizes [8] at 16
  // CHECK: qexec.copy_columns %[[QKV]] starts [8] sizes [4] at 48
  // CHECK: qexec.copy_columns %[[QKV]] starts [12] sizes [4] at 64
  %q, %k, %v = qir.split %x sizes [8, 4, 4] {axis = 1} : (tensor<?x16xf32>) -> (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
  // CHECK: qexec.rope %[[Q]], %[[POS]], %{{.*}} at 16 {head_dim = 4 : i64}
  %qr = qir.rope %q, %positions, %freq {head_dim = 4 : i64} : (tensor<?x8xf32>, tensor<?xi32>, tensor<2xf32>) -> tensor<?x8xf32>
  // CHECK: qexec.attention %{{.*}}, %{{.*}}, %{{.*}} cache 0 at 32
  %a = qir.attention %qr, %k, %v {num_heads = 2, kv_heads = 1, head_dim = 4, value_dim = 4, scale = 0.5 : f64, cache = 0}
    : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  %p = qir.linear %a, %o : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  // CHECK: %[[SUM:.*]] = qexec.binary "add"
  %r = qir.add %h, %p : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: %[[ROWS:.*]] = qexec.select_rows %[[SUM]] {{.*}} -> !qexec.buffer<8, selected>
  // CHECK: %[[LAST:.*]] = qexec.rms_norm %[[ROWS]], %[[NORM]]
  %f = qir.rms_norm %r, %norm {epsilon = 1.0e-6 : f64} : (tensor<?x8xf32>, tensor<8xf16>) -> tensor<?x8xf32>
  // CHECK: qexec.linear %[[LAST]], %[[TABLE]]
  %logits = qir.linear %f, %table {role = "head"} : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  // CHECK: qexec.binary "mul" %{{.*}} {swapped = 1 : i64} : (!qexec.buffer<16, selected>, tensor<1xf32>)
  %scaled = qir.mul %scale, %logits : (tensor<f32>, tensor<?x16xf32>) -> tensor<?x16xf32>
  return %scaled : tensor<?x16xf32>
}

// The alternate of a quantized linear is a weight of its own, without the initializer's name; one that is
// stored anyway, here as the embedding, is shared.
// CHECK-LABEL: func.func @alternate
func.func @alternate(%ids: tensor<?xi32> {qir.name = "ids"}, %positions: tensor<?xi32> {qir.name = "positions"})
    -> (tensor<?x4xf32> {qir.name = "logits"}) attributes {qir.token_major} {
  // CHECK: %[[TABLE:.*]] = qexec.weight "table" format "f16" {{.*}} sources = [{name = "table", transposed = false}]
  %table = qir.constant dense<1.0> : tensor<4x4xf32> loc("table")
  %w = qir.constant dense<0.5> : tensor<4x4xbf16> loc("w")
  %c = qir.constant dense<3> : tensor<4x4xui8> loc("w")
  %d = qir.constant dense<2> : tensor<4x4xui8> loc("table")
  %s = qir.constant dense<1.0> : tensor<4x1xf16> loc("s")
  %h = qir.embedding %table, %ids {scheme = #qir.scheme<f16>} : (tensor<4x4xf32>, tensor<?xi32>) -> tensor<?x4xf32>
  // CHECK: %[[CODES:.*]] = qexec.weight "w" format "u2"
  // CHECK: %[[W:.*]] = qexec.weight "w#fp16" format "bf16" {{.*}} sources = []
  // CHECK: qexec.linear %{{.*}}, %[[CODES]] alternate %[[W]] at {{[0-9]+}} {activation = "a16"}
  %y = qir.quantized_linear %h, %c scales %s alternate %w {bits = 2 : i64, qir.alternate = "bf16"} : (tensor<?x4xf32>, tensor<4x4xui8>, tensor<4x1xf16>, tensor<4x4xbf16>) -> tensor<?x4xf32>
  // CHECK: qexec.linear %{{.*}}, %{{.*}} alternate %[[TABLE]]
  %z = qir.quantized_linear %y, %d scales %s alternate %table {bits = 2 : i64, qir.alternate = "f16"} : (tensor<?x4xf32>, tensor<4x4xui8>, tensor<4x1xf16>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %z : tensor<?x4xf32>
}

// The base stays a matrix; the result never lies over the operand.
// CHECK-LABEL: func.func @hadamard
func.func @hadamard(%ids: tensor<?xi32> {qir.name = "ids"}, %positions: tensor<?xi32> {qir.name = "positions"})
    -> (tensor<?x8xf32> {qir.name = "logits"}) attributes {qir.token_major} {
  %table = qir.constant dense<1.0> : tensor<4x8xf32> loc("table")
  %w = qir.constant dense<0.5> : tensor<8x8xf32> loc("w")
  %base = qir.constant dense<[[1.0, 1.0], [1.0, -1.0]]> : tensor<2x2xf16> loc("base")
  // CHECK: %[[H:.*]] = qexec.embed {{.*}} at 0
  %h = qir.embedding %table, %ids : (tensor<4x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  // CHECK: %[[BASE:.*]] = qexec.tensor "base" {{.*}} : tensor<2x2xf32>
  // CHECK: qexec.hadamard %[[H]] base %[[BASE]] at 16 {block = 8 : i64}
  %x = qir.hadamard %h base %base {block = 8} : (tensor<?x8xf32>, tensor<2x2xf16>) -> tensor<?x8xf32>
  // CHECK: qexec.hadamard %{{.*}} at 0 {block = 4 : i64}
  %y = qir.hadamard %x {block = 4} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: qexec.linear
  %logits = qir.linear %y, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %logits : tensor<?x8xf32>
}

// Outliers are plain tensors, named after the codes; static scales stay an attribute.
// CHECK-LABEL: func.func @outliers
func.func @outliers(%ids: tensor<?xi32> {qir.name = "ids"}, %positions: tensor<?xi32> {qir.name = "positions"})
    -> (tensor<?x4xf32> {qir.name = "logits"}) attributes {qir.token_major} {
  %table = qir.constant dense<1.0> : tensor<4x4xf32> loc("table")
  %c = qir.constant dense<3> : tensor<4x4xui8> loc("w")
  %s = qir.constant dense<1.0> : tensor<4x1xf16> loc("s")
  %h = qir.embedding %table, %ids : (tensor<4x4xf32>, tensor<?xi32>) -> tensor<?x4xf32>
  // CHECK: %[[ROWS:.*]] = qexec.tensor "w.outlier_rows" {sources = []} dense<[0, 1, 1, 2, 2]>
  // CHECK: %[[COLUMNS:.*]] = qexec.tensor "w.outlier_columns"
  // CHECK: %[[VALUES:.*]] = qexec.tensor "w.outlier_values"
  // CHECK: qexec.linear %{{.*}}, %{{.*}} outliers %[[ROWS]], %[[COLUMNS]], %[[VALUES]] at {{[0-9]+}} {activation = "a8", activation_scales = array<f64: 2.500000e-01>}
  %y = qir.quantized_linear %h, %c scales %s {activation = "a8", bits = 2 : i64, qir.activation_scales = array<f64: 0.25>, qir.outliers = [dense<[0, 1, 1, 2, 2]> : tensor<5xi32>, dense<[3, 1]> : tensor<2xui16>, dense<[1.0, -2.0]> : tensor<2xf16>]} : (tensor<?x4xf32>, tensor<4x4xui8>, tensor<4x1xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
