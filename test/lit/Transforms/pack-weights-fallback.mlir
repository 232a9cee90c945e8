// RUN: rlx-opt %s --rlx-pack-weights=quantize=q4_k 2>&1 | FileCheck %s --check-prefixes=CHECK,AUTO
// RUN: rlx-opt %s --rlx-pack-weights="quantize=q4_k embedding=q4_k" 2>&1 | FileCheck %s --check-prefixes=CHECK,ASKED

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x288 = tensor<?x?x288xf32, #rlx.dims<BATCH, SEQ, 288>>

// AUTO: remark: weight 'e' becomes q8_0: its rows of 288 elements are no multiple of the 256 of a block of q6_k
// ASKED: remark: weight 'e' becomes q5_0: its rows of 288 elements are no multiple of the 256 of a block of q4_k
// CHECK: remark: weight 'narrow' becomes q5_0: its rows of 288 elements are no multiple of the 256 of a block of q4_k
// CHECK: remark: weight 'odd' stays bf16: its rows of 40 elements are no multiple of the 256 of a block of q4_k
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  // AUTO: rlx.weight @e : tensor<64x288x!rlx.quant<"q8_0">> {{.*}} transforms [#rlx.convert<!rlx.quant<"q8_0">>, #rlx.pack<"r16">]
  // ASKED: rlx.weight @e : tensor<64x288x!rlx.quant<"q5_0">>
  rlx.weight @e : tensor<64x288xbf16> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x288xbf16>>]
  // CHECK-NEXT: rlx.weight @wide : tensor<32x512x!rlx.quant<"q4_k">> {{.*}} transforms [#rlx.convert<!rlx.quant<"q4_k">>, #rlx.pack<"r16">]
  rlx.weight @wide : tensor<32x512xbf16> from [#rlx.source<file = "m", tensor = "wide", offset = 0, type = tensor<32x512xbf16>>]
  // CHECK-NEXT: rlx.weight @narrow : tensor<32x288x!rlx.quant<"q5_0">> {{.*}} transforms [#rlx.convert<!rlx.quant<"q5_0">>, #rlx.pack<"r16">]
  rlx.weight @narrow : tensor<32x288xbf16> from [#rlx.source<file = "m", tensor = "narrow", offset = 0, type = tensor<32x288xbf16>>]
  // CHECK-NEXT: rlx.weight @odd : tensor<32x40xbf16> {{.*}} transforms [#rlx.pack<"r16">]
  rlx.weight @odd : tensor<32x40xbf16> from [#rlx.source<file = "m", tensor = "odd", offset = 0, type = tensor<32x40xbf16>>]
  // CHECK-NEXT: rlx.weight @stored : tensor<32x256x!rlx.quant<"q3_k">> {{.*}} transforms [#rlx.pack<"r16">]
  rlx.weight @stored : tensor<32x256x!rlx.quant<"q3_k">> from [#rlx.source<file = "m", tensor = "stored", offset = 0, type = tensor<32x256x!rlx.quant<"q3_k">>>]
  func.func @prefill(%ids: !ids) -> !x288 {
    %0 = rlx.embedding %ids, @e : (!ids) -> !x288
    return %0 : !x288
  }
}
