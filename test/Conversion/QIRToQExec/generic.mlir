// RUN: qopt-opt %s -convert-qir-to-qexec | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK-SAME: qexec.kind = "generic", qexec.vocab_size = 4 : i64
func.func @main(%ids: tensor<?x?xi64> {qir.name = "input_ids"}) -> (tensor<?x?x4xf16> {qir.name = "logits"}) {
  // CHECK: %[[TABLE:.*]] = qexec.weight "embed" format "f16"
  // CHECK: %[[ROWS:.*]] = qexec.embed %[[TABLE]], %arg0 : (!qexec.weight<4, 8>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  // CHECK: %[[X:.*]] = qexec.tensor_op "cast"(%[[ROWS]]) {to = "f16"} : (tensor<?x?x8xf32>) -> tensor<?x?x8xf16>
  %table = qir.constant dense<1.0> : tensor<4x8xf16> loc("embed")
  %x = qir.embedding %table, %ids : (tensor<4x8xf16>, tensor<?x?xi64>) -> tensor<?x?x8xf16>
  // CHECK: %[[MAX:.*]] = qexec.tensor "constant#0" {{.*}} dense<6.000000e+00> : tensor<f16>
  // CHECK: %[[C:.*]] = qexec.tensor_op "clip"(%[[X]], %[[MAX]]) {} {absent = array<i64: 1>}
  %max = qir.constant dense<6.0> : tensor<f16>
  %c = qir.clip %x max %max : (tensor<?x?x8xf16>, tensor<f16>) -> tensor<?x?x8xf16>
  // CHECK: qexec.tensor_op "softmax"(%[[C]]) {axis = -1 : i64}
  %s = qir.softmax %c : (tensor<?x?x8xf16>) -> tensor<?x?x8xf16>
  // CHECK: qexec.linear %{{.*}}, %[[TABLE]] : (tensor<?x?x8xf32>, !qexec.weight<4, 8>) -> tensor<?x?x4xf32>
  // CHECK: qexec.tensor_op "cast"(%{{.*}}) {to = "f16"}
  %y = qir.linear %s, %table : (tensor<?x?x8xf16>, tensor<4x8xf16>) -> tensor<?x?x4xf16>
  return %y : tensor<?x?x4xf16>
}
