// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni+bf16+amx | FileCheck %s

// The matrix unit computes what prefill does for every token. The head, which sees the last token
// only, decode and formats that bf16 cannot hold go without.

// CHECK: rlx.probes = [{{.*}}name = "bf16 tiles"

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
!h = tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>
!one_id = tensor<?x1xi32, #rlx.dims<BATCH, 1>>
!one = tensor<?x1x512xf32, #rlx.dims<BATCH, 1, 512>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 40>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 1>]} {
  rlx.weight @e : tensor<512x512x!rlx.quant<"q4_0">> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<512x512x!rlx.quant<"q4_0">>>]
  rlx.weight @gu : tensor<1024x512x!rlx.quant<"q4_0">> from [#rlx.source<file = "m", tensor = "gu", offset = 0, type = tensor<1024x512x!rlx.quant<"q4_0">>>]
  rlx.weight @half : tensor<512x512xf16> from [#rlx.source<file = "m", tensor = "half", offset = 0, type = tensor<512x512xf16>>]
  rlx.weight @brain : tensor<512x512xbf16> from [#rlx.source<file = "m", tensor = "brain", offset = 0, type = tensor<512x512xbf16>>]
  // CHECK-LABEL: func.func @prefill
  // CHECK: call @rlx_prepare_int8_k512_i512_tiled
  // CHECK: call @rlx_linear_q4_0{{.*}}_geglu_tiled
  // CHECK: call @rlx_linear_f16_k512_n512_i512_o512(
  // CHECK: call @rlx_prepare_bf16_k512_i512_tiled
  // CHECK: call @rlx_linear_bf16{{.*}}_tiled
  // CHECK: call @rlx_select_rows
  // CHECK: call @rlx_prepare_int8_k512_i512(
  // CHECK: call @rlx_linear_q4_0_k512_n512{{.*}}_single(
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!h, !h, !rlx.kv_cache)
      attributes {rlx.role = "prefill"} {
    %x = rlx.embedding %ids, @e : (!ids) -> !x
    %y = rlx.linear %x, @gu geglu : !x -> !x
    %z = rlx.linear %y, @half : !x -> !x
    %w = rlx.linear %z, @brain : !x -> !x
    %h = rlx.select_rows %w from %begin : !x -> !h
    %l = rlx.linear %h, @e : !h -> !h
    return %l, %h, %cache : !h, !h, !rlx.kv_cache
  }
  // CHECK-LABEL: func.func @decode
  // CHECK-NOT: _tiled
  // CHECK: return
  func.func @decode(%ids: !one_id, %cache: !rlx.kv_cache, %begin: index) -> (!h, !h, !rlx.kv_cache)
      attributes {rlx.role = "decode"} {
    %x = rlx.embedding %ids, @e : (!one_id) -> !one
    %y = rlx.linear %x, @gu geglu : !one -> !one
    %h = rlx.select_rows %y from %begin : !one -> !h
    %l = rlx.linear %h, @e : !h -> !h
    return %l, %h, %cache : !h, !h, !rlx.kv_cache
  }
}

// Two tiles of tokens times two panels of weights that become bf16 on the stack; up to 16 tokens
// are multiplied as in decode.
// CHECK-LABEL: func.func private @rlx_linear_q4_0_k512_n512{{.*}}_geglu_tiled
// CHECK: scf.if
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// CHECK: scf.while
// CHECK: llvm.call_intrinsic "llvm.fshl.v16i32"
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.cvtne2ps2bf16.512"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilezero"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64"
// CHECK: llvm.call_intrinsic "llvm.x86.tilerelease"
// CHECK: } else {
// CHECK: "llvm.x86.avx512.vpdpbusd.512"
