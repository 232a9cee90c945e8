// Each rule of views, broken once.
// RUN: rlx-opt %s --allow-unregistered-dialect -verify-diagnostics -split-input-file

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @split_c1(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{expected dimension 1 of piece to be 'SEQ' but got 'OUT'}}
    %y:2 = rlx.split %x : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x128xf32, #rlx.dims<BATCH, SEQ, 128>>, tensor<?x?x128xf32, #rlx.dims<BATCH, OUT, 128>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @split_c2(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{expected pieces to sum to 256 columns but got 255}}
    %y:2 = rlx.split %x : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x128xf32, #rlx.dims<BATCH, SEQ, 128>>, tensor<?x?x127xf32, #rlx.dims<BATCH, SEQ, 127>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @split_c2_symbolic(%x: tensor<?x?xf32, #rlx.dims<BATCH, SEQ>>) {
    // expected-error @+1 {{expected last dimension of input to be static but got 'SEQ'}}
    %y:2 = rlx.split %x : tensor<?x?xf32, #rlx.dims<BATCH, SEQ>> -> tensor<?x?xf32, #rlx.dims<BATCH, SEQ>>, tensor<?x?xf32, #rlx.dims<BATCH, SEQ>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @split_heads_c1(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{expected result of rank 4 but got 3}}
    %y = rlx.split_heads %x : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @split_heads_c2(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{expected dimension 1 of result to be 'SEQ' but got 'OUT'}}
    %y = rlx.split_heads %x : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, OUT, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @split_heads_c3(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{expected heads to sum to 256 columns but got 192}}
    %y = rlx.split_heads %x : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x3x64xf32, #rlx.dims<BATCH, SEQ, 3, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @merge_heads_c1(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{expected input of rank 4 but got 3}}
    %y = rlx.merge_heads %x : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @merge_heads_c2(%x: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>) {
    // expected-error @+1 {{expected dimension 2 of result to be '256' but got '255'}}
    %y = rlx.merge_heads %x : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>> -> tensor<?x?x255xf32, #rlx.dims<BATCH, SEQ, 255>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @select_rows_c1(%x: tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, %i: index) {
    // expected-error @+1 {{expected input of rank 3 but got 4}}
    %y = rlx.select_rows %x from %i : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @select_rows_c2(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %i: index) {
    // expected-error @+1 {{expected dimension 0 of result to be 'BATCH' but got 'OUT'}}
    %y = rlx.select_rows %x from %i : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x256xf32, #rlx.dims<OUT, OUT, 256>>
    return
  }
}
