// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(qir-assign-scheme{scheme=w4a16-g128 fallback-group=true}))' | FileCheck %s
// RUN: qopt-opt %s --pass-pipeline='builtin.module(func.func(qir-assign-scheme{scheme=w4a16-g128 fallback-group=true}))' -remarks-filter=assign -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: not qopt-opt %s --pass-pipeline='builtin.module(func.func(qir-assign-scheme{scheme=w4a16-g128}))' 2>&1 | FileCheck %s --check-prefix=ERROR

// REMARK: a_of_192{{.*}}group 128 does not divide K = 192, taking 64
// REMARK: b_of_160{{.*}}group 128 does not divide K = 160, taking 32
// REMARK: d_of_200{{.*}}group 128 does not divide K = 200, taking 32
// ERROR: error: the group size does not divide the input features of a_of_192 (K = 192, group 128), b_of_160 (K = 160, group 128), d_of_200 (K = 200, group 128)
func.func @main(%x: tensor<?x192xf32>, %y: tensor<?x160xf32>, %z: tensor<?x8xf32>, %v: tensor<?x200xf32>) -> tensor<?x8xf32> {
  %a = qir.constant dense<1.0> : tensor<8x192xf32> loc("a_of_192")
  %b = qir.constant dense<1.0> : tensor<8x160xf32> loc("b_of_160")
  %c = qir.constant dense<1.0> : tensor<8x8xf32> loc("c_of_8")
  %d = qir.constant dense<1.0> : tensor<8x200xf32> loc("d_of_200")
  %h = qir.constant dense<1.0> : tensor<8x8xf32> loc("head")
  // CHECK: qir.linear {{.*}}scheme = #qir.scheme<w4a16, group = 64, sym>
  %0 = qir.linear %x, %a : (tensor<?x192xf32>, tensor<8x192xf32>) -> tensor<?x8xf32>
  // CHECK: qir.linear {{.*}}scheme = #qir.scheme<w4a16, group = 32, sym>
  %1 = qir.linear %y, %b : (tensor<?x160xf32>, tensor<8x160xf32>) -> tensor<?x8xf32>
  // Shorter than the group: one scale per row.
  // CHECK: qir.linear {{.*}}scheme = #qir.scheme<w4a16, group = 128, sym>
  %2 = qir.linear %z, %c : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  // CHECK: qir.linear {{.*}}scheme = #qir.scheme<w4a16, group = 32, sym>
  %3 = qir.linear %v, %d : (tensor<?x200xf32>, tensor<8x200xf32>) -> tensor<?x8xf32>
  // CHECK: qir.linear {{.*}}role = "head"
  %4 = qir.linear %3, %h : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %4 : tensor<?x8xf32>
}
