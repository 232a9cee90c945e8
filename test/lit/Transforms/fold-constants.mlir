// RUN: rlx-opt %s --rlx-fold-constants | FileCheck %s

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @e : tensor<64x8xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x8xf32>>]
  rlx.weight @g : tensor<8xbf16> from [#rlx.source<file = "m", tensor = "g", offset = 0, type = tensor<8xbf16>>]
  rlx.weight @p : tensor<8xf32> from [#rlx.source<file = "m", tensor = "p", offset = 0, type = tensor<8xf32>>]

  // CHECK: rlx.weight @g.plain : tensor<8xf32> from [{{.*}}type = tensor<8xbf16>{{.*}}] transforms [#rlx.add_scalar<1.000000e+00 : f32>]
  // CHECK-NEXT: rlx.weight @p : tensor<8xf32>

  // CHECK-LABEL: func.func @gains
  // CHECK-NEXT: rlx.rms_norm %{{.*}}, @g.plain gain plain
  // CHECK-NEXT: rlx.rms_norm %{{.*}}, @p gain plain
  // CHECK-NEXT: rlx.rms_norm %{{.*}}, @g.plain gain plain
  func.func @gains(%x: !x8) -> !x8 {
    %0 = rlx.rms_norm %x, @g gain one_plus eps 0.001 : !x8 -> !x8
    %1 = rlx.rms_norm %0, @p gain plain eps 0.001 : !x8 -> !x8
    %2 = rlx.rms_norm %1, @g gain one_plus eps 0.001 : !x8 -> !x8
    return %2 : !x8
  }

  // CHECK-LABEL: func.func @embedding_scale
  // CHECK-NEXT: %[[X:.*]] = rlx.embedding %{{.*}}, @e {scale = 8.000000e+00 : f32}
  // CHECK-NEXT: return %[[X]]
  func.func @embedding_scale(%ids: !ids) -> !x8 {
    %0 = rlx.embedding %ids, @e : (!ids) -> !x8
    %1 = rlx.scale %0 by 1.0 : !x8
    %2 = rlx.scale %1 by 8.0 : !x8
    return %2 : !x8
  }

  // Two factors would be rounded otherwise than one after the other.
  // CHECK-LABEL: func.func @scaled_twice
  // CHECK: rlx.embedding %{{.*}}, @e {scale = 3.000000e+00 : f32}
  // CHECK-NEXT: rlx.scale %{{.*}} by 8.000000e+00
  func.func @scaled_twice(%ids: !ids) -> !x8 {
    %0 = rlx.embedding %ids, @e {scale = 3.0 : f32} : (!ids) -> !x8
    %1 = rlx.scale %0 by 8.0 : !x8
    return %1 : !x8
  }
}
