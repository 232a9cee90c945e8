// Each rule of attention, broken once.
// RUN: rlx-opt %s --allow-unregistered-dialect -verify-diagnostics -split-input-file

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @attention_c1(%q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, %v: tensor<?x?x2x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 2, 64>>) {
    // expected-error @+1 {{expected dimension 2 of value to be '1' but got '2'}}
    %o = rlx.attention %q, %k, %v mask causal scale 0.125 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, tensor<?x?x2x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 2, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @attention_c2(%q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, %k: tensor<?x?x1x128xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 128>>, %v: tensor<?x?x1x128xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 128>>) {
    // expected-error @+1 {{expected dimension 3 of key to be '64' but got '128'}}
    %o = rlx.attention %q, %k, %v mask causal scale 0.125 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x1x128xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 128>>, tensor<?x?x1x128xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 128>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @attention_c3(%q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, %k: tensor<?x?x3x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 3, 64>>, %v: tensor<?x?x3x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 3, 64>>) {
    // expected-error @+1 {{expected the number of query heads to be a multiple of 3 KV heads but got 4}}
    %o = rlx.attention %q, %k, %v mask causal scale 0.125 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x3x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 3, 64>>, tensor<?x?x3x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 3, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @attention_c4(%q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ, 1, 64>>, %v: tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ, 1, 64>>) {
    // expected-error @+1 {{expected dimension 1 of key to be 'PAST_SEQ + SEQ' but got 'PAST_SEQ'}}
    %o = rlx.attention %q, %k, %v mask causal scale 0.125 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ, 1, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @attention_c5(%q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, %v: tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>) {
    // expected-error @+1 {{expected a positive scale but got 0.0}}
    %o = rlx.attention %q, %k, %v mask causal scale 0.0 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @attention_c6(%q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, %v: tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>) {
    // expected-error @+1 {{expected a positive cap but got -1.0}}
    %o = rlx.attention %q, %k, %v mask causal scale 0.125 cap -1.0 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @attention_c7(%q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, %v: tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>) {
    // expected-error @+1 {{expected a positive window but got 0}}
    %o = rlx.attention %q, %k, %v mask causal scale 0.125 window 0 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @attention_c8(%q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, %v: tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>) {
    // expected-error @+1 {{expected dimension 2 of result to be '4' but got '1'}}
    %o = rlx.attention %q, %k, %v mask causal scale 0.125 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>> -> tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @cached_attention_c1(%c: !rlx.kv_cache, %q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>) {
    // expected-error @+1 {{expected a KV slot named @kv0}}
    %o = rlx.cached_attention %q, %c, @kv0 mask causal scale 0.125 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @cached_attention_c2(%c: !rlx.kv_cache, %q: tensor<?x?x4x128xf32, #rlx.dims<BATCH, SEQ, 4, 128>>) {
    // expected-error @+1 {{expected dimension 3 of query to be '64' but got '128'}}
    %o = rlx.cached_attention %q, %c, @kv0 mask causal scale 0.125 : tensor<?x?x4x128xf32, #rlx.dims<BATCH, SEQ, 4, 128>> -> tensor<?x?x4x128xf32, #rlx.dims<BATCH, SEQ, 4, 128>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 3 head_dim 64 type f16
  func.func @cached_attention_c3(%c: !rlx.kv_cache, %q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>) {
    // expected-error @+1 {{expected the number of query heads to be a multiple of 3 KV heads but got 4}}
    %o = rlx.cached_attention %q, %c, @kv0 mask causal scale 0.125 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16 window 64 // expected-note {{the slot is here}}
  func.func @cached_attention_c4(%c: !rlx.kv_cache, %q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>) {
    // expected-error @+1 {{expected a window of at most 64 for KV slot 'kv0' but got none}}
    %o = rlx.cached_attention %q, %c, @kv0 mask causal scale 0.125 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @cached_attention_c5(%c: !rlx.kv_cache, %q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>) {
    // expected-error @+1 {{expected a positive scale but got 0.0}}
    %o = rlx.cached_attention %q, %c, @kv0 mask causal scale 0.0 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @cached_attention_c6(%c: !rlx.kv_cache, %q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>) {
    // expected-error @+1 {{expected a positive cap but got -1.0}}
    %o = rlx.cached_attention %q, %c, @kv0 mask causal scale 0.125 cap -1.0 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @cached_attention_c7(%c: !rlx.kv_cache, %q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>) {
    // expected-error @+1 {{expected a positive window but got -5}}
    %o = rlx.cached_attention %q, %c, @kv0 mask causal scale 0.125 window -5 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @cached_attention_c8(%c: !rlx.kv_cache, %q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>) {
    // expected-error @+1 {{expected dimension 2 of result to be '4' but got '1'}}
    %o = rlx.cached_attention %q, %c, @kv0 mask causal scale 0.125 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>> -> tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>
    return
  }
}
