// RUN: sed s/UNTIED/prefill/ %s > %t.mlir
// RUN: rlx-opt %t.mlir --rlx-pack-weights --rlx-screen-head | FileCheck %s
// RUN: sed s/UNTIED/decode/ %s | rlx-opt --rlx-pack-weights=quantize=q8_0 --rlx-screen-head=coarse=q4_0 | FileCheck %s --check-prefix=AGAIN
// RUN: rlx-opt %t.mlir --rlx-mark-generic=names=embedding --rlx-pack-weights --rlx-screen-head | FileCheck %s --check-prefix=GENERIC
// RUN: not rlx-opt %t.mlir --rlx-pack-weights=dtype=bf16 --rlx-screen-head 2>&1 | FileCheck %s --check-prefix=FLOAT
// RUN: not rlx-opt %t.mlir --rlx-pack-weights --rlx-screen-head=coarse=q2_k 2>&1 | FileCheck %s --check-prefix=OPTION

// FLOAT: error: expected a head of a quantised type with more bits than the q4_0 of its coarse copy but got 'bf16'; quantise it, or leave out 'screen_head'
// OPTION: error: expected coarse to be q4_0 but got 'q2_k'
// GENERIC-NOT: screen
// GENERIC-NOT: coarse

!ids = tensor<?x1xi32, #rlx.dims<BATCH, 1>>
!x = tensor<?x1x32xf32, #rlx.dims<BATCH, 1, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
!l = tensor<?x?x64xf32, #rlx.dims<BATCH, OUT, 64>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 1>]} {
  // Both are made of what the weight holds after its own transforms.
  // CHECK: rlx.weight @embedding : tensor<64x32x!rlx.quant<"q8_0">>
  // CHECK-DAG: rlx.weight @embedding.coarse : tensor<64x32x!rlx.quant<"q4_0">> from [#rlx.source<file = "m", tensor = "e"{{.*}}] transforms [#rlx.convert<!rlx.quant<"q4_0">>, #rlx.pack<"r16">]
  // CHECK-DAG: rlx.weight @embedding.norms : tensor<64x2xf32> from [#rlx.source<file = "m", tensor = "e"{{.*}}] transforms [#rlx.residual_norms<!rlx.quant<"q4_0">>, #rlx.pack<"row">]
  rlx.weight @embedding : tensor<64x32x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x32x!rlx.quant<"q8_0">>>]
  // A weight that is quantised here becomes q8_0 before it becomes coarse.
  // AGAIN-DAG: rlx.weight @head.coarse {{.*}} transforms [#rlx.convert<!rlx.quant<"q8_0">>, #rlx.convert<!rlx.quant<"q4_0">>, #rlx.pack<"r16">]
  // AGAIN-DAG: rlx.weight @head.norms {{.*}} transforms [#rlx.convert<!rlx.quant<"q8_0">>, #rlx.residual_norms<!rlx.quant<"q4_0">>, #rlx.pack<"row">]
  rlx.weight @head : tensor<64x32xbf16> from [#rlx.source<file = "m", tensor = "h", offset = 0, type = tensor<64x32xbf16>>]

  // Prefill computes several rows, of which each logit may be wanted.
  // CHECK-LABEL: func.func @prefill
  // CHECK-NOT: screen
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!l, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill"} {
    %x = rlx.embedding %ids, @embedding : (!ids) -> !x
    %y = rlx.select_rows %x from %begin : !x -> !y
    %l = rlx.linear %y, @embedding : !y -> !l
    return %l, %y, %cache : !l, !y, !rlx.kv_cache
  }

  // CHECK-LABEL: func.func @decode
  // CHECK: rlx.linear %{{.*}}, @embedding cap 3.000000e+01 screen(@embedding.coarse, @embedding.norms)
  func.func @decode(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!l, !y, !rlx.kv_cache)
      attributes {rlx.role = "decode"} {
    %x = rlx.embedding %ids, @embedding : (!ids) -> !x
    %y = rlx.select_rows %x from %begin : !x -> !y
    %l = rlx.linear %y, @embedding cap 30.0 : !y -> !l
    return %l, %y, %cache : !l, !y, !rlx.kv_cache
  }

  // AGAIN-LABEL: func.func @untied
  // AGAIN: rlx.linear %{{.*}}, @head screen(@head.coarse, @head.norms)
  func.func @untied(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!l, !y, !rlx.kv_cache)
      attributes {rlx.role = "UNTIED"} {
    %x = rlx.embedding %ids, @embedding : (!ids) -> !x
    %y = rlx.select_rows %x from %begin : !x -> !y
    %l = rlx.linear %y, @head : !y -> !l
    return %l, %y, %cache : !l, !y, !rlx.kv_cache
  }
}
