// RUN: rlx-opt %s --rlx-assign-weight-layout --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: module @places attributes {rlx.weights_bytes = 11328 : i64}
module @places {
  // A vector is stored as f32 rows; the next weight starts on a multiple of 64 bytes.
  // CHECK: rlx.weight @norm : tensor<100xf32>
  // CHECK-SAME: transforms [#rlx.convert<f32>, #rlx.pack<"row">] at 0 size 400
  rlx.weight @norm : tensor<100xbf16> from [#rlx.source<file = "m", tensor = "n", offset = 0, type = tensor<100xbf16>>]
  // Rows are padded to whole panels of 16.
  // CHECK: rlx.weight @q : tensor<17x64xbf16>
  // CHECK-SAME: transforms [#rlx.pack<"r16">] at 448 size 4096
  rlx.weight @q : tensor<17x64xbf16> from [#rlx.source<file = "m", tensor = "q", offset = 0, type = tensor<17x64xbf16>>]
  // Interleaved sources are padded each: 2 * 16 rows of 2 blocks.
  // CHECK: rlx.weight @gate_up
  // CHECK-SAME: at 4544 size 2176
  rlx.weight @gate_up : tensor<20x64x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "g", offset = 0, type = tensor<10x64xbf16>>, #rlx.source<file = "m", tensor = "u", offset = 0, type = tensor<10x64xbf16>>] combine interleave transforms [#rlx.convert<!rlx.quant<"q8_0">>]
  // A layout that is there is kept.
  // CHECK: rlx.weight @kept
  // CHECK-SAME: transforms [#rlx.pack<"row">] at 6720 size 512
  rlx.weight @kept : tensor<2x64xf32> from [#rlx.source<file = "m", tensor = "k", offset = 0, type = tensor<2x64xf32>>] transforms [#rlx.pack<"row">]
  // CHECK: rlx.weight @last
  // CHECK-SAME: at 7232 size 4096
  rlx.weight @last : tensor<16x64xf32> from [#rlx.source<file = "m", tensor = "l", offset = 0, type = tensor<16x64xf32>>]
}

// -----

module {
  // expected-error@+1 {{expected f32 elements in layout 'row' but got 'bf16'}}
  rlx.weight @w : tensor<64xbf16> from [#rlx.source<file = "m", tensor = "l", offset = 0, type = tensor<64xbf16>>] transforms [#rlx.pack<"row">]
}
