// RUN: rlx-opt %s --rlx-decompose | FileCheck %s

!x32 = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!x96 = tensor<?x?x96xf32, #rlx.dims<BATCH, SEQ, 96>>
!x16 = tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>
!h4x16 = tensor<?x?x4x16xf32, #rlx.dims<BATCH, SEQ, 4, 16>>
!h1x16 = tensor<?x?x1x16xf32, #rlx.dims<BATCH, SEQ, 1, 16>>
!cs = tensor<?x?x2x8xf32, #rlx.dims<BATCH, SEQ, 2, 8>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @l0.q_k_v : tensor<96x32xf32> from [#rlx.source<file = "m", tensor = "q", offset = 0, type = tensor<64x32xf32>>, #rlx.source<file = "m", tensor = "k", offset = 0, type = tensor<16x32xf32>>, #rlx.source<file = "m", tensor = "v", offset = 0, type = tensor<16x32xf32>>] combine concat {rlx.parts = ["l0.q", "l0.k", "l0.v"]}
  rlx.weight @gu : tensor<64x32xbf16> from [#rlx.source<file = "m", tensor = "g", offset = 0, type = tensor<32x32xbf16>>, #rlx.source<file = "m", tensor = "u", offset = 0, type = tensor<32x32xbf16>>] combine interleave {rlx.parts = ["gate"]}
  rlx.weight @g : tensor<32xf32> from [#rlx.source<file = "m", tensor = "g", offset = 0, type = tensor<32xf32>>]
  rlx.weight @w : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "w", offset = 0, type = tensor<32x32xf32>>]
  rlx.kv_slot @kv0 heads 1 head_dim 16 type f32

  // A list of parts that does not fit is not believed.
  // CHECK: rlx.weight @l0.q : tensor<64x32xf32> from [#rlx.source<file = "m", tensor = "q"
  // CHECK-NEXT: rlx.weight @l0.k : tensor<16x32xf32>
  // CHECK-NEXT: rlx.weight @l0.v : tensor<16x32xf32>
  // CHECK-NEXT: rlx.weight @gu.0 : tensor<32x32xbf16> from [#rlx.source<file = "m", tensor = "g"
  // CHECK-NEXT: rlx.weight @gu.1 : tensor<32x32xbf16>
  // CHECK-NEXT: rlx.weight @g

  // CHECK-LABEL: func.func @epilogue
  // CHECK-SAME: %[[X:.*]]: tensor<
  // CHECK-NEXT: %[[N:.*]] = rlx.rms_norm %[[X]], @g gain plain eps 1.000000e-03
  // CHECK-NEXT: %[[G:.*]] = rlx.linear %[[N]], @gu.0 :
  // CHECK-NEXT: %[[U:.*]] = rlx.linear %[[N]], @gu.1 :
  // CHECK-NEXT: %[[A:.*]] = rlx.gelu %[[G]]
  // CHECK-NEXT: %[[M:.*]] = rlx.mul %[[A]], %[[U]]
  // CHECK-NEXT: %[[C:.*]] = rlx.softcap %[[M]] cap 3.000000e+01
  // CHECK-NEXT: %[[Y:.*]] = rlx.add %[[X]], %[[C]]
  // CHECK-NEXT: %[[R:.*]] = rlx.rms_norm %[[Y]], @g gain one_plus eps 1.000000e-03 :
  // CHECK-NEXT: %[[Z:.*]] = rlx.add %[[X]], %[[R]]
  // CHECK-NEXT: return %[[Z]]
  func.func @epilogue(%x: !x32) -> !x32 {
    %0 = rlx.linear %x, @gu norm(@g, 0.001) geglu cap 30.0 residual(%x : !x32) : !x32 -> !x32
    %1 = rlx.rms_norm %0, @g gain one_plus eps 0.001 residual(%x : !x32) : !x32 -> !x32
    return %1 : !x32
  }

  // CHECK-LABEL: func.func @attention
  // CHECK: rlx.linear %{{.*}}, @l0.q :
  // CHECK-NEXT: %[[Q:.*]] = rlx.split_heads
  // CHECK-NEXT: rlx.linear %{{.*}}, @l0.k :
  // CHECK-NEXT: %[[K:.*]] = rlx.split_heads
  // CHECK-NEXT: rlx.linear %{{.*}}, @l0.v :
  // CHECK-NEXT: %[[V:.*]] = rlx.split_heads
  // CHECK-NEXT: %[[KR:.*]] = rlx.rope %[[K]]
  // CHECK-NEXT: %[[C:.*]] = rlx.kv_append %{{.*}}, @kv0, %[[KR]], %[[V]]
  // CHECK-NEXT: %[[KS:.*]], %[[VS:.*]] = rlx.kv_read %[[C]], @kv0 : tensor<?x?x1x16xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 16>>
  // CHECK-NEXT: rlx.attention %[[Q]], %[[KS]], %[[VS]] mask causal scale 2.500000e-01 window 4
  func.func @attention(%x: !x32, %cs: !cs, %c: !rlx.kv_cache) -> (!h4x16, !rlx.kv_cache) {
    %0 = rlx.linear %x, @l0.q_k_v : !x32 -> !x96
    %q, %k, %v = rlx.split_heads %0 : !x96 -> !h4x16, !h1x16, !h1x16
    %c1 = rlx.rope_append %c, @kv0, %k, %v, %cs : !h1x16, !h1x16, !cs
    %y = rlx.cached_attention %q, %c1, @kv0 mask causal scale 0.25 window 4 : !h4x16 -> !h4x16
    return %y, %c1 : !h4x16, !rlx.kv_cache
  }
}
