// RUN: rlx-opt %s --rlx-fuse-attention | FileCheck %s

!h4x16 = tensor<?x?x4x16xf32, #rlx.dims<BATCH, SEQ, 4, 16>>
!kv = tensor<?x?x1x16xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 16>>
!new = tensor<?x?x1x16xf32, #rlx.dims<BATCH, SEQ, 1, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 16 type f32 window 4

  // CHECK-LABEL: func.func @streams
  // CHECK-NOT: rlx.kv_read
  // CHECK: %[[C:.*]] = rlx.kv_append
  // CHECK-NEXT: %[[Y:.*]] = rlx.cached_attention %{{.*}}, %[[C]], @kv0 mask causal scale 2.500000e-01 cap 5.000000e+01 window 4
  // CHECK-NEXT: return %[[Y]]
  func.func @streams(%q: !h4x16, %n: !new, %c0: !rlx.kv_cache) -> !h4x16 {
    %c1 = rlx.kv_append %c0, @kv0, %n, %n : !new, !new
    %k, %v = rlx.kv_read %c1, @kv0 : !kv, !kv
    %y = rlx.attention %q, %k, %v mask causal scale 0.25 cap 50.0 window 4 : !h4x16, !kv, !kv -> !h4x16
    return %y : !h4x16
  }

  // The state that is read is gone when attention runs.
  // CHECK-LABEL: func.func @later_append
  // CHECK: rlx.kv_read
  // CHECK: rlx.attention
  func.func @later_append(%q: !h4x16, %n: !new, %c0: !rlx.kv_cache) -> (!h4x16, !rlx.kv_cache) {
    %k, %v = rlx.kv_read %c0, @kv0 : !kv, !kv
    %c1 = rlx.kv_append %c0, @kv0, %n, %n : !new, !new
    %y = rlx.attention %q, %k, %v mask causal scale 0.25 window 4 : !h4x16, !kv, !kv -> !h4x16
    return %y, %c1 : !h4x16, !rlx.kv_cache
  }

  // Keys and values of different reads.
  // CHECK-LABEL: func.func @two_reads
  // CHECK: rlx.attention
  func.func @two_reads(%q: !h4x16, %c0: !rlx.kv_cache) -> !h4x16 {
    %k, %v = rlx.kv_read %c0, @kv0 : !kv, !kv
    %y = rlx.attention %q, %k, %k mask causal scale 0.25 window 4 : !h4x16, !kv, !kv -> !h4x16
    return %y : !h4x16
  }
}
