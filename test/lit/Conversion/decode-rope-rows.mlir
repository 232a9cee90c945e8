// RUN: rlx-opt %s --rlx-fold --rlx-specialize --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v3 | FileCheck %s
// RUN: rlx-opt %s --rlx-fold --rlx-specialize --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v3 --rlx-convert-to-llvm=target-cpu=x86-64-v3 \
// RUN:   | FileCheck %s --check-prefix=LLVM

// A decode step computes one row of cosines and sines for each distinct base and
// scaling, here two for four rotations, and keeps no table of positions: the only
// constants are the 8 frequencies of each.

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!pos = tensor<?x?xi64, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!q = tensor<?x?x2x16xf32, #rlx.dims<BATCH, SEQ, 2, 16>>
!cs = tensor<?x?x2x8xf32, #rlx.dims<BATCH, SEQ, 2, 8>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>

// CHECK: llvm.mlir.global internal constant @[[TURNS1:rlx_rope_turns_[0-9a-f]+]](dense<{{.*}}> : tensor<8xf64>)
// CHECK: llvm.mlir.global internal constant @[[TURNS2:rlx_rope_turns_[0-9a-f]+]](dense<{{.*}}> : tensor<8xf64>)
// CHECK-NOT: llvm.mlir.global
// CHECK-NOT: memref.global
// CHECK: rlx.variant @decode calls @[[DECODE:[a-z_]+]] role decode
// CHECK: func.func @[[DECODE]](
// CHECK: call @rlx_rope_angles_8_{{[0-9a-f]+}}(%[[ROW1:[0-9]+]],
// CHECK-NOT: rope_angles
// CHECK: call @rlx_rope_2x16{{[^(]*}}(%{{[0-9]+}}, %[[ROW1]],
// CHECK: call @rlx_rope_angles_8_{{[0-9a-f]+}}(%[[ROW2:[0-9]+]],
// CHECK-NOT: rope_angles
// CHECK: call @rlx_rope_2x16{{[^(]*}}(%{{[0-9]+}}, %[[ROW2]],
// CHECK-NOT: rope_angles
// CHECK: call @rlx_rope_2x16{{[^(]*}}(%{{[0-9]+}}, %[[ROW1]],
// CHECK-NOT: rope_angles
// CHECK: call @rlx_rope_2x16{{[^(]*}}(%{{[0-9]+}}, %[[ROW2]],
// CHECK-NOT: rope_angles
// CHECK: return

// LLVM-COUNT-2: llvm.mlir.global internal constant @rlx_rope_turns_{{[0-9a-f]+}}(dense<{{.*}}> : tensor<8xf64>)
// LLVM-NOT: llvm.mlir.global {{.*}}x f32
// LLVM-NOT: llvm.mlir.global {{.*}}x f64
// LLVM-NOT: llvm.mlir.global {{.*}}xf32
// LLVM-NOT: llvm.mlir.global {{.*}}xf64
// LLVM: llvm.func @rlx_query
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>,
                                  #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 1>]} {
  rlx.weight @w : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>]
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill"} {
    %x = rlx.embedding %ids, @w : (!ids) -> !x
    %pos = rlx.positions %cache : !pos
    %q0 = rlx.split_heads %x : !x -> !q
    %cs0 = rlx.rope_angles %pos rope <base = 1.0e+04 : f64, dim = 16> : !pos -> !cs
    %q1 = rlx.rope %q0, %cs0 : !q, !cs -> !q
    %cs1 = rlx.rope_angles %pos rope <base = 1.0e+06 : f64, dim = 16, scaling = "linear", factor = 8.0 : f64> : !pos -> !cs
    %q2 = rlx.rope %q1, %cs1 : !q, !cs -> !q
    %pos2 = rlx.positions %cache : !pos
    %cs2 = rlx.rope_angles %pos2 rope <base = 1.0e+04 : f64, dim = 16> : !pos -> !cs
    %q3 = rlx.rope %q2, %cs2 : !q, !cs -> !q
    %cs3 = rlx.rope_angles %pos2 rope <base = 1.0e+06 : f64, dim = 16, scaling = "linear", factor = 8.0 : f64> : !pos -> !cs
    %q4 = rlx.rope %q3, %cs3 : !q, !cs -> !q
    %m = rlx.merge_heads %q4 : !q -> !x
    %h = rlx.select_rows %m from %begin : !x -> !y
    %l = rlx.linear %h, @w : !y -> !y
    return %l, %h, %cache : !y, !y, !rlx.kv_cache
  }
}
