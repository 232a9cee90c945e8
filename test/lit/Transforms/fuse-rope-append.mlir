// RUN: rlx-opt %s --rlx-fuse-rope-append | FileCheck %s

!h1x16 = tensor<?x?x1x16xf32, #rlx.dims<BATCH, SEQ, 1, 16>>
!cs = tensor<?x?x2x8xf32, #rlx.dims<BATCH, SEQ, 2, 8>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 16 type f32

  // CHECK-LABEL: func.func @rotates
  // CHECK-SAME: %[[K:.*]]: tensor<{{.*}}>, %[[V:.*]]: tensor<{{.*}}>, %[[CS:.*]]: tensor<{{.*}}>, %[[C:.*]]: !rlx.kv_cache
  // CHECK-NEXT: %[[C1:.*]] = rlx.rope_append %[[C]], @kv0, %[[K]], %[[V]], %[[CS]]
  // CHECK-NEXT: return %[[C1]]
  func.func @rotates(%k: !h1x16, %v: !h1x16, %cs: !cs, %c: !rlx.kv_cache) -> !rlx.kv_cache {
    %0 = rlx.rope %k, %cs : !h1x16, !cs -> !h1x16
    %1 = rlx.kv_append %c, @kv0, %0, %v : !h1x16, !h1x16
    return %1 : !rlx.kv_cache
  }

  // CHECK-LABEL: func.func @other_use
  // CHECK: rlx.rope
  // CHECK: rlx.kv_append
  func.func @other_use(%k: !h1x16, %v: !h1x16, %cs: !cs, %c: !rlx.kv_cache) -> (!h1x16, !rlx.kv_cache) {
    %0 = rlx.rope %k, %cs : !h1x16, !cs -> !h1x16
    %1 = rlx.kv_append %c, @kv0, %0, %v : !h1x16, !h1x16
    return %0, %1 : !h1x16, !rlx.kv_cache
  }
}
