// Each rule of positions and rotations, broken once.
// RUN: rlx-opt %s --allow-unregistered-dialect -verify-diagnostics -split-input-file

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @positions_c1(%c: !rlx.kv_cache) {
    // expected-error @+1 {{expected result of rank 2 but got 1}}
    %y = rlx.positions %c : tensor<?xi64, #rlx.dims<SEQ>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @positions_c2(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %c: !rlx.kv_cache, %i: index) -> (tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, !rlx.kv_cache) attributes {rlx.role = "prefill"} {
    // expected-error @+1 {{expected dimension 1 of result to be 'SEQ' but got 'OUT'}}
    %p = rlx.positions %c : tensor<?x?xi64, #rlx.dims<BATCH, OUT>>
    %o = "test.def"() : () -> tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>
    return %o, %c : tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, !rlx.kv_cache
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @rope_angles_c1(%p: tensor<?xi64, #rlx.dims<SEQ>>) {
    // expected-error @+1 {{expected positions of rank 2 but got 1}}
    %y = rlx.rope_angles %p rope <base = 1.0e+04 : f64, dim = 64> : tensor<?xi64, #rlx.dims<SEQ>> -> tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @rope_angles_c2(%p: tensor<?x?xi64, #rlx.dims<BATCH, SEQ>>) {
    // expected-error @+1 {{expected dimension 3 of result to be '32' but got '64'}}
    %y = rlx.rope_angles %p rope <base = 1.0e+04 : f64, dim = 64> : tensor<?x?xi64, #rlx.dims<BATCH, SEQ>> -> tensor<?x?x2x64xf32, #rlx.dims<BATCH, SEQ, 2, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @rope_c1(%x: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, %a: tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>) {
    // expected-error @+1 {{expected dimension 2 of result to be '4' but got '1'}}
    %y = rlx.rope %x, %a : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>> -> tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @rope_c2(%x: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, %a: tensor<?x?x2x32xf32, #rlx.dims<BATCH, OUT, 2, 32>>) {
    // expected-error @+1 {{expected dimension 1 of angles to be 'SEQ' but got 'OUT'}}
    %y = rlx.rope %x, %a : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x2x32xf32, #rlx.dims<BATCH, OUT, 2, 32>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @rope_c3(%x: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, %a: tensor<?x?x2x33xf32, #rlx.dims<BATCH, SEQ, 2, 33>>) {
    // expected-error @+1 {{expected a rope dim of at most head_dim 64 but got 66}}
    %y = rlx.rope %x, %a : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x2x33xf32, #rlx.dims<BATCH, SEQ, 2, 33>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}
