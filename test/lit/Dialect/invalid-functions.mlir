// Each rule of the attributes of modules and functions, symbolic sizes, stale caches, broken once.
// RUN: rlx-opt %s --allow-unregistered-dialect -verify-diagnostics -split-input-file

// symbols_c1
func.func @symbols_c1() {
  // expected-error @+1 {{expected 'rlx.symbols' on a module or a function}}
  "test.op"() {rlx.symbols = []} : () -> ()
  return
}

// -----

// symbols_c2
// expected-error @+1 {{expected an entry of 'rlx.symbols' to be #rlx.symbol but got 1 : i64}}
module @symbols_c2 attributes {rlx.symbols = [1]} {}

// -----

// symbols_c3
// expected-error @+1 {{expected symbol "A" to be declared once but got two declarations}}
module @symbols_c3 attributes {rlx.symbols = [#rlx.symbol<"A", 0, 1>, #rlx.symbol<"A", 0, 2>]} {}

// -----

// symbols_c4
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  // expected-error @+1 {{expected range of symbol "SEQ" to lie within the module's [1, 512] but got [1, 513]}}
  func.func private @symbols_c4() attributes {rlx.symbols = [#rlx.symbol<"SEQ", 1, 513>]}
}

// -----

// role_c1
// expected-error @+1 {{expected 'rlx.role' to be "prefill" or "decode" on a function but got "train"}}
func.func private @role_c1() attributes {rlx.role = "train"}

// -----

// role_c2
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  // expected-error @+1 {{expected arguments (i32 tensor of rank 2, !rlx.kv_cache, index) for a function with a role but got (}}
  func.func private @role_c2(tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, !rlx.kv_cache) -> (tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, !rlx.kv_cache) attributes {rlx.role = "prefill"}
}

// -----

// role_c3
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  // expected-error @+1 {{expected results (logits, hidden states, !rlx.kv_cache) for a function with a role but got (}}
  func.func private @role_c3(tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, !rlx.kv_cache, index) -> (tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>) attributes {rlx.role = "prefill"}
}

// -----

// role_c3_batch
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  // expected-error @+1 {{expected dimension 0 of result 1 to be 'BATCH' but got 'OUT'}}
  func.func private @role_c3_batch(tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, !rlx.kv_cache, index) -> (tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, tensor<?x?x8xf32, #rlx.dims<OUT, OUT, 8>>, !rlx.kv_cache) attributes {rlx.role = "prefill"}
}

// -----

// role_c4
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  // expected-error @+1 {{expected dimension 1 of ids to be '1' for decode but got 'SEQ'}}
  func.func private @role_c4(tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, !rlx.kv_cache, index) -> (tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, !rlx.kv_cache) attributes {rlx.role = "decode"}
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @sizes_c1(%x: tensor<?x8xf32, #rlx.dims<OTHER, 8>>) {
    // expected-error @+1 {{expected symbol 'OTHER' to be declared in 'rlx.symbols' of the module}}
    %y = rlx.gelu %x : tensor<?x8xf32, #rlx.dims<OTHER, 8>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @sizes_c2(%x: tensor<?x8xf32>) {
    // expected-error @+1 {{expected #rlx.dims to give the sizes of 'tensor<?x8xf32>'}}
    %y = rlx.gelu %x : tensor<?x8xf32>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @sizes_c3(%x: tensor<?x?x?xf32, #rlx.dims<BATCH, SEQ, OUT>>) {
    // expected-error @+1 {{expected dimension 2 of 'tensor<?x?x?xf32, #rlx.dims<BATCH, SEQ, OUT>>' to be static but got 'OUT'}}
    %y = rlx.gelu %x : tensor<?x?x?xf32, #rlx.dims<BATCH, SEQ, OUT>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.kv_slot @kv0 heads 1 head_dim 64 type f16
  func.func @cache_c1(%c: !rlx.kv_cache, %k: tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>) {
    // expected-error @+1 {{expected no use of its operand after it but got a stale cache state}}
    %c1 = rlx.kv_append %c, @kv0, %k, %k : tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>
    // expected-note @+1 {{the earlier state is used here}}
    %pk, %pv = rlx.kv_read %c, @kv0 : tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>
    return
  }
}
