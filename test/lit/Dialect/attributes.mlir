// Attributes and types: syntax, and the canonical form of symbolic sizes.
// RUN: rlx-opt %s | FileCheck %s
// RUN: rlx-opt %s | rlx-opt | FileCheck %s

// CHECK: module attributes {rlx.symbols = [#rlx.symbol<"A", 0, 8>, #rlx.symbol<"B", 1, 8>]}
module attributes {rlx.symbols = [#rlx.symbol<"A", 0, 8>, #rlx.symbol<"B", 1, 8>]} {
  // Sums and products do not depend on how they were written: one type, so
  // that the call and the returns verify.
  // CHECK-LABEL: @sum
  // CHECK-SAME: (%{{.*}}: tensor<?xf32, #rlx.dims<A + B>>) -> tensor<?xf32, #rlx.dims<A + B>>
  func.func @sum(%x: tensor<?xf32, #rlx.dims<B + A>>) -> tensor<?xf32, #rlx.dims<A + B>> {
    return %x : tensor<?xf32, #rlx.dims<A + B>>
  }
  // CHECK-LABEL: @product
  // CHECK-SAME: (%{{.*}}: tensor<?xf32, #rlx.dims<(A * 2) + B>>)
  func.func @product(%x: tensor<?xf32, #rlx.dims<A + B + A>>) -> tensor<?xf32, #rlx.dims<B + A * 2>> {
    return %x : tensor<?xf32, #rlx.dims<A * 2 + B>>
  }
  // A symbol that cancels out leaves no trace.
  // CHECK-LABEL: @unused
  // CHECK-SAME: (%{{.*}}: tensor<4xf32, #rlx.dims<4>>)
  func.func @unused(%x: tensor<4xf32, #rlx.dims<B * 0 + 4>>) -> tensor<4xf32, #rlx.dims<4>> {
    return %x : tensor<4xf32, #rlx.dims<4>>
  }
  // CHECK-LABEL: @divisions
  // CHECK-SAME: #rlx.dims<A floordiv 2, B ceildiv 3, (A + B) mod 4, (A floordiv 2) * 2>
  func.func private @divisions(tensor<?x?x?x?xf32, #rlx.dims<A floordiv 2, B ceildiv 3, (B + A) mod 4, A floordiv 2 * 2>>)

  // CHECK-LABEL: @rope
  func.func private @rope() attributes {
    // CHECK-SAME: rlx.a = #rlx.rope<base = 1.000000e+04 : f64, dim = 64>
    rlx.a = #rlx.rope<base = 1.0e+04 : f64, dim = 64>,
    // CHECK-SAME: rlx.b = #rlx.rope<base = 1.000000e+06 : f64, dim = 256, scaling = "linear", factor = 8.000000e+00 : f64>
    rlx.b = #rlx.rope<base = 1.0e+06 : f64, dim = 256, scaling = "linear", factor = 8.0 : f64>,
    // CHECK-SAME: rlx.c = #rlx.rope<base = 5.000000e+05 : f64, dim = 64, scaling = "llama3", factor = 3.200000e+01 : f64, low = 1.000000e+00 : f64, high = 4.000000e+00 : f64, original_max = 8192>
    rlx.c = #rlx.rope<base = 5.0e+05 : f64, dim = 64, scaling = "llama3", factor = 32.0 : f64, low = 1.0 : f64, high = 4.0 : f64, original_max = 8192>,
    // CHECK-SAME: rlx.d = #rlx.rope<base = 1.000000e+04 : f64, dim = 4, freq_factors = [1.000000e+00, 2.000000e+00]>
    rlx.d = #rlx.rope<base = 1.0e+04 : f64, dim = 4, freq_factors = [1.0, 2.0]>}

  // Block and bytes may be spelt out; they are the format's.
  // CHECK-LABEL: @quant
  // CHECK-SAME: tensor<2x32x!rlx.quant<"q8_0">>, tensor<2x32x!rlx.quant<"q4_0">>, tensor<2x32x!rlx.quant<"q4_1">>, tensor<2x32x!rlx.quant<"q5_0">>, tensor<2x32x!rlx.quant<"q5_1">>, tensor<2x32x!rlx.quant<"iq4_nl">>
  func.func private @quant(tensor<2x32x!rlx.quant<"q8_0", 32, 34>>, tensor<2x32x!rlx.quant<"q4_0">>, tensor<2x32x!rlx.quant<"q4_1">>, tensor<2x32x!rlx.quant<"q5_0">>, tensor<2x32x!rlx.quant<"q5_1">>, tensor<2x32x!rlx.quant<"iq4_nl">>)
  // CHECK-LABEL: @superblocks
  // CHECK-SAME: tensor<256x!rlx.quant<"q2_k">>, tensor<256x!rlx.quant<"q3_k">>, tensor<256x!rlx.quant<"q4_k">>, tensor<256x!rlx.quant<"q5_k">>, tensor<256x!rlx.quant<"q6_k">>, tensor<256x!rlx.quant<"iq4_xs">>
  func.func private @superblocks(tensor<256x!rlx.quant<"q2_k">>, tensor<256x!rlx.quant<"q3_k">>, tensor<256x!rlx.quant<"q4_k">>, tensor<256x!rlx.quant<"q5_k">>, tensor<256x!rlx.quant<"q6_k">>, tensor<256x!rlx.quant<"iq4_xs">>)

  // CHECK: rlx.weight @plain : tensor<4xbf16> from [#rlx.source<file = "m.safetensors", tensor = "a.b", offset = 16, type = tensor<4xbf16>>]{{$}}
  rlx.weight @plain : tensor<4xbf16> from [#rlx.source<file = "m.safetensors", tensor = "a.b", offset = 16, type = tensor<4xbf16>>]
  // CHECK: rlx.weight @gain : tensor<4xf32> from [{{.*}}] transforms [#rlx.add_scalar<1.000000e+00 : f32>, #rlx.pack<"row">]
  rlx.weight @gain : tensor<4xf32> from [#rlx.source<file = "m", tensor = "a", offset = 0, type = tensor<4xbf16>>] transforms [#rlx.add_scalar<1.0 : f32>, #rlx.pack<"row">]
  // CHECK: rlx.weight @norms : tensor<4x2xf32> from [{{.*}}] transforms [#rlx.residual_norms<!rlx.quant<"q4_0">>, #rlx.pack<"row">]
  rlx.weight @norms : tensor<4x2xf32> from [#rlx.source<file = "m", tensor = "a", offset = 0, type = tensor<4x32xbf16>>] transforms [#rlx.residual_norms<!rlx.quant<"q4_0">>, #rlx.pack<"row">]
  // CHECK: rlx.weight @both : tensor<48x32x!rlx.quant<"q8_0">> from [{{.*}}, {{.*}}] combine concat transforms [#rlx.convert<!rlx.quant<"q8_0">>, #rlx.pack<"r16">] at 128 size 1632
  rlx.weight @both : tensor<48x32x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "a", offset = 0, type = tensor<32x32xbf16>>, #rlx.source<file = "m", tensor = "a", offset = 0, type = tensor<16x32xf32>>] combine concat transforms [#rlx.convert<!rlx.quant<"q8_0">>, #rlx.pack<"r16">] at 128 size 1632
  // CHECK: rlx.weight @mixed : tensor<64x32xbf16> from [{{.*}}, {{.*}}] combine interleave
  rlx.weight @mixed : tensor<64x32xbf16> from [#rlx.source<file = "m", tensor = "a", offset = 0, type = tensor<32x32xbf16>>, #rlx.source<file = "m", tensor = "a", offset = 0, type = tensor<32x32xbf16>>] combine interleave
}
