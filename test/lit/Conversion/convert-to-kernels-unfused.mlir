// RUN: rlx-opt %s --rlx-convert-to-kernels=target-cpu=x86-64-v3 | FileCheck %s

// Without fusion every op has its kernel. Attention reads the slot of its kv_read; a
// result that is a view is copied to the step's output.

!ids = tensor<?x1xi32, #rlx.dims<BATCH, 1>>
!x = tensor<?x1x32xf32, #rlx.dims<BATCH, 1, 32>>
!q = tensor<?x1x2x16xf32, #rlx.dims<BATCH, 1, 2, 16>>
!k = tensor<?x1x1x16xf32, #rlx.dims<BATCH, 1, 1, 16>>
!cs = tensor<?x1x2x8xf32, #rlx.dims<BATCH, 1, 2, 8>>
!past = tensor<?x?x1x16xf32, #rlx.dims<BATCH, PAST_SEQ + 1, 1, 16>>
!out = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
!half = tensor<?x?x16xf32, #rlx.dims<BATCH, OUT, 16>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>,
                                  #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 1>]} {
  rlx.weight @w : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.pack<"r16">] at 0 size 4096
  rlx.weight @kw : tensor<16x32xf32> from [#rlx.source<file = "m", tensor = "k", offset = 0, type = tensor<16x32xf32>>] transforms [#rlx.pack<"r16">] at 4096 size 2048
  rlx.kv_slot @unused heads 1 head_dim 32 type f32 window 64
  rlx.kv_slot @kv1 heads 1 head_dim 16 type f32 window 0
  rlx.variant @decode_1 calls @decode role decode seq 1 to 1 past 0 to 511

  // With one token and one sequence the number of rows is a constant.
  // CHECK-LABEL: func.func @decode(
  // CHECK: arith.constant 1 : index
  func.func @decode(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!half, !out, !rlx.kv_cache)
      attributes {rlx.role = "decode", rlx.counters = array<i64: 12288, 4>, rlx.workspace_bytes = 14080 : i64} {
    // CHECK: call @rlx_embedding
    %x = rlx.embedding %ids, @w {rlx.offsets = array<i64: 0>} : (!ids) -> !x
    %pos = rlx.positions %cache : tensor<?x1xi64, #rlx.dims<BATCH, 1>>
    // CHECK: call @rlx_rope_angles
    %cs = rlx.rope_angles %pos rope <base = 1.0e+04 : f64, dim = 16> {rlx.offsets = array<i64: 128>} : tensor<?x1xi64, #rlx.dims<BATCH, 1>> -> !cs
    // Three products share an interval.
    // CHECK: llvm.call
    // CHECK: call @rlx_linear
    // CHECK-NOT: llvm.call
    // CHECK: call @rlx_linear
    // CHECK-NOT: llvm.call
    // CHECK: call @rlx_linear
    %qx = rlx.linear %x, @w {rlx.offsets = array<i64: 192>} : !x -> !x
    %kx = rlx.linear %x, @kw {rlx.offsets = array<i64: 320>} : !x -> tensor<?x1x16xf32, #rlx.dims<BATCH, 1, 16>>
    %vx = rlx.linear %x, @kw {rlx.offsets = array<i64: 384>} : !x -> tensor<?x1x16xf32, #rlx.dims<BATCH, 1, 16>>
    %q = rlx.split_heads %qx : !x -> !q
    %k = rlx.split_heads %kx : tensor<?x1x16xf32, #rlx.dims<BATCH, 1, 16>> -> !k
    %v = rlx.split_heads %vx : tensor<?x1x16xf32, #rlx.dims<BATCH, 1, 16>> -> !k
    // CHECK: llvm.call
    // CHECK: call @rlx_rope
    // CHECK-NOT: llvm.call
    // CHECK: call @rlx_rope
    %qr = rlx.rope %q, %cs {rlx.offsets = array<i64: 192>} : !q, !cs -> !q
    %kr = rlx.rope %k, %cs {rlx.offsets = array<i64: 320>} : !k, !cs -> !k
    // The slot's number is its place among the module's slots.
    // CHECK: %[[SLOT:.*]] = arith.constant 1 : index
    // CHECK: llvm.call
    // CHECK: call @rlx_kv_append{{.*}}, %[[SLOT]], %c1{{[_0-9]*}}, %c1{{[_0-9]*}}, %{{[0-9]+}}, %{{[0-9]+}})
    %c1 = rlx.kv_append %cache, @kv1, %kr, %v : !k, !k
    %kk, %vv = rlx.kv_read %c1, @kv1 : !past, !past
    // CHECK: llvm.call
    // One query's chunks of keys, then their sum.
    // CHECK: call @rlx_attention_f32_{{.*}}_chunks4
    // CHECK: llvm.call
    // CHECK: call @rlx_attention_merge_{{.*}}_chunks4
    %o = rlx.attention %qr, %kk, %vv mask causal scale 2.5e-01 cap 5.0e+01 {rlx.offsets = array<i64: 448>, rlx.scratch = 12544 : i64} : !q, !past, !past -> !q
    %m = rlx.merge_heads %o : !q -> !x
    // CHECK: llvm.call
    // CHECK: call @rlx_add_
    %a = rlx.add %x, %m {rlx.offsets = array<i64: 0>} : !x
    // CHECK: llvm.call
    // CHECK: call @rlx_gelu_
    %g = rlx.gelu %a {rlx.offsets = array<i64: 192>} : !x
    // CHECK: llvm.call
    // CHECK: call @rlx_mul_
    %p = rlx.mul %g, %a {rlx.offsets = array<i64: 192>} : !x
    // CHECK: llvm.call
    // CHECK: call @rlx_geglu_
    %gg = rlx.geglu %p, %a {rlx.offsets = array<i64: 192>} : !x
    // CHECK: llvm.call
    // CHECK: call @rlx_scale_
    %sc = rlx.scale %gg by 2.0 {rlx.offsets = array<i64: 192>} : !x
    // CHECK: llvm.call
    // CHECK: call @rlx_select_rows
    %s = rlx.select_rows %sc from %begin {rlx.offsets = array<i64: 0>} : !x -> !out
    // CHECK: llvm.call
    // CHECK: call @rlx_softcap_
    %h = rlx.softcap %s cap 30.0 : !out
    %l, %rest = rlx.split %h : !out -> !half, !half
    // CHECK: llvm.call
    // CHECK: call @rlx_copy_
    // CHECK-NEXT: return
    return %l, %h, %c1 : !half, !out, !rlx.kv_cache
  }
}
