// RUN: rlx-opt %s --rlx-fuse-qkv | FileCheck %s

!x32 = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!x64 = tensor<?x?x64xf32, #rlx.dims<BATCH, SEQ, 64>>
!x16 = tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>
!h4x16 = tensor<?x?x4x16xf32, #rlx.dims<BATCH, SEQ, 4, 16>>
!h1x16 = tensor<?x?x1x16xf32, #rlx.dims<BATCH, SEQ, 1, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @l0.q : tensor<64x32xbf16> from [#rlx.source<file = "m", tensor = "l0.q", offset = 0, type = tensor<64x32xbf16>>]
  rlx.weight @l0.k : tensor<16x32xbf16> from [#rlx.source<file = "m", tensor = "l0.k", offset = 0, type = tensor<16x32xbf16>>]
  rlx.weight @l0.v : tensor<16x32xbf16> from [#rlx.source<file = "m", tensor = "l0.v", offset = 0, type = tensor<16x32xbf16>>]
  rlx.weight @l1.q : tensor<64x32xbf16> from [#rlx.source<file = "m", tensor = "l1.q", offset = 0, type = tensor<64x32xbf16>>]
  rlx.weight @l1.k : tensor<16x32xf16> from [#rlx.source<file = "m", tensor = "l1.k", offset = 0, type = tensor<16x32xf16>>]
  rlx.weight @l1.v : tensor<16x32xbf16> from [#rlx.source<file = "m", tensor = "l1.v", offset = 0, type = tensor<16x32xbf16>>]

  // CHECK: rlx.weight @l0.q_k_v : tensor<96x32xbf16> from
  // CHECK-SAME: tensor = "l0.q"{{.*}}tensor = "l0.k"{{.*}}tensor = "l0.v"
  // CHECK-SAME: combine concat {rlx.parts = ["l0.q", "l0.k", "l0.v"]}
  // The values of layer 1 are stored otherwise than its keys.
  // CHECK-NOT: @l0.v :
  // CHECK: rlx.weight @l1.q_v : tensor<80x32xbf16>
  // CHECK-NEXT: rlx.weight @l1.k : tensor<16x32xf16>

  // CHECK-LABEL: func.func @same_type
  // CHECK-SAME: %[[X:.*]]: tensor<?x?x32xf32
  // CHECK-NEXT: %[[Y:.*]] = rlx.linear %[[X]], @l0.q_k_v :
  // CHECK-SAME: -> tensor<?x?x96xf32, #rlx.dims<BATCH, SEQ, 96>>
  // CHECK-NEXT: %[[H:.*]]:3 = rlx.split_heads %[[Y]]
  // CHECK-NEXT: return %[[H]]#0, %[[H]]#1, %[[H]]#2
  func.func @same_type(%x: !x32) -> (!h4x16, !h1x16, !h1x16) {
    %0 = rlx.linear %x, @l0.q : !x32 -> !x64
    %q = rlx.split_heads %0 : !x64 -> !h4x16
    %1 = rlx.linear %x, @l0.k : !x32 -> !x16
    %k = rlx.split_heads %1 : !x16 -> !h1x16
    %2 = rlx.linear %x, @l0.v : !x32 -> !x16
    %v = rlx.split_heads %2 : !x16 -> !h1x16
    return %q, %k, %v : !h4x16, !h1x16, !h1x16
  }

  // CHECK-LABEL: func.func @mixed_types
  // CHECK: rlx.linear %{{.*}}, @l1.q_v :
  // CHECK-NEXT: rlx.split_heads
  // CHECK-NEXT: rlx.linear %{{.*}}, @l1.k :
  // CHECK-NEXT: rlx.split_heads
  func.func @mixed_types(%x: !x32) -> (!h4x16, !h1x16, !h1x16) {
    %0 = rlx.linear %x, @l1.q : !x32 -> !x64
    %q = rlx.split_heads %0 : !x64 -> !h4x16
    %1 = rlx.linear %x, @l1.k : !x32 -> !x16
    %k = rlx.split_heads %1 : !x16 -> !h1x16
    %2 = rlx.linear %x, @l1.v : !x32 -> !x16
    %v = rlx.split_heads %2 : !x16 -> !h1x16
    return %q, %k, %v : !h4x16, !h1x16, !h1x16
  }

  // The fused weight is made once for all functions.
  // CHECK-LABEL: func.func @decode
  // CHECK: rlx.linear %{{.*}}, @l0.q_k_v :
  func.func @decode(%x: !x32) -> (!h4x16, !h1x16, !h1x16) {
    %0 = rlx.linear %x, @l0.q : !x32 -> !x64
    %q = rlx.split_heads %0 : !x64 -> !h4x16
    %1 = rlx.linear %x, @l0.k : !x32 -> !x16
    %k = rlx.split_heads %1 : !x16 -> !h1x16
    %2 = rlx.linear %x, @l0.v : !x32 -> !x16
    %v = rlx.split_heads %2 : !x16 -> !h1x16
    return %q, %k, %v : !h4x16, !h1x16, !h1x16
  }
}
