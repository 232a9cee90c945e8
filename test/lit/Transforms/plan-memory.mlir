// RUN: rlx-opt %s --rlx-plan-memory --rlx-verify-plan | FileCheck %s

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x16 = tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>
!x48 = tensor<?x?x48xf32, #rlx.dims<BATCH, SEQ, 48>>
!h1x16 = tensor<?x?x1x16xf32, #rlx.dims<BATCH, SEQ, 1, 16>>
!cs = tensor<?x?x2x8xf32, #rlx.dims<BATCH, SEQ, 2, 8>>
!y = tensor<?x?x16xf32, #rlx.dims<BATCH, OUT, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @e : tensor<64x16xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x16xf32>>]
  rlx.weight @w : tensor<16x16xf32> from [#rlx.source<file = "m", tensor = "w", offset = 0, type = tensor<16x16xf32>>]
  rlx.weight @qkv : tensor<48x16xf32> from [#rlx.source<file = "m", tensor = "qkv", offset = 0, type = tensor<48x16xf32>>]
  rlx.weight @g : tensor<16xf32> from [#rlx.source<file = "m", tensor = "g", offset = 0, type = tensor<16xf32>>]

  // 8 tokens of 16 f32 are 512 bytes. The result that is returned has no place. The counter of a
  // linear op has 64 bytes of its own.
  // CHECK-LABEL: func.func @in_place
  // CHECK-SAME: rlx.counters = array<i64: 512, 1>, rlx.workspace_bytes = 576 : i64
  // CHECK-NEXT: rlx.gelu %{{.*}} {rlx.offsets = array<i64: 0>}
  // CHECK-NEXT: rlx.mul %{{.*}} {rlx.offsets = array<i64: 0>}
  // CHECK-NEXT: rlx.linear %{{.*}} {rlx.offsets = array<i64: -1>}
  func.func @in_place(%x: !x16) -> !x16 {
    %0 = rlx.gelu %x : !x16
    %1 = rlx.mul %0, %x : !x16
    %2 = rlx.linear %1, @w : !x16 -> !x16
    return %2 : !x16
  }

  // The residual is overwritten at its last use, the input of a linear never.
  // CHECK-LABEL: func.func @residual
  // CHECK-SAME: rlx.counters = array<i64: 1024, 2>, rlx.workspace_bytes = 1152 : i64
  // CHECK-NEXT: rlx.embedding %{{.*}} {rlx.offsets = array<i64: [[A:[0-9]+]]>}
  // CHECK-NEXT: rlx.rms_norm %{{.*}} {rlx.offsets = array<i64: [[B:[0-9]+]]>}
  // CHECK-NEXT: rlx.linear %{{.*}} {rlx.offsets = array<i64: [[A]]>}
  // CHECK-NEXT: rlx.linear %{{.*}} {rlx.offsets = array<i64: [[B]]>}
  // CHECK-NEXT: rlx.select_rows %{{.*}} {rlx.offsets = array<i64: -1>}
  func.func @residual(%ids: !ids, %b: index) -> !y {
    %0 = rlx.embedding %ids, @e : (!ids) -> !x16
    %1 = rlx.rms_norm %0, @g gain plain eps 0.001 : !x16 -> !x16
    %2 = rlx.linear %1, @w residual(%0 : !x16) : !x16 -> !x16
    %3 = rlx.linear %2, @w residual(%2 : !x16) : !x16 -> !x16
    %4 = rlx.select_rows %3 from %b : !x16 -> !y
    return %4 : !y
  }

  // Views have no place and keep what they show alive.
  // CHECK-LABEL: func.func @views
  // CHECK-SAME: rlx.counters = array<i64: 2048, 1>, rlx.workspace_bytes = 2112 : i64
  // CHECK-NEXT: rlx.linear %{{.*}} {rlx.offsets = array<i64: 0>}
  // CHECK-NEXT: rlx.split_heads %{{.*}} {rlx.offsets = array<i64: -1, -1, -1>}
  // CHECK-NEXT: rlx.merge_heads %{{.*}} {rlx.offsets = array<i64: -1>}
  // CHECK-NEXT: rlx.gelu %{{.*}} {rlx.offsets = array<i64: 1536>}
  func.func @views(%x: !x16) -> !x16 {
    %0 = rlx.linear %x, @qkv : !x16 -> !x48
    %q, %k, %v = rlx.split_heads %0 : !x48 -> !h1x16, !h1x16, !h1x16
    %1 = rlx.merge_heads %v : !h1x16 -> !x16
    %2 = rlx.gelu %1 : !x16
    %3 = rlx.add %2, %1 : !x16
    return %3 : !x16
  }

  // Scratch memory lives as long as its op: beside the result, over what is dead.
  // CHECK-LABEL: func.func @scratch
  // CHECK-SAME: rlx.counters = array<i64: 1024, 2>, rlx.workspace_bytes = 1152 : i64
  // CHECK-NEXT: rlx.linear %{{.*}} {rlx.offsets = array<i64: [[A:[0-9]+]]>, rlx.scratch = [[B:[0-9]+]] : i64}
  // CHECK-NEXT: rlx.gelu %{{.*}} {rlx.offsets = array<i64: [[A]]>}
  // CHECK-NEXT: rlx.linear %{{.*}} {rlx.offsets = array<i64: -1>, rlx.scratch = [[B]] : i64}
  func.func @scratch(%x: !x16) -> !x16 {
    %0 = rlx.linear %x, @w norm(@g, 0.001) : !x16 -> !x16
    %1 = rlx.gelu %0 : !x16
    %2 = rlx.linear %1, @w norm(@g, 0.001) : !x16 -> !x16
    return %2 : !x16
  }

  // Norms and rotations work in place too, but not over the angles.
  // CHECK-LABEL: func.func @rows
  // CHECK-SAME: rlx.counters = array<i64: 1024, 1>, rlx.workspace_bytes = 1088 : i64
  // CHECK-NEXT: rlx.positions %{{.*}} {rlx.offsets = array<i64: -1>}
  // CHECK-NEXT: rlx.rope_angles %{{.*}} {rlx.offsets = array<i64: [[CS:[0-9]+]]>}
  // CHECK-NEXT: rlx.linear %{{.*}} {rlx.offsets = array<i64: [[A:[0-9]+]]>}
  // CHECK-NEXT: rlx.split_heads %{{.*}} {rlx.offsets = array<i64: -1>}
  // CHECK-NEXT: rlx.rms_norm %{{.*}} {rlx.offsets = array<i64: [[A]]>}
  // CHECK-NEXT: rlx.rope %{{.*}} {rlx.offsets = array<i64: [[A]]>}
  // CHECK-NEXT: rlx.gelu %{{.*}} {rlx.offsets = array<i64: -1>}
  func.func @rows(%x: !x16, %c: !rlx.kv_cache) -> !h1x16 {
    %p = rlx.positions %c : tensor<?x?xi64, #rlx.dims<BATCH, SEQ>>
    %cs = rlx.rope_angles %p rope <base = 1.0e+04 : f64, dim = 16>
      : tensor<?x?xi64, #rlx.dims<BATCH, SEQ>> -> !cs
    %0 = rlx.linear %x, @w : !x16 -> !x16
    %1 = rlx.split_heads %0 : !x16 -> !h1x16
    %2 = rlx.rms_norm %1, @g gain plain eps 0.001 : !h1x16 -> !h1x16
    %3 = rlx.rope %2, %cs : !h1x16, !cs -> !h1x16
    %4 = rlx.gelu %3 : !h1x16
    return %4 : !h1x16
  }
}
