// Each rule of ops on activations, broken once.
// RUN: rlx-opt %s --allow-unregistered-dialect -verify-diagnostics -split-input-file

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @gain : tensor<256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<256xf32>>] // expected-note {{the weight is here}}
  func.func @embedding_c1(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) {
    // expected-error @+1 {{expected weight @gain of rank 2 but got 1}}
    %x = rlx.embedding %ids, @gain : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @embedding_c1_missing(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) {
    // expected-error @+1 {{expected a weight named @none}}
    %x = rlx.embedding %ids, @none : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @embed : tensor<2048x256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<2048x256xf32>>]
  func.func @embedding_c2(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) {
    // expected-error @+1 {{expected dimension 1 of result to be 'SEQ' but got 'OUT'}}
    %x = rlx.embedding %ids, @embed : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @gain : tensor<128xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<128xf32>>] // expected-note {{the weight is here}}
  func.func @rms_norm_c1(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>) {
    // expected-error @+1 {{expected gain @gain of 256 floats but got 'tensor<128xf32>'}}
    %y = rlx.rms_norm %x, @gain gain plain eps 1.0e-6 : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @gain : tensor<256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<256xf32>>]
  func.func @rms_norm_c2(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>) {
    // expected-error @+1 {{expected dimension 1 of result to be 'SEQ' but got 'OUT'}}
    %y = rlx.rms_norm %x, @gain gain plain eps 1.0e-6 : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @gain : tensor<256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<256xf32>>]
  func.func @rms_norm_c3(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>) {
    // expected-error @+1 {{expected dimension 1 of residual to be 'SEQ' but got 'OUT'}}
    %y = rlx.rms_norm %x, @gain gain plain eps 1.0e-6 residual(%r : tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>) : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @gain : tensor<256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<256xf32>>]
  func.func @rms_norm_c4(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>) {
    // expected-error @+1 {{expected a positive eps but got -1.0}}
    %y = rlx.rms_norm %x, @gain gain plain eps -1.0 : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<512x128xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x128xf32>>]
  func.func @linear_c1(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>) {
    // expected-error @+1 {{expected weight @w with 256 columns but got 128}}
    %y = rlx.linear %x, @w : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<512x256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256xf32>>]
  func.func @linear_c1_symbolic(%x: tensor<?x?xf32, #rlx.dims<BATCH, SEQ>>) {
    // expected-error @+1 {{expected last dimension of input to be static but got 'SEQ'}}
    %y = rlx.linear %x, @w : tensor<?x?xf32, #rlx.dims<BATCH, SEQ>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<512x256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256xf32>>]
  func.func @linear_c2(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>) {
    // expected-error @+1 {{expected dimension 2 of result to be '512' but got '511'}}
    %y = rlx.linear %x, @w : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x511xf32, #rlx.dims<BATCH, SEQ, 511>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<512x256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256xf32>>]
  func.func @linear_c2_geglu(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>) {
    // expected-error @+1 {{expected dimension 2 of result to be '256' but got '512'}}
    %y = rlx.linear %x, @w geglu : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<512x256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256xf32>>]
  rlx.weight @gain : tensor<256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<256xf32>>]
  func.func @linear_c3(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>) {
    // expected-error @+1 {{expected norm and eps together}}
    %y = "rlx.linear"(%x) {weight = @w, norm = @gain} : (tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<512x256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256xf32>>]
  rlx.weight @gain : tensor<128xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<128xf32>>] // expected-note {{the weight is here}}
  func.func @linear_c4(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>) {
    // expected-error @+1 {{expected gain @gain of 256 floats but got 'tensor<128xf32>'}}
    %y = rlx.linear %x, @w norm(@gain, 1.0e-6) : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<513x256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<513x256xf32>>]
  func.func @linear_c5(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>) {
    // expected-error @+1 {{expected weight @w with an even number of rows for geglu but got 513}}
    %y = rlx.linear %x, @w geglu : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<512x256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256xf32>>]
  func.func @linear_c6(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>) {
    // expected-error @+1 {{expected a positive cap but got 0.0}}
    %y = rlx.linear %x, @w cap 0.0 : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<512x256xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256xf32>>]
  func.func @linear_c7(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>) {
    // expected-error @+1 {{expected dimension 1 of residual to be 'SEQ' but got 'OUT'}}
    %y = rlx.linear %x, @w residual(%r : tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>) : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<512x256x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256x!rlx.quant<"q8_0">>>]
  func.func @linear_c8(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{expected screen with norms and without geglu and residual}}
    %y = "rlx.linear"(%x) <{weight = @w, coarse = @w}> : (tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<512x256x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256x!rlx.quant<"q8_0">>>]
  rlx.weight @n : tensor<512x2xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256x!rlx.quant<"q8_0">>>] transforms [#rlx.residual_norms<!rlx.quant<"q4_0">>]
  func.func @linear_c8_residual(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %r: tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>) {
    // expected-error @+1 {{expected screen with norms and without geglu and residual}}
    %y = rlx.linear %x, @w screen(@w, @n) residual(%r : tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>) : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<512x256x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256x!rlx.quant<"q8_0">>>]
  rlx.weight @n : tensor<512x2xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256x!rlx.quant<"q8_0">>>] transforms [#rlx.residual_norms<!rlx.quant<"q4_0">>]
  func.func @linear_c8_coarse(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{expected a coarse copy of the weight's shape but got 'tensor<512x2xf32>'}}
    %y = rlx.linear %x, @w screen(@n, @n) : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @w : tensor<512x256x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<512x256x!rlx.quant<"q8_0">>>]
  func.func @linear_c8_norms(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{expected norms of two f32 for each row of the weight but got 'tensor<512x256x!rlx.quant<"q8_0">>'}}
    %y = rlx.linear %x, @w screen(@w, @w) : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @add_c1(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %y: tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>) {
    // expected-error @+1 {{op requires the same encoding for all operands and results}}
    %z = "rlx.add"(%x, %y) : (tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @mul_c1(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %y: tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>) {
    // expected-error @+1 {{op requires the same encoding for all operands and results}}
    %z = "rlx.mul"(%x, %y) : (tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @geglu_c1(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %y: tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>) {
    // expected-error @+1 {{op requires the same encoding for all operands and results}}
    %z = "rlx.geglu"(%x, %y) : (tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @gelu_c1(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{op requires the same encoding for all operands and results}}
    %z = "rlx.gelu"(%x) : (tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @scale_c1(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{op requires the same encoding for all operands and results}}
    %z = "rlx.scale"(%x) {factor = 2.0 : f32} : (tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @softcap_c1(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{op requires the same encoding for all operands and results}}
    %z = "rlx.softcap"(%x) {cap = 2.0 : f32} : (tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>
    return
  }
}

// -----

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func @softcap_c2(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // expected-error @+1 {{expected a positive cap but got -1.0}}
    %z = rlx.softcap %x cap -1.0 : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }
}
