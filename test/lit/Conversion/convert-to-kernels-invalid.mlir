// RUN: rlx-opt %s --rlx-convert-to-kernels=target-cpu=x86-64-v3 --split-input-file --verify-diagnostics

// expected-error@+1 {{expected a function with the attribute rlx.role}}
module {
}

// -----

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @w : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.pack<"r16">] at 0 size 4096
  // expected-error@+1 {{expected the attribute rlx.workspace_bytes; run memory planning before}}
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill"} {
    %x = rlx.embedding %ids, @w : (!ids) -> !x
    %h = rlx.select_rows %x from %begin : !x -> !y
    %l = rlx.linear %h, @w : !y -> !y
    return %l, %h, %cache : !y, !y, !rlx.kv_cache
  }
}

// -----

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @embed : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.pack<"r16">] at 0 size 4096
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill", rlx.counters = array<i64: 0, 1>, rlx.workspace_bytes = 64 : i64} {
    // expected-error@+1 {{expected the attribute rlx.offsets to place result 0 in the workspace; run memory planning before}}
    %x = rlx.embedding %ids, @embed : (!ids) -> !x
    %h = rlx.select_rows %x from %begin : !x -> !y
    %l = rlx.linear %h, @embed : !y -> !y
    return %l, %h, %cache : !y, !y, !rlx.kv_cache
  }
}

// -----

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  // expected-error@+1 {{expected a weight that has its place; run rlx-assign-weight-layout before}}
  rlx.weight @embed : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>]
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill", rlx.workspace_bytes = 0 : i64} {
    %x = rlx.embedding %ids, @embed {rlx.offsets = array<i64: 0>} : (!ids) -> !x
    %h = rlx.select_rows %x from %begin : !x -> !y
    return %h, %h, %cache : !y, !y, !rlx.kv_cache
  }
}

// -----

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @w : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.pack<"r16">] at 0 size 4096
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill", rlx.counters = array<i64: 4096, 2>, rlx.workspace_bytes = 4224 : i64} {
    %x = rlx.embedding %ids, @w {rlx.offsets = array<i64: 0>} : (!ids) -> !x
    // A matrix product cannot overwrite its input.
    // expected-error@+1 {{expected the memory plan to keep its result apart from what it still reads}}
    %z = rlx.linear %x, @w {rlx.offsets = array<i64: 1024>} : !x -> !x
    %h = rlx.select_rows %z from %begin : !x -> !y
    %l = rlx.linear %h, @w : !y -> !y
    return %l, %h, %cache : !y, !y, !rlx.kv_cache
  }
}

// -----

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @w : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.pack<"r16">] at 0 size 4096
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill", rlx.counters = array<i64: 2048, 1>, rlx.workspace_bytes = 2112 : i64} {
    // expected-error@+1 {{expected a place for 2048 bytes at a multiple of 64 within the workspace of 2112 bytes but got the offset 128}}
    %x = rlx.embedding %ids, @w {rlx.offsets = array<i64: 128>} : (!ids) -> !x
    %h = rlx.select_rows %x from %begin : !x -> !y
    %l = rlx.linear %h, @w : !y -> !y
    return %l, %h, %cache : !y, !y, !rlx.kv_cache
  }
}

// -----

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @w : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.pack<"r16">] at 0 size 4096
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill", rlx.counters = array<i64: 2048, 1>, rlx.workspace_bytes = 2112 : i64} {
    // expected-error@+1 {{expected a place for 2048 bytes at a multiple of 64 within the workspace of 2112 bytes but got the offset 32}}
    %x = rlx.embedding %ids, @w {rlx.offsets = array<i64: 32>} : (!ids) -> !x
    %h = rlx.select_rows %x from %begin : !x -> !y
    %l = rlx.linear %h, @w : !y -> !y
    return %l, %h, %cache : !y, !y, !rlx.kv_cache
  }
}

// -----

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
!q = tensor<?x?x2x16xf32, #rlx.dims<BATCH, SEQ, 2, 16>>
!all = tensor<?x?x2x16xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 2, 16>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @w : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.pack<"r16">] at 0 size 4096
  rlx.kv_slot @kv0 heads 2 head_dim 16 type f32
  rlx.kv_slot @kv1 heads 2 head_dim 16 type f32
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill", rlx.workspace_bytes = 4096 : i64} {
    %x = rlx.embedding %ids, @w {rlx.offsets = array<i64: 0>} : (!ids) -> !x
    %q = rlx.split_heads %x : !x -> !q
    %k0, %v0 = rlx.kv_read %cache, @kv0 : !all, !all
    %k1, %v1 = rlx.kv_read %cache, @kv1 : !all, !all
    // expected-error@+1 {{expected the key and value of one rlx.kv_read}}
    %o = rlx.attention %q, %k0, %v1 mask causal scale 1.0 {rlx.offsets = array<i64: 2048>} : !q, !all, !all -> !q
    %m = rlx.merge_heads %o : !q -> !x
    %h = rlx.select_rows %m from %begin : !x -> !y
    return %h, %h, %cache : !y, !y, !rlx.kv_cache
  }
}

