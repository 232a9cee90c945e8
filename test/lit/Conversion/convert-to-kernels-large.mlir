// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-convert-to-kernels=target-cpu=x86-64-v3 | FileCheck %s

// Weights beyond 4 GiB, and panels within a weight, are addressed with 64 bits.

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x2304xf32, #rlx.dims<BATCH, SEQ, 2304>>
!h = tensor<?x?x2304xf32, #rlx.dims<BATCH, OUT, 2304>>
!l = tensor<?x?x262144xf32, #rlx.dims<BATCH, OUT, 262144>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @a : tensor<262144x2304xf32> from [#rlx.source<file = "m", tensor = "a", offset = 0, type = tensor<262144x2304xf32>>]
  rlx.weight @b : tensor<262144x2304xf32> from [#rlx.source<file = "m", tensor = "b", offset = 0, type = tensor<262144x2304xf32>>]
  // CHECK: rlx.weight @q {{.*}} at 4831838208 size 641728512
  rlx.weight @q : tensor<262144x2304x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "q", offset = 0, type = tensor<262144x2304x!rlx.quant<"q8_0">>>]
  // CHECK-LABEL: func.func @prefill
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!l, !h, !rlx.kv_cache)
      attributes {rlx.role = "prefill", rlx.counters = array<i64: 1048576, 1>, rlx.workspace_bytes = 1048640 : i64} {
    // CHECK: %[[OFFSET:.*]] = llvm.mlir.constant(4831838208 : i64) : i64
    // CHECK: %[[TABLE:.*]] = llvm.getelementptr inbounds %{{.*}}[%[[OFFSET]]]
    // CHECK: call @rlx_embedding_q8_0{{[^(]*}}(%[[TABLE]],
    %x = rlx.embedding %ids, @q {rlx.offsets = array<i64: 0>} : (!ids) -> !x
    %h = rlx.select_rows %x from %begin : !x -> !h
    %l = rlx.linear %h, @q {rlx.scratch = 524288 : i64} : !h -> !l
    return %l, %h, %cache : !l, !h, !rlx.kv_cache
  }
  // A panel is 2304 / 32 units of 16 * 32 codes and 16 scales.
  // CHECK-LABEL: func.func private @rlx_embedding_q8_0
  // CHECK: %[[STRIDE:.*]] = arith.constant 39168 : index
  // CHECK-NEXT: %[[OFFSET:.*]] = arith.muli %{{.*}}, %[[STRIDE]] : index
  // CHECK-NEXT: %[[BYTES:.*]] = arith.index_cast %[[OFFSET]] : index to i64
  // CHECK-NEXT: llvm.getelementptr %arg0[%[[BYTES]]] : (!llvm.ptr, i64) -> !llvm.ptr, i8
  // CHECK-LABEL: func.func private @rlx_prepare_int8
}
