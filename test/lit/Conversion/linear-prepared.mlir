// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni | FileCheck %s --check-prefix=INT8
// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni+bf16+amx | FileCheck %s --check-prefix=TILES

// A gated product writes what the product that alone reads it multiplies: nothing prepares it.

// INT8-LABEL: func.func @prefill
// INT8: call @rlx_prepare_int8_k64
// INT8: call @rlx_linear_q8_0_k64_n96_i0_o96_geglu_to_int8(
// INT8-NOT: rlx_prepare
// INT8: call @rlx_linear_q8_0_k96_n64
// A result that two products read is f32.
// INT8: call @rlx_linear_q8_0_k64_n96_i0_o96_geglu(
// INT8: call @rlx_prepare_int8_k96
// INT8: call @rlx_linear_q8_0_k96_n64
// INT8-LABEL: func.func private @rlx_linear_q8_0_k64_n96_i0_o96_geglu_to_int8(
// The sum of a block of quants.
// INT8: vector.reduction <add>, {{.*}} : vector<16xi32> into i32

// TILES: call @rlx_prepare_int8_k64_i64_tiled
// TILES: call @rlx_linear_q8_0_k64_n96_i0_o96_geglu_tiled_to_int8_tiled(
// TILES-NOT: rlx_prepare
// TILES: call @rlx_linear_q8_0_k96_n64_i0_o64_tiled

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x64xf32, #rlx.dims<BATCH, SEQ, 64>>
!g = tensor<?x?x96xf32, #rlx.dims<BATCH, SEQ, 96>>
!h = tensor<?x?x64xf32, #rlx.dims<BATCH, OUT, 64>>
!l = tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 64>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 1>]} {
  rlx.weight @e : tensor<512x64x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<512x64x!rlx.quant<"q8_0">>>]
  rlx.weight @gu : tensor<192x64x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "gu", offset = 0, type = tensor<192x64x!rlx.quant<"q8_0">>>]
  rlx.weight @d : tensor<64x96x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "d", offset = 0, type = tensor<64x96x!rlx.quant<"q8_0">>>]
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!l, !h, !rlx.kv_cache)
      attributes {rlx.role = "prefill"} {
    %x = rlx.embedding %ids, @e : (!ids) -> !x
    %a = rlx.linear %x, @gu geglu : !x -> !g
    %b = rlx.linear %a, @d : !g -> !x
    %c = rlx.linear %b, @gu geglu : !x -> !g
    %y = rlx.linear %c, @d : !g -> !x
    %z = rlx.linear %c, @d : !g -> !x
    %s = rlx.add %y, %z : !x
    %h = rlx.select_rows %s from %begin : !x -> !h
    %l = rlx.linear %h, @e : !h -> !l
    return %l, %h, %cache : !l, !h, !rlx.kv_cache
  }
}
