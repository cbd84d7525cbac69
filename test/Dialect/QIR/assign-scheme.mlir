// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qir-assign-scheme{scheme=w4a16-g32-sym keep-fp16=down ignore=skip tensor-type=up=w2a16}))' | FileCheck %s
// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qir-assign-scheme{scheme=f16 embed-scheme=w8a16 tensor-type=.=bf16 keep-fp16=^down$ ignore=re:^sk,up,q}))' | FileCheck %s --check-prefix=FIRST
// RUN: qopt-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qir-assign-scheme{scheme=w4a8 keep-fp16=down ignore=skip,up}))' -remarks-filter=assign -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// CHECK-LABEL: func.func @main
// FIRST-LABEL: func.func @main
func.func @main(%ids: tensor<?xi32>) -> tensor<?x8xf32> {
  %table = qir.constant {qir.aliases = [{name = "lm_head", transposed = true}]} dense<1.0> : tensor<8x32xf32> loc("embed")
  %q = qir.constant dense<1.0> : tensor<32x32xf32> loc("q")
  %up = qir.constant dense<1.0> : tensor<32x32xf32> loc("up")
  %down = qir.constant dense<1.0> : tensor<32x32xf32> loc("down")
  %skip = qir.constant dense<1.0> : tensor<32x32xf32> loc("skip")
  // Tied to the head: 8 bits like it. A pattern fits all names; the first rule wins.
  // CHECK: qir.embedding {{.*}}scheme = #qir.scheme<w8a16, channel, sym>
  // FIRST: qir.embedding {{.*}}scheme = #qir.scheme<bf16>
  %0 = qir.embedding %table, %ids : (tensor<8x32xf32>, tensor<?xi32>) -> tensor<?x32xf32>
  // CHECK: qir.linear {{.*}}scheme = #qir.scheme<w4a16, group = 32, sym>
  %1 = qir.linear %0, %q : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  // CHECK: qir.linear {{.*}}scheme = #qir.scheme<w2a16, group = 128, asym>
  // REMARK: as the source has it
  %2 = qir.linear %1, %up : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  // CHECK: qir.linear {{.*}} {qir.critical = #qir.critical<"kept by --keep-fp16 down">, scheme = #qir.scheme<f16>}
  %3 = qir.linear %2, %down : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  // CHECK: qir.linear %{{[0-9]*}}, %{{[0-9]*}} : (
  %4 = qir.linear %3, %skip : (tensor<?x32xf32>, tensor<32x32xf32>) -> tensor<?x32xf32>
  // CHECK: qir.linear {{.*}}scheme = #qir.scheme<w8a16, channel, sym>
  // REMARK: w8a8-channel-sym
  %5 = qir.linear %4, %table : (tensor<?x32xf32>, tensor<8x32xf32>) -> tensor<?x8xf32>
  %6 = qir.softcap %5 {cap = 30.0 : f64} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %6 : tensor<?x8xf32>
}
