// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni+bf16+amx | FileCheck %s
// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni+bf16 | FileCheck %s --check-prefix=WITHOUT

// Attention of a prompt takes the matrix unit where the queries' product does and the cache is
// not f32, but for the op that a profile sends to the generic lowering.

// WITHOUT-NOT: rlx_attention{{.*}}_tiled

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
!q = tensor<?x?x4x128xf32, #rlx.dims<BATCH, SEQ, 4, 128>>
!h = tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>
!one_id = tensor<?x1xi32, #rlx.dims<BATCH, 1>>
!one = tensor<?x1x512xf32, #rlx.dims<BATCH, 1, 512>>
!one_q = tensor<?x1x4x128xf32, #rlx.dims<BATCH, 1, 4, 128>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 40>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 1>]} {
  rlx.weight @e : tensor<512x512x!rlx.quant<"q4_0">> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<512x512x!rlx.quant<"q4_0">>>]
  rlx.weight @half : tensor<512x512xf16> from [#rlx.source<file = "m", tensor = "half", offset = 0, type = tensor<512x512xf16>>]
  rlx.kv_slot @kv0 heads 1 head_dim 128 type f16
  rlx.kv_slot @kv1 heads 2 head_dim 128 type q8_0
  rlx.kv_slot @kv2 heads 1 head_dim 128 type f32
  // CHECK-LABEL: func.func @prefill
  // CHECK: call @rlx_attention_f16_4by1x128{{.*}}_tiled(
  // CHECK: call @rlx_attention_q8_0_4by2x128{{.*}}_w8_tiled(
  // CHECK: call @rlx_attention_f32_4by1x128_s3fb0000000000000_q512_o512(
  // CHECK: call @rlx_attention_f16_4by1x128_s3fb0000000000000_q512_o512_generic(
  // CHECK: call @rlx_attention_f16_4by1x128_s3fb0000000000000_q512_o512(
  func.func @prefill(%ids: !ids, %c: !rlx.kv_cache, %begin: index) -> (!h, !h, !rlx.kv_cache)
      attributes {rlx.role = "prefill"} {
    %x = rlx.embedding %ids, @e : (!ids) -> !x
    %y = rlx.linear %x, @e : !x -> !x
    %q = rlx.split_heads %y : !x -> !q
    %a = rlx.cached_attention %q, %c, @kv0 mask causal scale 6.25e-02 : !q -> !q
    %b = rlx.cached_attention %q, %c, @kv1 mask causal scale 6.25e-02 window 8 : !q -> !q
    %d = rlx.cached_attention %q, %c, @kv2 mask causal scale 6.25e-02 : !q -> !q
    %g = rlx.cached_attention %q, %c, @kv0 mask causal scale 6.25e-02 {rlx.generic} : !q -> !q
    %ab = rlx.add %a, %b : !q
    %dg = rlx.add %d, %g : !q
    %abdg = rlx.add %ab, %dg : !q
    %m = rlx.merge_heads %abdg : !q -> !x
    %z = rlx.linear %m, @half : !x -> !x
    %qz = rlx.split_heads %z : !x -> !q
    %o = rlx.cached_attention %qz, %c, @kv0 mask causal scale 6.25e-02 : !q -> !q
    %mo = rlx.merge_heads %o : !q -> !x
    %h = rlx.select_rows %mo from %begin : !x -> !h
    %l = rlx.linear %h, @e : !h -> !h
    return %l, %h, %c : !h, !h, !rlx.kv_cache
  }
  // CHECK-LABEL: func.func @decode
  // CHECK-NOT: _tiled
  // CHECK: return
  func.func @decode(%ids: !one_id, %c: !rlx.kv_cache, %begin: index) -> (!h, !h, !rlx.kv_cache)
      attributes {rlx.role = "decode"} {
    %x = rlx.embedding %ids, @e : (!one_id) -> !one
    %y = rlx.linear %x, @e : !one -> !one
    %q = rlx.split_heads %y : !one -> !one_q
    %a = rlx.cached_attention %q, %c, @kv0 mask causal scale 6.25e-02 : !one_q -> !one_q
    %m = rlx.merge_heads %a : !one_q -> !one
    %h = rlx.select_rows %m from %begin : !one -> !h
    %l = rlx.linear %h, @e : !h -> !h
    return %l, %h, %c : !h, !h, !rlx.kv_cache
  }
}

// More than 16 rows go to the unit: scores of two tiles of rows times two of keys, lower halves of
// the queries times upper ones of the keys, then upper ones, then times lower ones; weights times
// values likewise, on top of what earlier chunks gave.
// CHECK-LABEL: func.func private @rlx_attention_f16_4by1x128{{.*}}_tiled
// CHECK: arith.constant 16 : index
// CHECK: scf.if
// CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// CHECK: scf.while
// CHECK: arith.truncf {{.*}} to vector<16xbf16>
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilezero"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64"
// CHECK-COUNT-8: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CHECK: llvm.call_intrinsic "llvm.x86.tilestored64"
// CHECK: llvm.call_intrinsic "llvm.x86.tilerelease"
// CHECK: } else {
// CHECK-NOT: llvm.x86
// CHECK: return
