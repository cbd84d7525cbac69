// RUN: not qopt-opt %s --pass-pipeline='builtin.module(func.func(qir-assign-scheme{scheme=w4a16 keep-fp16=nothing}))' 2>&1 | FileCheck %s --check-prefix=NOMATCH
// RUN: not qopt-opt %s --pass-pipeline='builtin.module(func.func(qir-assign-scheme{scheme=w4a16 ignore=re:(}))' 2>&1 | FileCheck %s --check-prefix=REGEX
// RUN: not qopt-opt %s --pass-pipeline='builtin.module(func.func(qir-assign-scheme{scheme=w4a16-g7}))' 2>&1 | FileCheck %s --check-prefix=SCHEME
// RUN: not qopt-opt %s --pass-pipeline='builtin.module(func.func(qir-assign-scheme{tensor-type=w=fp4}))' 2>&1 | FileCheck %s --check-prefix=TYPE

// NOMATCH: error: 'nothing' matches no weight
// REGEX: error: '(' is no regular expression
// SCHEME: error: scheme: scheme 'w4a16-g7' {{.*}}expects a group of 0 (channel), 32, 64 or 128, got 7
// TYPE: error: tensor-type: expects f32, f16, bf16 or w<BITS>a<BITS>[-g<GROUP>|-channel][-sym|-asym], got 'fp4'
func.func @main(%x: tensor<?x32xf32>) -> tensor<?x8xf32> {
  %w = qir.constant dense<1.0> : tensor<8x32xf32> loc("w")
  %0 = qir.linear %x, %w : (tensor<?x32xf32>, tensor<8x32xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
