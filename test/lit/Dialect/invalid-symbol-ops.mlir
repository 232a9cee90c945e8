// Each rule of weights, slots and variants, broken once.
// RUN: rlx-opt %s --allow-unregistered-dialect -verify-diagnostics -split-input-file

// weight_c1
// expected-error @+1 {{expected at least one source}}
rlx.weight @weight_c1 : tensor<4xf32> from []

// -----

// weight_c1_kind
// expected-error @+1 {{expected a source to be #rlx.source but got 1 : i64}}
rlx.weight @weight_c1_kind : tensor<4xf32> from [1]

// -----

// weight_c2
// expected-error @+1 {{expected exactly one source without 'combine' but got 2}}
rlx.weight @weight_c2 : tensor<4xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<2xf32>>, #rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<2xf32>>]

// -----

// weight_c3
// expected-error @+1 {{expected sources that differ in their rows only but got 'tensor<2x8xf32>' and 'tensor<2x9xf32>'}}
rlx.weight @weight_c3 : tensor<4x8xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<2x8xf32>>, #rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<2x9xf32>>] combine concat

// -----

// weight_c3_interleave
// expected-error @+1 {{expected sources that differ in no size but got 'tensor<2x8xf32>' and 'tensor<3x8xf32>'}}
rlx.weight @weight_c3_interleave : tensor<5x8xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<2x8xf32>>, #rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<3x8xf32>>] combine interleave

// -----

// weight_c4
// expected-error @+1 {{expected the shape that its sources give, 'tensor<4x8xf32>', but got 'tensor<5x8xf32>'}}
rlx.weight @weight_c4 : tensor<5x8xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<2x8xf32>>, #rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<2x8xf32>>] combine concat

// -----

// weight_c5
// expected-error @+1 {{expected a transform to be add_scalar, convert, residual_norms or pack but got "negate"}}
rlx.weight @weight_c5 : tensor<4xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<4xf32>>] transforms ["negate"]

// -----

// weight_c6
// expected-error @+1 {{expected pack to be the last transform}}
rlx.weight @weight_c6 : tensor<4xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<4xf32>>] transforms [#rlx.pack<"row">, #rlx.convert<f32>]

// -----

// weight_c6_r16
// expected-error @+1 {{expected a matrix for layout "r16" but got 'tensor<4xf32>'}}
rlx.weight @weight_c6_r16 : tensor<4xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<4xf32>>] transforms [#rlx.pack<"r16">]

// -----

// weight_c7
// expected-error @+1 {{expected a conversion of sources whose element types differ}}
rlx.weight @weight_c7 : tensor<4x8xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<2x8xf32>>, #rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<2x8xbf16>>] combine concat

// -----

// weight_c8
// expected-error @+1 {{expected element type 'f32' after its transforms but got 'bf16'}}
rlx.weight @weight_c8 : tensor<4xbf16> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<4xbf16>>] transforms [#rlx.add_scalar<1.0 : f32>]

// -----

// weight_c9
// expected-error @+1 {{expected rows of the weight to be a multiple of 32 elements for "q8_0" but got 'tensor<4x48x!rlx.quant<"q8_0">>'}}
rlx.weight @weight_c9 : tensor<4x48x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<4x48xf32>>] transforms [#rlx.convert<!rlx.quant<"q8_0">>]

// -----

// weight_c10
// expected-error @+1 {{expected an offset that is a multiple of 64 and a size, of at most 2^50, but got 32 and 16}}
rlx.weight @weight_c10 : tensor<4xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<4xf32>>] at 32 size 16

// -----

// weight_c11
// expected-error @+1 {{expected matrices as sources of residual_norms}}
rlx.weight @weight_c11 : tensor<4xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<4xf32>>] transforms [#rlx.residual_norms<!rlx.quant<"q4_0">>]

// -----

// weight_c11
// expected-error @+1 {{expected at most pack to follow residual_norms}}
rlx.weight @weight_c11_follow : tensor<4x2xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<4x32xf32>>] transforms [#rlx.residual_norms<!rlx.quant<"q4_0">>, #rlx.convert<f32>]

// -----

// weight_c4
// expected-error @+1 {{expected the shape that its sources give, 'tensor<4x2xf32>', but got 'tensor<4x32xf32>'}}
rlx.weight @weight_c4_norms : tensor<4x32xf32> from [#rlx.source<file = "m", tensor = "t", offset = 0, type = tensor<4x32xf32>>] transforms [#rlx.residual_norms<!rlx.quant<"q4_0">>]

// -----

// kv_slot_c1
// expected-error @+1 {{expected positive heads and an even, positive head_dim but got 1 and 63}}
rlx.kv_slot @kv_slot_c1 heads 1 head_dim 63 type f16

// -----

// kv_slot_c2
// expected-error @+1 {{expected a window of 0 or more but got -1}}
rlx.kv_slot @kv_slot_c2 heads 1 head_dim 64 type f16 window -1

// -----

// kv_slot_c3
// expected-error @+1 {{expected a head_dim that is a multiple of 32 with type q8_0 but got 72; use f16 or bf16}}
rlx.kv_slot @kv_slot_c3 heads 1 head_dim 72 type q8_0

// -----

// variant_c1
// expected-error @+1 {{expected a SEQ range with 1 <= min <= max but got [0, 1]}}
rlx.variant @variant_c1 calls @f role prefill seq 0 to 1 past 0 to 1

// -----

// variant_c2
// expected-error @+1 {{expected a PAST_SEQ range with 0 <= min <= max but got [2, 1]}}
rlx.variant @variant_c2 calls @f role prefill seq 1 to 1 past 2 to 1

// -----

// variant_c3
// expected-error @+1 {{expected a decode variant to have SEQ 1 but got up to 2}}
rlx.variant @variant_c3 calls @f role decode seq 1 to 2 past 0 to 1

// -----

// variant_c4
// expected-error @+1 {{expected a function named @f}}
rlx.variant @variant_c4 calls @f role decode seq 1 to 1 past 0 to 1

// -----

// variant_c5
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func private @f(tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, !rlx.kv_cache, index) -> (tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, !rlx.kv_cache) attributes {rlx.role = "prefill"}
  // expected-error @+1 {{expected function @f with role "decode" but got "prefill"}}
  rlx.variant @variant_c5 calls @f role decode seq 1 to 1 past 0 to 1
}

// -----

// variant_c6
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  func.func private @f(tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, !rlx.kv_cache, index) -> (tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>, !rlx.kv_cache) attributes {rlx.role = "prefill"}
  // expected-error @+1 {{expected range of SEQ to lie within [1, 512] of @f but got [1, 513]}}
  rlx.variant @variant_c6 calls @f role prefill seq 1 to 513 past 0 to 1
}
