// RUN: qopt-opt %s --qir-fuse-bias | FileCheck %s

// The bias is defined behind the product and stands on the left, as the TorchScript exporter has it.
// CHECK-LABEL: func.func @bias
// CHECK: %[[B:.*]] = qir.constant dense<5.000000e-01> : tensor<2xf32>
// CHECK: %[[Y:.*]] = qir.linear %{{.*}}, %{{.*}} bias %[[B]]
// CHECK-NEXT: return %[[Y]]
func.func @bias(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = qir.constant dense<1.0> : tensor<2x4xf32>
  %0 = qir.linear %x, %w : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  %b = qir.constant dense<0.5> : tensor<2xf32>
  %y = qir.add %b, %0 : (tensor<2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// CHECK-LABEL: func.func @quantized
// CHECK: qir.quantized_linear %{{.*}}, %{{.*}} scales %{{.*}} bias %{{.*}} {
// CHECK-NOT: qir.add
func.func @quantized(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %q = qir.constant dense<3> : tensor<2x4xui8>
  %s = qir.constant dense<1.0> : tensor<2x1xf32>
  %b = qir.constant dense<0.5> : tensor<2xf32>
  %0 = qir.quantized_linear %x, %q scales %s {bits = 4 : i64} : (tensor<?x4xf32>, tensor<2x4xui8>, tensor<2x1xf32>) -> tensor<?x2xf32>
  %y = qir.add %0, %b : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// The product has another use; a scalar is no row.
// CHECK-LABEL: func.func @refused
// CHECK-COUNT-2: qir.add
func.func @refused(%x: tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = qir.constant dense<1.0> : tensor<2x4xf32>
  %b = qir.constant dense<0.5> : tensor<2xf32>
  %c = qir.constant dense<0.5> : tensor<f32>
  %0 = qir.linear %x, %w : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  %1 = qir.add %0, %b : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %2 = qir.linear %x, %w : (tensor<?x4xf32>, tensor<2x4xf32>) -> tensor<?x2xf32>
  %3 = qir.add %2, %c : (tensor<?x2xf32>, tensor<f32>) -> tensor<?x2xf32>
  return %0, %1, %3 : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}
