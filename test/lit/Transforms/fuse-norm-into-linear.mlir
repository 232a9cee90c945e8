// RUN: rlx-opt %s --rlx-fuse-norm-into-linear | FileCheck %s

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
!x32 = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @g : tensor<8xf32> from [#rlx.source<file = "m", tensor = "g", offset = 0, type = tensor<8xf32>>]
  rlx.weight @g1 : tensor<8xbf16> from [#rlx.source<file = "m", tensor = "g1", offset = 0, type = tensor<8xbf16>>]
  rlx.weight @w : tensor<32x8xf32> from [#rlx.source<file = "m", tensor = "w", offset = 0, type = tensor<32x8xf32>>]
  rlx.weight @u : tensor<32x8xf32> from [#rlx.source<file = "m", tensor = "u", offset = 0, type = tensor<32x8xf32>>]

  // CHECK: rlx.weight @g1.plain : tensor<8xf32> from [{{.*}}] transforms [#rlx.add_scalar<1.000000e+00 : f32>]
  // CHECK-NOT: rlx.weight @g1 :

  // CHECK-LABEL: func.func @plain_and_shared
  // CHECK-SAME: %[[X:.*]]: tensor<
  // CHECK-NEXT: rlx.linear %[[X]], @w norm(@g, 1.000000e-03)
  // CHECK-NEXT: rlx.linear %[[X]], @u norm(@g, 1.000000e-03)
  func.func @plain_and_shared(%x: !x8) -> (!x32, !x32) {
    %0 = rlx.rms_norm %x, @g gain plain eps 0.001 : !x8 -> !x8
    %1 = rlx.linear %0, @w : !x8 -> !x32
    %2 = rlx.linear %0, @u : !x8 -> !x32
    return %1, %2 : !x32, !x32
  }

  // CHECK-LABEL: func.func @one_plus
  // CHECK-NEXT: rlx.linear %{{.*}}, @w norm(@g1.plain, 1.000000e-03)
  func.func @one_plus(%x: !x8) -> !x32 {
    %0 = rlx.rms_norm %x, @g1 gain one_plus eps 0.001 : !x8 -> !x8
    %1 = rlx.linear %0, @w : !x8 -> !x32
    return %1 : !x32
  }

  // The hidden state is an output itself.
  // CHECK-LABEL: func.func @other_use
  // CHECK-NEXT: %[[N:.*]] = rlx.rms_norm
  // CHECK-NEXT: rlx.linear %[[N]], @w :
  func.func @other_use(%x: !x8) -> (!x8, !x32) {
    %0 = rlx.rms_norm %x, @g gain plain eps 0.001 : !x8 -> !x8
    %1 = rlx.linear %0, @w : !x8 -> !x32
    return %0, %1 : !x8, !x32
  }
}
