// RUN: rlx-opt %s --rlx-share-rope-angles | FileCheck %s

!pos = tensor<?x?xi64, #rlx.dims<BATCH, SEQ>>
!cs = tensor<?x?x2x8xf32, #rlx.dims<BATCH, SEQ, 2, 8>>
!h1x16 = tensor<?x?x1x16xf32, #rlx.dims<BATCH, SEQ, 1, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 16 type f32

  // Positions are those of the step, whatever the state of the cache.
  // CHECK-LABEL: func.func @two_bases
  // CHECK-NEXT: %[[P:.*]] = rlx.positions
  // CHECK-NEXT: %[[A:.*]] = rlx.rope_angles %[[P]] rope <base = 1.000000e+04 : f64, dim = 16>
  // CHECK-NEXT: %[[X:.*]] = rlx.rope %{{.*}}, %[[A]]
  // CHECK-NEXT: rlx.kv_append
  // CHECK-NEXT: %[[B:.*]] = rlx.rope_angles %[[P]] rope <base = 1.000000e+06 : f64, dim = 16>
  // CHECK-NEXT: %[[Y:.*]] = rlx.rope %[[X]], %[[A]]
  // CHECK-NEXT: rlx.rope %[[Y]], %[[B]]
  func.func @two_bases(%x: !h1x16, %c: !rlx.kv_cache) -> (!h1x16, !rlx.kv_cache) {
    %p0 = rlx.positions %c : !pos
    %a0 = rlx.rope_angles %p0 rope <base = 1.0e+04 : f64, dim = 16> : !pos -> !cs
    %0 = rlx.rope %x, %a0 : !h1x16, !cs -> !h1x16
    %c1 = rlx.kv_append %c, @kv0, %0, %0 : !h1x16, !h1x16
    %p1 = rlx.positions %c1 : !pos
    %a1 = rlx.rope_angles %p1 rope <base = 1.0e+04 : f64, dim = 16> : !pos -> !cs
    %b = rlx.rope_angles %p1 rope <base = 1.0e+06 : f64, dim = 16> : !pos -> !cs
    %1 = rlx.rope %0, %a1 : !h1x16, !cs -> !h1x16
    %2 = rlx.rope %1, %b : !h1x16, !cs -> !h1x16
    return %2, %c1 : !h1x16, !rlx.kv_cache
  }
}
