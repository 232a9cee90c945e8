// Each rule of ops that read or append to the cache, broken once.
// RUN: rlx-opt %s --allow-unregistered-dialect -verify-diagnostics -split-input-file

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @kv_append_c1(%c: !rlx.kv_cache, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, %v: tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, %a: tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>) {
    // expected-error @+1 {{expected a KV slot named @kv0}}
    %c1 = rlx.kv_append %c, @kv0, %k, %v : tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @kv_append_c2(%c: !rlx.kv_cache, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, %v: tensor<?x?x1x64xf32, #rlx.dims<BATCH, OUT, 1, 64>>, %a: tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>) {
    // expected-error @+1 {{expected dimension 1 of value to be 'SEQ' but got 'OUT'}}
    %c1 = rlx.kv_append %c, @kv0, %k, %v : tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, OUT, 1, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @kv_append_c3(%c: !rlx.kv_cache, %k: tensor<?x?x2x64xf32, #rlx.dims<BATCH, SEQ, 2, 64>>, %v: tensor<?x?x2x64xf32, #rlx.dims<BATCH, SEQ, 2, 64>>, %a: tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>) {
    // expected-error @+1 {{expected dimension 2 of key to be '1' but got '2'}}
    %c1 = rlx.kv_append %c, @kv0, %k, %v : tensor<?x?x2x64xf32, #rlx.dims<BATCH, SEQ, 2, 64>>, tensor<?x?x2x64xf32, #rlx.dims<BATCH, SEQ, 2, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @rope_append_c1(%c: !rlx.kv_cache, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, %v: tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, %a: tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>) {
    // expected-error @+1 {{expected a KV slot named @kv0}}
    %c1 = rlx.rope_append %c, @kv0, %k, %v, %a : tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @rope_append_c2(%c: !rlx.kv_cache, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, %v: tensor<?x?x1x64xf32, #rlx.dims<BATCH, OUT, 1, 64>>, %a: tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>) {
    // expected-error @+1 {{expected dimension 1 of value to be 'SEQ' but got 'OUT'}}
    %c1 = rlx.rope_append %c, @kv0, %k, %v, %a : tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, OUT, 1, 64>>, tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @rope_append_c3(%c: !rlx.kv_cache, %k: tensor<?x?x2x64xf32, #rlx.dims<BATCH, SEQ, 2, 64>>, %v: tensor<?x?x2x64xf32, #rlx.dims<BATCH, SEQ, 2, 64>>, %a: tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>) {
    // expected-error @+1 {{expected dimension 2 of key to be '1' but got '2'}}
    %c1 = rlx.rope_append %c, @kv0, %k, %v, %a : tensor<?x?x2x64xf32, #rlx.dims<BATCH, SEQ, 2, 64>>, tensor<?x?x2x64xf32, #rlx.dims<BATCH, SEQ, 2, 64>>, tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @rope_append_c4(%c: !rlx.kv_cache, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, %a: tensor<?x?x2x32xf32, #rlx.dims<BATCH, OUT, 2, 32>>) {
    // expected-error @+1 {{expected dimension 1 of angles to be 'SEQ' but got 'OUT'}}
    %c1 = rlx.rope_append %c, @kv0, %k, %k, %a : tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x2x32xf32, #rlx.dims<BATCH, OUT, 2, 32>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @rope_append_c5(%c: !rlx.kv_cache, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, %a: tensor<?x?x2x33xf32, #rlx.dims<BATCH, SEQ, 2, 33>>) {
    // expected-error @+1 {{expected a rope dim of at most head_dim 64 but got 66}}
    %c1 = rlx.rope_append %c, @kv0, %k, %k, %a : tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x2x33xf32, #rlx.dims<BATCH, SEQ, 2, 33>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @kv_read_c1(%c: !rlx.kv_cache) {
    // expected-error @+1 {{expected a KV slot named @kv0}}
    %k, %v = rlx.kv_read %c, @kv0 : tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @kv_read_c2(%c: !rlx.kv_cache) {
    // expected-error @+1 {{expected dimension 1 of value to be 'PAST_SEQ + SEQ' but got 'SEQ'}}
    %k, %v = rlx.kv_read %c, @kv0 : tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @kv_read_c3(%c: !rlx.kv_cache) {
    // expected-error @+1 {{expected dimension 2 of key to be '1' but got '2'}}
    %k, %v = rlx.kv_read %c, @kv0 : tensor<?x?x2x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 2, 64>>, tensor<?x?x2x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 2, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @kv_read_c4(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %c: !rlx.kv_cache, %i: index) -> (tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, !rlx.kv_cache) attributes {rlx.role = "prefill"} {
    // expected-error @+1 {{expected dimension 1 of key to be 'PAST_SEQ + SEQ' but got 'PAST_SEQ'}}
    %k, %v = rlx.kv_read %c, @kv0 : tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ, 1, 64>>
    %o = "test.def"() : () -> tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>
    return %o, %c : tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, !rlx.kv_cache
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16 window 64 // expected-note {{the slot is here}}
  func.func @kv_read_c5(%c: !rlx.kv_cache, %q: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>) {
    %k, %v = rlx.kv_read %c, @kv0 : tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>
    // expected-error @+1 {{expected a window of at most 64 for KV slot 'kv0' but got 65}}
    %o = rlx.attention %q, %k, %v mask causal scale 0.125 window 65 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}