// -----

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @w : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.pack<"r16">] at 0 size 4096
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill", rlx.workspace_bytes = 2048 : i64} {
    %x = rlx.embedding %ids, @w {rlx.offsets = array<i64: 0>} : (!ids) -> !x
    %h = rlx.select_rows %x from %begin {rlx.offsets = array<i64: -1>} : !x -> !y
    // expected-error@+1 {{expected the attribute rlx.counters of its function to hold a counter for it; run memory planning before}}
    %l = rlx.linear %h, @w {rlx.offsets = array<i64: -1>} : !y -> !y
    return %l, %h, %cache : !y, !y, !rlx.kv_cache
  }
}

// -----

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @w : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.pack<"r16">] at 0 size 4096
  // expected-error@+1 {{expected a place for 64 bytes at a multiple of 64 within the workspace of 2048 bytes but got the offset 2048}}
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill", rlx.counters = array<i64: 2048, 1>, rlx.workspace_bytes = 2048 : i64} {
    %x = rlx.embedding %ids, @w {rlx.offsets = array<i64: 0>} : (!ids) -> !x
    %h = rlx.select_rows %x from %begin {rlx.offsets = array<i64: -1>} : !x -> !y
    %l = rlx.linear %h, @w {rlx.offsets = array<i64: -1>} : !y -> !y
    return %l, %h, %cache : !y, !y, !rlx.kv_cache
  }
}

// -----

!ids = tensor<?x1xi32, #rlx.dims<BATCH, 1>>
!x = tensor<?x1x32xf32, #rlx.dims<BATCH, 1, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 1>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 1>]} {
  rlx.weight @w : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.pack<"r16">] at 0 size 4096
  rlx.weight @n : tensor<32x2xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.residual_norms<!rlx.quant<"q4_0">>, #rlx.pack<"row">] at 4096 size 256
  func.func @decode(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "decode", rlx.counters = array<i64: 2048, 2>, rlx.workspace_bytes = 4096 : i64} {
    %x = rlx.embedding %ids, @w {rlx.offsets = array<i64: 0>} : (!ids) -> !x
    %h = rlx.select_rows %x from %begin {rlx.offsets = array<i64: -1>} : !x -> !y
    // The bounds are those of activations in 8 bits.
    // expected-error@+1 {{expected screen with quantised weights only}}
    %l = rlx.linear %h, @w screen(@w, @n) {rlx.offsets = array<i64: -1>, rlx.scratch = 2304 : i64} : !y -> !y
    return %l, %h, %cache : !y, !y, !rlx.kv_cache
  }
}

// -----

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @w : tensor<32x32x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32x!rlx.quant<"q8_0">>>] transforms [#rlx.pack<"r16">] at 0 size 1088
  rlx.weight @n : tensor<32x2xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32x!rlx.quant<"q8_0">>>] transforms [#rlx.residual_norms<!rlx.quant<"q4_0">>, #rlx.pack<"row">] at 1088 size 256
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill", rlx.counters = array<i64: 2048, 2>, rlx.workspace_bytes = 8192 : i64} {
    %x = rlx.embedding %ids, @w {rlx.offsets = array<i64: 0>} : (!ids) -> !x
    %h = rlx.select_rows %x from %begin {rlx.offsets = array<i64: -1>} : !x -> !y
    // expected-error@+1 {{expected screen in steps of one output row only}}
    %l = rlx.linear %h, @w screen(@w, @n) {rlx.offsets = array<i64: -1>, rlx.scratch = 2304 : i64} : !y -> !y
    return %l, %h, %cache : !y, !y, !rlx.kv_cache
  }
}

// -----

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
!y = tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @w : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.pack<"r16">] at 0 size 4096
  // expected-error@+1 {{expected a workspace of 0 to 2^44 bytes but got 9223372036854775807}}
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!y, !y, !rlx.kv_cache)
      attributes {rlx.role = "prefill", rlx.workspace_bytes = 9223372036854775807 : i64} {
    %x = rlx.embedding %ids, @w : (!ids) -> !x
    %y = rlx.select_rows %x from %begin : !x -> !y
    return %y, %y, %cache : !y, !y, !rlx.kv_cache
  }
}
