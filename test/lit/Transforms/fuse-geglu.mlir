// RUN: rlx-opt %s --rlx-fuse-geglu | FileCheck %s
// RUN: rlx-opt %s --rlx-fuse-geglu=role=decode | FileCheck %s --check-prefix=DECODE
// RUN: not rlx-opt %s --rlx-fuse-geglu=role=train 2>&1 | FileCheck %s --check-prefix=ROLE

!x32 = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!d32 = tensor<?x1x32xf32, #rlx.dims<BATCH, 1, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>

// ROLE: error: expected role prefill or decode but got 'train'
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @e : tensor<64x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x32xf32>>]

  // CHECK-LABEL: func.func @gates
  // CHECK-SAME: %[[G:.*]]: tensor<{{.*}}>, %[[U:.*]]: tensor<
  // CHECK-NEXT: %[[A:.*]] = rlx.geglu %[[G]], %[[U]]
  // CHECK-NEXT: %[[B:.*]] = rlx.geglu %[[A]], %[[U]]
  // CHECK-NEXT: return %[[B]]
  func.func @gates(%g: !x32, %u: !x32) -> !x32 {
    %0 = rlx.gelu %g : !x32
    %1 = rlx.mul %0, %u : !x32
    %2 = rlx.gelu %1 : !x32
    %3 = rlx.mul %u, %2 : !x32
    return %3 : !x32
  }

  // CHECK-LABEL: func.func @other_use
  // CHECK: rlx.gelu
  // CHECK: rlx.mul
  func.func @other_use(%g: !x32, %u: !x32) -> (!x32, !x32) {
    %0 = rlx.gelu %g : !x32
    %1 = rlx.mul %0, %u : !x32
    return %0, %1 : !x32, !x32
  }

  // CHECK-LABEL: func.func @prefill
  // CHECK: rlx.geglu
  // DECODE-LABEL: func.func @prefill
  // DECODE: rlx.gelu
  func.func @prefill(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %c: !rlx.kv_cache, %b: index)
      -> (!y, !rlx.kv_cache) attributes {rlx.role = "prefill"} {
    %0 = rlx.embedding %ids, @e : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> !x32
    %1 = rlx.gelu %0 : !x32
    %2 = rlx.mul %1, %0 : !x32
    %3 = rlx.select_rows %2 from %b : !x32 -> !y
    return %3, %c : !y, !rlx.kv_cache
  }

  // DECODE-LABEL: func.func @decode
  // DECODE: rlx.geglu
  func.func @decode(%ids: tensor<?x1xi32, #rlx.dims<BATCH, 1>>, %c: !rlx.kv_cache, %b: index)
      -> (!y, !rlx.kv_cache) attributes {rlx.role = "decode"} {
    %0 = rlx.embedding %ids, @e : (tensor<?x1xi32, #rlx.dims<BATCH, 1>>) -> !d32
    %1 = rlx.gelu %0 : !d32
    %2 = rlx.mul %1, %0 : !d32
    %3 = rlx.select_rows %2 from %b : !d32 -> !y
    return %3, %c : !y, !rlx.kv_cache
  }
}
