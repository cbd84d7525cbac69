// RUN: qopt-opt %s -qexec-plan-memory | FileCheck %s
// RUN: qopt-opt %s -qexec-plan-memory -remarks-filter=plan-memory -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// Widths are rounded up to 16 floats. The dead first buffer makes room; what is still needed stays.
// REMARK: Category:plan-memory | Function=reuse | floats_per_token=64, lower_bound=64
// CHECK-LABEL: func.func @reuse
// CHECK-SAME: qexec.arena = 64 : i64
func.func @reuse(%ids: !qexec.ids, %w: !qexec.weight<8, 20>, %v: !qexec.weight<20, 20>) -> !qexec.buffer<20> attributes {qexec.kind = "token_major"} {
  // CHECK: qexec.embed %{{.*}} at 0
  %0 = qexec.embed %w, %ids : (!qexec.weight<8, 20>, !qexec.ids) -> !qexec.buffer<20>
  // CHECK: qexec.linear %{{.*}} at 32
  %1 = qexec.linear %0, %v : (!qexec.buffer<20>, !qexec.weight<20, 20>) -> !qexec.buffer<20>
  // CHECK: qexec.linear %{{.*}} at 0
  %2 = qexec.linear %1, %v : (!qexec.buffer<20>, !qexec.weight<20, 20>) -> !qexec.buffer<20>
  // The sum takes over the place of its first dying operand.
  // CHECK: qexec.binary "add" %{{.*}}, %{{.*}} at 0
  %3 = qexec.binary "add" %2, %2 : (!qexec.buffer<20>, !qexec.buffer<20>) -> !qexec.buffer<20>
  return %3 : !qexec.buffer<20>
}

// Best fit: 16 floats go into the hole of 16, not into that of 32.
// CHECK-LABEL: func.func @best_fit
func.func @best_fit(%ids: !qexec.ids, %a: !qexec.weight<8, 32>, %b: !qexec.weight<8, 16>) -> !qexec.buffer<16> attributes {qexec.kind = "token_major"} {
  // CHECK: qexec.embed %{{.*}} at 0
  %0 = qexec.embed %a, %ids : (!qexec.weight<8, 32>, !qexec.ids) -> !qexec.buffer<32>
  // CHECK: qexec.embed %{{.*}} at 32
  %1 = qexec.embed %b, %ids : (!qexec.weight<8, 16>, !qexec.ids) -> !qexec.buffer<16>
  // CHECK: qexec.embed %{{.*}} at 48
  %2 = qexec.embed %b, %ids : (!qexec.weight<8, 16>, !qexec.ids) -> !qexec.buffer<16>
  // CHECK: qexec.embed %{{.*}} at 64
  %3 = qexec.embed %b, %ids : (!qexec.weight<8, 16>, !qexec.ids) -> !qexec.buffer<16>
  // CHECK: qexec.copy_columns %{{.*}} at 80
  %4 = qexec.copy_columns %0, %2 starts [0, 0] sizes [8, 8] : (!qexec.buffer<32>, !qexec.buffer<16>) -> !qexec.buffer<16>
  // Free now: [0, 32) and [48, 64).
  // CHECK: qexec.embed %{{.*}} at 48
  %5 = qexec.embed %b, %ids : (!qexec.weight<8, 16>, !qexec.ids) -> !qexec.buffer<16>
  %6 = qexec.copy_columns %1, %3, %4, %5 starts [0, 0, 0, 0] sizes [4, 4, 4, 4] : (!qexec.buffer<16>, !qexec.buffer<16>, !qexec.buffer<16>, !qexec.buffer<16>) -> !qexec.buffer<16>
  return %6 : !qexec.buffer<16>
}

// Generic programs have no arena.
// CHECK-LABEL: func.func @generic
// CHECK-NOT: qexec.arena
func.func @generic(%x: tensor<?xf32>) -> tensor<?xf32> attributes {qexec.kind = "generic"} {
  return %x : tensor<?xf32>
}
