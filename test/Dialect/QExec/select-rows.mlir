// RUN: qopt-opt %s -qexec-select-rows | FileCheck %s

// CHECK-LABEL: func.func @tail
// CHECK-SAME: -> !qexec.buffer<4, selected>
func.func @tail(%ids: !qexec.ids, %t: !qexec.weight<4, 8>, %v: tensor<8xf32>) -> !qexec.buffer<4> attributes {qexec.kind = "token_major"} {
  %0 = qexec.embed %t, %ids : (!qexec.weight<4, 8>, !qexec.ids) -> !qexec.buffer<8>
  // CHECK: %[[SUM:.*]] = qexec.binary "add"
  %1 = qexec.binary "add" %0, %0 : (!qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<8>
  // CHECK: %[[ROWS:.*]] = qexec.select_rows %[[SUM]]
  // CHECK: qexec.rms_norm %[[ROWS]], %{{.*}} -> !qexec.buffer<8, selected>
  %2 = qexec.rms_norm %1, %v {epsilon = 1.0 : f64} : (!qexec.buffer<8>, tensor<8xf32>) -> !qexec.buffer<8>
  // CHECK: qexec.linear %{{.*}} -> !qexec.buffer<4, selected>
  %3 = qexec.linear %2, %t : (!qexec.buffer<8>, !qexec.weight<4, 8>) -> !qexec.buffer<4>
  // CHECK: qexec.unary "softcap" %{{.*}} -> !qexec.buffer<4, selected>
  %4 = qexec.unary "softcap" %3 {cap = 30.0 : f64} : (!qexec.buffer<4>) -> !qexec.buffer<4>
  return %4 : !qexec.buffer<4>
}

// Attention needs all rows, so only what follows it is cut.
// CHECK-LABEL: func.func @attention
func.func @attention(%ids: !qexec.ids, %t: !qexec.weight<4, 8>) -> !qexec.buffer<8> attributes {qexec.kind = "token_major"} {
  %0 = qexec.embed %t, %ids : (!qexec.weight<4, 8>, !qexec.ids) -> !qexec.buffer<8>
  // CHECK: %[[A:.*]] = qexec.attention
  %1 = qexec.attention %0, %0, %0 cache 0 {head_dim = 4 : i64, kv_heads = 2 : i64, num_heads = 2 : i64, scale = 0.5 : f64, value_dim = 4 : i64} : (!qexec.buffer<8>, !qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<8>
  // CHECK: qexec.select_rows %[[A]]
  %2 = qexec.unary "tanh" %1 : (!qexec.buffer<8>) -> !qexec.buffer<8>
  return %2 : !qexec.buffer<8>
}

// A value that is needed by more than the chain is cut below.
// CHECK-LABEL: func.func @shared
func.func @shared(%ids: !qexec.ids, %t: !qexec.weight<8, 8>, %v: tensor<8xf32>) -> !qexec.buffer<8> attributes {qexec.kind = "token_major"} {
  %0 = qexec.embed %t, %ids : (!qexec.weight<8, 8>, !qexec.ids) -> !qexec.buffer<8>
  %1 = qexec.rms_norm %0, %v {epsilon = 1.0 : f64} : (!qexec.buffer<8>, tensor<8xf32>) -> !qexec.buffer<8>
  %2 = qexec.linear %1, %t : (!qexec.buffer<8>, !qexec.weight<8, 8>) -> !qexec.buffer<8>
  // CHECK: %[[SUM:.*]] = qexec.binary "mul"
  // CHECK: qexec.select_rows %[[SUM]]
  %3 = qexec.binary "mul" %2, %1 : (!qexec.buffer<8>, !qexec.buffer<8>) -> !qexec.buffer<8>
  return %3 : !qexec.buffer<8>
}
