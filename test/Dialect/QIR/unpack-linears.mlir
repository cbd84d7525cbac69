// RUN: qopt-opt %s --qir-unpack-linears | FileCheck %s

// CHECK-LABEL: func.func @packed
// CHECK: %[[A:.*]] = qir.constant {qir.rows = [0, 3]} dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// CHECK: %[[AB:.*]] = qir.constant {qir.rows = [0, 3]} dense<[1.000000e-01, 2.000000e-01]> : tensor<2xf32>
// CHECK: %[[Q:.*]] = qir.linear %{{.*}}, %[[A]] bias %[[AB]]
// CHECK: %[[B:.*]] = qir.constant {qir.rows = [2, 3]} dense<{{\[\[}}5.000000e+00, 6.000000e+00]]> : tensor<1x2xf32>
// CHECK: %[[K:.*]] = qir.linear %{{.*}}, %[[B]] bias
// CHECK-NOT: qir.slice
// CHECK: return %[[Q]], %[[K]]
func.func @packed(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x1xf32>) {
  %w = qir.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %b = qir.constant dense<[0.1, 0.2, 0.3]> : tensor<3xf32>
  %c0 = qir.constant dense<0> : tensor<1xi64>
  %c2 = qir.constant dense<2> : tensor<1xi64>
  %c3 = qir.constant dense<3> : tensor<1xi64>
  %p = qir.linear %x, %w bias %b : (tensor<?x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<?x3xf32>
  %q = qir.slice %p, %c0, %c2 axes [1] steps [1] : (tensor<?x3xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x2xf32>
  %k = qir.slice %p, %c2, %c3 axes [1] steps [1] : (tensor<?x3xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x1xf32>
  return %q, %k : tensor<?x2xf32>, tensor<?x1xf32>
}

// The packed result is used as a whole, too.
// CHECK-LABEL: func.func @used_whole
// CHECK-COUNT-1: qir.linear
// CHECK-COUNT-2: qir.slice
func.func @used_whole(%x: tensor<?x2xf32>) -> (tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x2xf32>) {
  %w = qir.constant dense<1.0> : tensor<2x2xf32>
  %c0 = qir.constant dense<0> : tensor<1xi64>
  %c1 = qir.constant dense<1> : tensor<1xi64>
  %c2 = qir.constant dense<2> : tensor<1xi64>
  %p = qir.linear %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %q = qir.slice %p, %c0, %c1 axes [1] steps [1] : (tensor<?x2xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x1xf32>
  %k = qir.slice %p, %c1, %c2 axes [1] steps [1] : (tensor<?x2xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x1xf32>
  return %q, %k, %p : tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x2xf32>
}
