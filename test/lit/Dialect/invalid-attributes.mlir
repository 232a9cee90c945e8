// Each rule of attributes and types, broken once.
// RUN: rlx-opt %s --allow-unregistered-dialect -verify-diagnostics -split-input-file

// dims_c1
// expected-error @+1 {{expected #rlx.dims of rank 1 but got 2}}
func.func private @dims_c1(tensor<?xf32, #rlx.dims<A, B>>)

// -----

// dims_c2
// expected-error @+1 {{expected size of dimension 1 to be '4' but got 5}}
func.func private @dims_c2(tensor<?x5xf32, #rlx.dims<A, 4>>)

// -----

// symbol_c1
// expected-error @+1 {{expected a symbol to have a name}}
func.func private @symbol_c1() attributes {test.a = #rlx.symbol<"", 0, 1>}

// -----

// symbol_c2
// expected-error @+1 {{expected range of symbol "A" to satisfy 0 <= min <= max <= 2^32 but got [2, 1]}}
func.func private @symbol_c2() attributes {test.a = #rlx.symbol<"A", 2, 1>}

// -----

// symbol_c2
// expected-error @+1 {{expected range of symbol "A" to satisfy 0 <= min <= max <= 2^32 but got [1, 4294967297]}}
func.func private @symbol_c2_most() attributes {test.a = #rlx.symbol<"A", 1, 4294967297>}

// -----

// rope_attr_c1
// expected-error @+1 {{expected a positive rope base but got 0}}
func.func private @rope_attr_c1() attributes {test.a = #rlx.rope<base = 0.0 : f64, dim = 4>}

// -----

// rope_attr_c2
// expected-error @+1 {{expected an even, positive rope dim but got 5}}
func.func private @rope_attr_c2() attributes {test.a = #rlx.rope<base = 1.0 : f64, dim = 5>}

// -----

// rope_attr_c3
// expected-error @+1 {{expected rope scaling none, linear or llama3 but got "yarn"}}
func.func private @rope_attr_c3() attributes {test.a = #rlx.rope<base = 1.0 : f64, dim = 4, scaling = "yarn">}

// -----

// rope_attr_c4
// expected-error @+1 {{expected a positive factor for rope scaling "linear"}}
func.func private @rope_attr_c4() attributes {test.a = #rlx.rope<base = 1.0 : f64, dim = 4, scaling = "linear">}

// -----

// rope_attr_c5
// expected-error @+1 {{expected 0 < low < high and a positive original_max for rope scaling llama3}}
func.func private @rope_attr_c5() attributes {test.a = #rlx.rope<base = 1.0 : f64, dim = 4, scaling = "llama3", factor = 2.0 : f64, low = 4.0 : f64, high = 1.0 : f64, original_max = 8>}

// -----

// rope_attr_c6
// expected-error @+1 {{expected 2 freq_factors but got 1}}
func.func private @rope_attr_c6() attributes {test.a = #rlx.rope<base = 1.0 : f64, dim = 4, freq_factors = [1.0]>}

// -----

// source_c1
// expected-error @+1 {{expected an offset of 0 or more but got -1}}
func.func private @source_c1() attributes {test.a = #rlx.source<file = "m", tensor = "t", offset = -1, type = tensor<4xf32>>}

// -----

// source_c2
// expected-error @+1 {{expected a static tensor of f32, f16, bf16 or a quantised type but got 'tensor<4xi8>'}}
func.func private @source_c2() attributes {test.a = #rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<4xi8>>}

// -----

// source_c3
// expected-error @+1 {{expected sizes of 1 to 2^31 and at most 2^40 elements but got 'tensor<4x0xf32>'}}
func.func private @source_c3() attributes {test.a = #rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<4x0xf32>>}

// -----

// source_c3
// expected-error @+1 {{expected sizes of 1 to 2^31 and at most 2^40 elements but got 'tensor<1048576x1048577xf32>'}}
func.func private @source_c3_most() attributes {test.a = #rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<1048576x1048577xf32>>}

// -----

// convert_c1
// expected-error @+1 {{expected f32, f16, bf16 or a quantised type but got 'i8'}}
func.func private @convert_c1() attributes {test.a = #rlx.convert<i8>}

// -----

// residual_norms_c1
// expected-error @+1 {{expected a quantised type but got 'f16'}}
func.func private @residual_norms_c1() attributes {test.a = #rlx.residual_norms<f16>}

// -----

// pack_c1
// expected-error @+1 {{expected layout "row" or "r16" but got "r8"}}
func.func private @pack_c1() attributes {test.a = #rlx.pack<"r8">}

// -----

// quant_c1
// expected-error @+1 {{expected a known quantised format but got "q9_9"}}
func.func private @quant_c1(tensor<32x!rlx.quant<"q9_9">>)

// -----

// quant_c2
// expected-error @+1 {{expected blocks of 32 elements and 34 bytes for "q8_0" but got 16 and 18}}
func.func private @quant_c2(tensor<32x!rlx.quant<"q8_0", 16, 18>>)

// -----

// The syntax of a dimension.
// expected-error @+1 {{expected a positive constant on the right of a product, division or remainder}}
func.func private @dims_syntax(tensor<?xf32, #rlx.dims<A * B>>)

// -----

// expected-error @+1 {{expected a number from 0 to 2^40 in a dimension}}
func.func private @dims_negative(tensor<?x?xf32, #rlx.dims<SEQ, SEQ + -1>>)
