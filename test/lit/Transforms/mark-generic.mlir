// RUN: rlx-opt %s --rlx-mark-generic=names=layers.*.o,kv1 | FileCheck %s
// RUN: rlx-opt %s "--rlx-mark-generic=names=layers.0.o role=decode" | FileCheck %s --check-prefix=DECODE
// RUN: rlx-opt %s "--rlx-mark-generic=names=layers.0.o" \
// RUN:   --rlx-assign-weight-layout --rlx-plan-memory --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni \
// RUN:   | FileCheck %s --check-prefix=KERNELS
// RUN: not rlx-opt %s --rlx-mark-generic=names=kv1,layers.7.o 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not rlx-opt %s "--rlx-mark-generic=names=kv1 role=decode" 2>&1 | FileCheck %s --check-prefix=ROLE
// RUN: not rlx-opt %s --rlx-mark-generic=names=layers[ 2>&1 | FileCheck %s --check-prefix=PATTERN

// UNKNOWN: error: expected 'generic_ops' to name linears by their weight and attention by its KV slot, but no op has the name 'layers.7.o'; there are 'kv1', 'embedding' and others
// ROLE: error: {{.*}} but no decode op has the name 'kv1'; there are 'layers.0.o', 'embedding' and others
// PATTERN: error: generic op 'layers[': invalid glob pattern

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!q = tensor<?x?x2x16xf32, #rlx.dims<BATCH, SEQ, 2, 16>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
!l = tensor<?x?x64xf32, #rlx.dims<BATCH, OUT, 64>>
!ids1 = tensor<?x1xi32, #rlx.dims<BATCH, 1>>
!x1 = tensor<?x1x32xf32, #rlx.dims<BATCH, 1, 32>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @embedding : tensor<64x32x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x32x!rlx.quant<"q8_0">>>]
  rlx.weight @layers.0.o : tensor<32x32x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "o", offset = 0, type = tensor<32x32x!rlx.quant<"q8_0">>>]
  rlx.kv_slot @kv1 heads 1 head_dim 16 type f16

  // CHECK-LABEL: func.func @prefill
  // CHECK: rlx.cached_attention {{.*}}@kv1 {{.*}}{rlx.generic}
  // CHECK: rlx.linear {{.*}}@layers.0.o {rlx.generic}
  // CHECK-NOT: rlx.generic
  // DECODE-LABEL: func.func @prefill
  // DECODE-NOT: rlx.generic
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!l, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill"} {
    %x = rlx.embedding %ids, @embedding : (!ids) -> !x
    %q = rlx.split_heads %x : !x -> !q
    %a = rlx.cached_attention %q, %cache, @kv1 mask causal scale 0.25 : !q -> !q
    %m = rlx.merge_heads %a : !q -> !x
    // Generic products read f32, which need not be prepared; what was is the head's alone.
    // KERNELS: call @rlx_attention_
    // KERNELS-NOT: rlx_prepare
    // KERNELS: call @rlx_linear_q8_0_k32_n32_i32_o32_generic
    // KERNELS: call @rlx_prepare_int8
    // KERNELS: call @rlx_linear_q8_0_k32_n64
    %o = rlx.linear %m, @layers.0.o : !x -> !x
    %y = rlx.select_rows %o from %begin : !x -> !y
    %l = rlx.linear %y, @embedding : !y -> !l
    return %l, %y, %cache : !l, !y, !rlx.kv_cache
  }

  // CHECK-LABEL: func.func @decode
  // DECODE-LABEL: func.func @decode
  // DECODE: rlx.linear {{.*}}@layers.0.o {rlx.generic}
  func.func @decode(%ids: !ids1, %cache: !rlx.kv_cache, %begin: index) -> (!l, !y, !rlx.kv_cache)
      attributes {rlx.role = "decode"} {
    %x = rlx.embedding %ids, @embedding : (!ids1) -> !x1
    %o = rlx.linear %x, @layers.0.o : !x1 -> !x1
    %y = rlx.select_rows %o from %begin : !x1 -> !y
    %l = rlx.linear %y, @embedding : !y -> !l
    return %l, %y, %cache : !l, !y, !rlx.kv_cache
  }
}
