// RUN: qopt-opt %s --load-pass-plugin=%plugins/CountWeightsPlugin.so --pass-pipeline='builtin.module(func.func(count-weights))' | FileCheck %s
// RUN: qopt-opt %s --load-pass-plugin=%plugins/CountWeightsPlugin.so --pass-pipeline='builtin.module(func.func(count-weights))' --remarks-filter=count -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// CHECK: func.func @main(){{.*}} attributes {count.elements = 12 : i64}
// REMARK: Category:count | Function=main | elements=12, weights=2
func.func @main() -> (tensor<2x4xf32>, tensor<2x2xf32>, tensor<3xf32>) {
  %0 = qir.constant dense<1.0> : tensor<2x4xf32>
  %1 = qir.constant dense<1.0> : tensor<2x2xf32>
  %2 = qir.constant dense<1.0> : tensor<3xf32>
  return %0, %1, %2 : tensor<2x4xf32>, tensor<2x2xf32>, tensor<3xf32>
}
