// RUN: rlx-opt %s --split-input-file --verify-diagnostics --rlx-specialize

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
!y = tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>

// The variant of one token has one output at most.
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 4>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 6, 8>]} {
  rlx.weight @e : tensor<16x8xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<16x8xf32>>]
  // expected-error @+1 {{expected the range of #rlx.symbol<"OUT", 6, 8> to have values up to 1}}
  func.func @prefill(%ids: !ids, %c: !rlx.kv_cache, %b: index) -> (!y, !rlx.kv_cache) attributes {rlx.role = "prefill"} {
    %0 = rlx.embedding %ids, @e : (!ids) -> !x
    %1 = rlx.select_rows %0 from %b : !x -> !y
    return %1, %c : !y, !rlx.kv_cache
  }
}

// -----

// expected-error @+1 {{expected one prefill function and at most one decode function but got 0 and 0}}
module {
}
