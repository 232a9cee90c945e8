// RUN: rlx-opt %s --rlx-fuse-gate-up | FileCheck %s

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
!x32 = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!x24 = tensor<?x?x24xf32, #rlx.dims<BATCH, SEQ, 24>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @l0.gate : tensor<32x8xf32> from [#rlx.source<file = "m", tensor = "l0.gate", offset = 0, type = tensor<32x8xf32>>]
  rlx.weight @l0.up : tensor<32x8xf32> from [#rlx.source<file = "m", tensor = "l0.up", offset = 0, type = tensor<32x8xf32>>]
  rlx.weight @l1.gate : tensor<24x8xf32> from [#rlx.source<file = "m", tensor = "l1.gate", offset = 0, type = tensor<24x8xf32>>]
  rlx.weight @l1.up : tensor<24x8xf32> from [#rlx.source<file = "m", tensor = "l1.up", offset = 0, type = tensor<24x8xf32>>]
  rlx.weight @l2.gate : tensor<32x8xf32> from [#rlx.source<file = "m", tensor = "l2.gate", offset = 0, type = tensor<32x8xf32>>]
  rlx.weight @l2.up : tensor<32x8xf32> from [#rlx.source<file = "m", tensor = "l2.up", offset = 0, type = tensor<32x8xf32>>]

  // CHECK: rlx.weight @l0.gate_up : tensor<64x8xf32> from
  // CHECK-SAME: tensor = "l0.gate"{{.*}}tensor = "l0.up"
  // CHECK-SAME: combine interleave {rlx.parts = ["l0.gate", "l0.up"]}
  // CHECK-NEXT: rlx.weight @l1.gate :
  // CHECK-NEXT: rlx.weight @l1.up :
  // CHECK-NEXT: rlx.weight @l2.gate :
  // CHECK-NEXT: rlx.weight @l2.up :

  // CHECK-LABEL: func.func @gated
  // CHECK-SAME: %[[X:.*]]: tensor<
  // CHECK-NEXT: %[[Y:.*]] = rlx.linear %[[X]], @l0.gate_up geglu : tensor<?x?x8xf32{{.*}} -> tensor<?x?x32xf32
  // CHECK-NEXT: return %[[Y]]
  func.func @gated(%x: !x8) -> !x32 {
    %0 = rlx.linear %x, @l0.gate : !x8 -> !x32
    %1 = rlx.linear %x, @l0.up : !x8 -> !x32
    %2 = rlx.geglu %0, %1 : !x32
    return %2 : !x32
  }

  // A last panel of 8 rows cannot alternate with another.
  // CHECK-LABEL: func.func @short_panel
  // CHECK: rlx.geglu
  func.func @short_panel(%x: !x8) -> !x24 {
    %0 = rlx.linear %x, @l1.gate : !x8 -> !x24
    %1 = rlx.linear %x, @l1.up : !x8 -> !x24
    %2 = rlx.geglu %0, %1 : !x24
    return %2 : !x24
  }

  // CHECK-LABEL: func.func @different_inputs
  // CHECK: rlx.geglu
  func.func @different_inputs(%x: !x8, %y: !x8) -> !x32 {
    %0 = rlx.linear %x, @l2.gate : !x8 -> !x32
    %1 = rlx.linear %y, @l2.up : !x8 -> !x32
    %2 = rlx.geglu %0, %1 : !x32
    return %2 : !x32
  }
}
