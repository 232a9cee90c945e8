// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni+bf16 | FileCheck %s --check-prefix=DOTS
// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni+bf16+amx | FileCheck %s --check-prefix=TILES

// A gated product and the one that reads it have weights of different formats. Without a
// matrix unit that makes no difference.

// DOTS-LABEL: func.func @prefill
// DOTS: call @rlx_linear_bf16_k64_n96_i0_o96_geglu_to_int8(
// DOTS-NOT: rlx_prepare
// DOTS: call @rlx_linear_q8_0_k96_n64
// DOTS: call @rlx_linear_q8_0_k64_n96_i0_o96_geglu_to_bf16(
// DOTS-NOT: rlx_prepare
// DOTS: call @rlx_linear_bf16_k96_n64

// The unit takes steps from two tokens on for bf16, from 17 on for quants: a step in between
// would leave tiles where rows are read, or the reverse. So the result is f32, and prepared.

// TILES-LABEL: func.func @prefill
// TILES: call @rlx_linear_bf16_k64_n96_i0_o96_geglu_tiled(
// TILES: call @rlx_prepare_int8_k96_i96_tiled(
// TILES: call @rlx_linear_q8_0_k96_n64_i0_o64_tiled(
// TILES: call @rlx_linear_q8_0_k64_n96_i0_o96_geglu_tiled(
// TILES: call @rlx_prepare_bf16_k96_i96_tiled(
// TILES: call @rlx_linear_bf16_k96_n64_i0_o64_tiled(

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x64xf32, #rlx.dims<BATCH, SEQ, 64>>
!g = tensor<?x?x96xf32, #rlx.dims<BATCH, SEQ, 96>>
!h = tensor<?x?x64xf32, #rlx.dims<BATCH, OUT, 64>>
!l = tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 64>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 1>]} {
  rlx.weight @e : tensor<512x64x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<512x64x!rlx.quant<"q8_0">>>]
  rlx.weight @gu_bf16 : tensor<192x64xbf16> from [#rlx.source<file = "m", tensor = "gu_bf16", offset = 0, type = tensor<192x64xbf16>>]
  rlx.weight @d_q8_0 : tensor<64x96x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "d_q8_0", offset = 0, type = tensor<64x96x!rlx.quant<"q8_0">>>]
  rlx.weight @gu_q8_0 : tensor<192x64x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "gu_q8_0", offset = 0, type = tensor<192x64x!rlx.quant<"q8_0">>>]
  rlx.weight @d_bf16 : tensor<64x96xbf16> from [#rlx.source<file = "m", tensor = "d_bf16", offset = 0, type = tensor<64x96xbf16>>]
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!l, !h, !rlx.kv_cache)
      attributes {rlx.role = "prefill"} {
    %x = rlx.embedding %ids, @e : (!ids) -> !x
    %a = rlx.linear %x, @gu_bf16 geglu : !x -> !g
    %b = rlx.linear %a, @d_q8_0 : !g -> !x
    %c = rlx.linear %b, @gu_q8_0 geglu : !x -> !g
    %y = rlx.linear %c, @d_bf16 : !g -> !x
    %h = rlx.select_rows %y from %begin : !x -> !h
    %l = rlx.linear %h, @e : !h -> !l
    return %l, %h, %cache : !l, !h, !rlx.kv_cache
  }
}
