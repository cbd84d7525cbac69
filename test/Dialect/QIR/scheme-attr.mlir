// RUN: qopt-opt %s -split-input-file | qopt-opt -split-input-file | FileCheck %s

// CHECK-LABEL: func.func private @schemes
// CHECK-SAME: a = #qir.scheme<w4a16, group = 128, sym>
// CHECK-SAME: b = #qir.scheme<w8a8, channel, sym>
// CHECK-SAME: c = #qir.scheme<w2a32, group = 32, asym>
// CHECK-SAME: d = #qir.scheme<bf16>
// CHECK-SAME: e = #qir.critical<"kept by --keep-fp16 head">
func.func private @schemes() attributes {
  a = #qir.scheme<w4a16, group = 128, sym>,
  b = #qir.scheme<w8a8, channel, sym>,
  c = #qir.scheme<w2a32, group = 32, asym>,
  d = #qir.scheme<bf16>,
  e = #qir.critical<"kept by --keep-fp16 head">
}
