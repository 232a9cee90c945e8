// RUN: rlx-opt %s --rlx-pack-weights 2>&1 | FileCheck %s --check-prefixes=CHECK,STORED
// RUN: rlx-opt %s --rlx-pack-weights=quantize=q4_0 2>&1 | FileCheck %s --check-prefixes=CHECK,Q4
// RUN: rlx-opt %s --rlx-pack-weights="dtype=f32" | FileCheck %s --check-prefixes=CHECK,F32
// RUN: rlx-opt %s --rlx-pack-weights="quantize=q8_0 dtype=f16 embedding=bf16" 2>/dev/null | FileCheck %s --check-prefixes=CHECK,MIXED
// RUN: rlx-opt %s --rlx-pack-weights 2>/dev/null | rlx-opt --rlx-pack-weights=dtype=f32 | FileCheck %s --check-prefix=AGAIN
// RUN: not rlx-opt %s --rlx-pack-weights=quantize=q2_k 2>&1 | FileCheck %s --check-prefix=OPTION

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x32 = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>

// OPTION: error: expected quantize to be q8_0, q4_0 or q4_k but got 'q2_k'
// STORED-NOT: remark
// Q4: remark: weight 'odd' stays bf16: its rows of 40 elements are no multiple of the 32 of a block of q4_0
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @norm : tensor<32xbf16> from [#rlx.source<file = "m", tensor = "norm", offset = 0, type = tensor<32xbf16>>]
  rlx.weight @e : tensor<64x32xbf16> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x32xbf16>>]
  rlx.weight @w : tensor<32x32xf16> from [#rlx.source<file = "m", tensor = "w", offset = 0, type = tensor<32x32xf16>>]
  rlx.weight @odd : tensor<32x40xbf16> from [#rlx.source<file = "m", tensor = "odd", offset = 0, type = tensor<32x40xbf16>>]
  rlx.weight @q8 : tensor<32x32x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "q8", offset = 0, type = tensor<32x32x!rlx.quant<"q8_0">>>]
  rlx.weight @q41 : tensor<32x32x!rlx.quant<"q4_1">> from [#rlx.source<file = "m", tensor = "q41", offset = 0, type = tensor<32x32x!rlx.quant<"q4_1">>>]

  // CHECK: rlx.weight @norm : tensor<32xf32> {{.*}} transforms [#rlx.convert<f32>, #rlx.pack<"row">]

  // STORED: rlx.weight @e : tensor<64x32xbf16> {{.*}} transforms [#rlx.pack<"r16">]
  // STORED-NEXT: rlx.weight @w : tensor<32x32xf16> {{.*}} transforms [#rlx.pack<"r16">]
  // STORED-NEXT: rlx.weight @odd : tensor<32x40xbf16> {{.*}} transforms [#rlx.pack<"r16">]
  // STORED-NEXT: rlx.weight @q8 : tensor<32x32x!rlx.quant<"q8_0">> {{.*}} transforms [#rlx.pack<"r16">]
  // STORED-NEXT: rlx.weight @q41 : tensor<32x32x!rlx.quant<"q4_1">> {{.*}} transforms [#rlx.pack<"r16">]

  // Q4: rlx.weight @e : tensor<64x32x!rlx.quant<"q8_0">> {{.*}} transforms [#rlx.convert<!rlx.quant<"q8_0">>, #rlx.pack<"r16">]
  // Q4-NEXT: rlx.weight @w : tensor<32x32x!rlx.quant<"q4_0">> {{.*}} transforms [#rlx.convert<!rlx.quant<"q4_0">>, #rlx.pack<"r16">]
  // Q4-NEXT: rlx.weight @odd : tensor<32x40xbf16> {{.*}} transforms [#rlx.pack<"r16">]
  // Q4-NEXT: rlx.weight @q8 : tensor<32x32x!rlx.quant<"q8_0">> {{.*}} transforms [#rlx.pack<"r16">]
  // Q4-NEXT: rlx.weight @q41 : tensor<32x32x!rlx.quant<"q4_1">> {{.*}} transforms [#rlx.pack<"r16">]

  // F32: rlx.weight @e : tensor<64x32xf32>
  // F32-NEXT: rlx.weight @w : tensor<32x32xf32> {{.*}} transforms [#rlx.convert<f32>, #rlx.pack<"r16">]
  // F32-NEXT: rlx.weight @odd : tensor<32x40xf32>
  // F32-NEXT: rlx.weight @q8 : tensor<32x32xf32>
  // F32-NEXT: rlx.weight @q41 : tensor<32x32xf32>

  // MIXED: rlx.weight @e : tensor<64x32xbf16>
  // MIXED-NEXT: rlx.weight @w : tensor<32x32x!rlx.quant<"q8_0">>
  // MIXED-NEXT: rlx.weight @odd : tensor<32x40xf16>

  // What is packed is final.
  // AGAIN: rlx.weight @w : tensor<32x32xf16> {{.*}} transforms [#rlx.pack<"r16">]
  func.func @prefill(%ids: !ids) -> !x32 {
    %0 = rlx.embedding %ids, @e : (!ids) -> !x32
    %1 = rlx.rms_norm %0, @norm gain plain eps 0.001 : !x32 -> !x32
    return %1 : !x32
  }
}
