// RUN: rlx-opt %s --rlx-bind-symbol="symbol=SEQ value=1" | FileCheck %s
// RUN: rlx-opt %s --rlx-bind-symbol="symbol=PAST_SEQ value=7 function=b" | FileCheck %s --check-prefix=PAST
// RUN: not rlx-opt %s --rlx-bind-symbol="symbol=SEQ value=9" 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not rlx-opt %s --rlx-bind-symbol="symbol=LEN" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not rlx-opt %s --rlx-bind-symbol="symbol=SEQ function=c" 2>&1 | FileCheck %s --check-prefix=FUNCTION

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
!kv = tensor<?x?x1x16xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 16>>

// RANGE: error: 'func.func' op expected a value of "SEQ" in [1, 8] but got 9
// NAME: error: expected the symbol LEN to be declared in 'rlx.symbols'
// FUNCTION: error: expected a function named c
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 16 type f32

  // CHECK-LABEL: func.func @a
  // CHECK-SAME: tensor<?x1x8xf32, #rlx.dims<BATCH, 1, 8>>
  // CHECK-SAME: rlx.symbols = [#rlx.symbol<"SEQ", 1, 1>]
  // CHECK-NEXT: rlx.gelu %{{.*}} : tensor<?x1x8xf32, #rlx.dims<BATCH, 1, 8>>
  // PAST-LABEL: func.func @a
  // PAST-NEXT: rlx.gelu %{{.*}} : tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
  func.func @a(%x: !x8) -> !x8 {
    %0 = rlx.gelu %x : !x8
    return %0 : !x8
  }

  // CHECK-LABEL: func.func @b
  // CHECK: #rlx.dims<BATCH, PAST_SEQ + 1, 1, 16>
  // PAST-LABEL: func.func @b
  // PAST: rlx.kv_read {{.*}}#rlx.dims<BATCH, SEQ + 7, 1, 16>
  func.func @b(%c: !rlx.kv_cache) -> !kv {
    %k, %v = rlx.kv_read %c, @kv0 : !kv, !kv
    return %k : !kv
  }
}
