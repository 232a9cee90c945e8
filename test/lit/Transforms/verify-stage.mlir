// RUN: rlx-opt %s --split-input-file --verify-diagnostics --rlx-verify-stage=stage=plan

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>

// expected-error @+1 {{expected the symbol BATCH to be declared in 'rlx.symbols'}}
module {
}

// -----

// expected-error @+1 {{expected a forward function with role prefill}}
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
}

// -----

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
!y = tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @e : tensor<64x8xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x8xf32>>]

  func.func @prefill(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %c: !rlx.kv_cache, %b: index) -> (!y, !rlx.kv_cache) attributes {rlx.role = "prefill"} {
    // expected-error @+1 {{expected only RLX ops in a forward function}}
    %i = arith.constant 0 : index
    %0 = rlx.embedding %ids, @e : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> !x8
    %1 = rlx.select_rows %0 from %i : !x8 -> !y
    return %1, %c : !y, !rlx.kv_cache
  }
}

// -----

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
!y = tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @e : tensor<64x8xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x8xf32>>]
  rlx.weight @g : tensor<8xf32> from [#rlx.source<file = "m", tensor = "g", offset = 0, type = tensor<8xf32>>]

  func.func @prefill(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %c: !rlx.kv_cache, %b: index) -> (!y, !rlx.kv_cache) attributes {rlx.role = "prefill"} {
    %0 = rlx.embedding %ids, @e : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> !x8
    // expected-error @+1 {{expected a plain gain; run rlx-fold-constants before}}
    %n = rlx.rms_norm %0, @g gain one_plus eps 0.001 : !x8 -> !x8
    %1 = rlx.select_rows %n from %b : !x8 -> !y
    return %1, %c : !y, !rlx.kv_cache
  }
}

// -----

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
!y = tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @e : tensor<64x8xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x8xf32>>]

  // expected-error @+1 {{expected every forward function to be some variant's}}
  func.func @prefill(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %c: !rlx.kv_cache, %b: index) -> (!y, !rlx.kv_cache) attributes {rlx.role = "prefill"} {
    %0 = rlx.embedding %ids, @e : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> !x8
    %1 = rlx.select_rows %0 from %b : !x8 -> !y
    return %1, %c : !y, !rlx.kv_cache
  }
}

// -----

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
!y = tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @e : tensor<64x8xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x8xf32>>]

  // expected-error @+1 {{expected the ranges of @prefill, #rlx.symbol}}
  rlx.variant @generic calls @prefill role prefill seq 1 to 4 past 0 to 99
  func.func @prefill(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %c: !rlx.kv_cache, %b: index) -> (!y, !rlx.kv_cache) attributes {rlx.role = "prefill"} {
    %0 = rlx.embedding %ids, @e : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> !x8
    %1 = rlx.select_rows %0 from %b : !x8 -> !y
    return %1, %c : !y, !rlx.kv_cache
  }
}

// -----

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
!y = tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>

// expected-error @+1 {{expected a prefill variant 'generic'}}
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @e : tensor<64x8xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x8xf32>>]

  rlx.variant @other calls @prefill role prefill seq 1 to 8 past 0 to 99
  func.func @prefill(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %c: !rlx.kv_cache, %b: index) -> (!y, !rlx.kv_cache) attributes {rlx.role = "prefill"} {
    %0 = rlx.embedding %ids, @e : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> !x8
    %1 = rlx.select_rows %0 from %b : !x8 -> !y
    return %1, %c : !y, !rlx.kv_cache
  }
}

// -----

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
!y = tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  // expected-error @+1 {{expected a packed weight; run rlx-pack-weights before}}
  rlx.weight @e : tensor<64x8xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x8xf32>>]

  rlx.variant @generic calls @prefill role prefill seq 1 to 8 past 0 to 99
  func.func @prefill(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %c: !rlx.kv_cache, %b: index) -> (!y, !rlx.kv_cache) attributes {rlx.role = "prefill"} {
    %0 = rlx.embedding %ids, @e : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> !x8
    %1 = rlx.select_rows %0 from %b : !x8 -> !y
    return %1, %c : !y, !rlx.kv_cache
  }
}

// -----

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
!y = tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @e : tensor<64x8xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x8xf32>>] transforms [#rlx.pack<"r16">]

  rlx.variant @generic calls @prefill role prefill seq 1 to 8 past 0 to 99
  // expected-error @+1 {{expected a planned function; run rlx-plan-memory before}}
  func.func @prefill(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %c: !rlx.kv_cache, %b: index) -> (!y, !rlx.kv_cache) attributes {rlx.role = "prefill"} {
    %0 = rlx.embedding %ids, @e : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> !x8
    %1 = rlx.select_rows %0 from %b : !x8 -> !y
    return %1, %c : !y, !rlx.kv_cache
  }
}
