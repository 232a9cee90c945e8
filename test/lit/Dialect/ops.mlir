// Every op on activations prints what it parsed, in its own and in generic form.
// RUN: rlx-opt %s | FileCheck %s
// RUN: rlx-opt %s | rlx-opt | FileCheck %s
// RUN: rlx-opt %s --mlir-print-op-generic | rlx-opt | FileCheck %s

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>,
                                  #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  rlx.weight @embed : tensor<2048x256xbf16> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<2048x256xbf16>>]
  rlx.weight @gain : tensor<256xf32> from [#rlx.source<file = "m", tensor = "g", offset = 0, type = tensor<256xf32>>]
  rlx.weight @w : tensor<512x256xf32> from [#rlx.source<file = "m", tensor = "w", offset = 0, type = tensor<512x256xf32>>]
  rlx.weight @norms : tensor<512x2xf32> from [#rlx.source<file = "m", tensor = "w", offset = 0, type = tensor<512x256xf32>>] transforms [#rlx.residual_norms<!rlx.quant<"q4_0">>]

  // CHECK-LABEL: @embedding
  func.func @embedding(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) {
    // CHECK: rlx.embedding %{{.*}}, @embed {scale = 1.600000e+01 : f32} : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    %x = rlx.embedding %ids, @embed {scale = 16.0 : f32} : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    // CHECK: rlx.embedding %{{.*}}, @embed : (
    %y = rlx.embedding %ids, @embed : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }

  // CHECK-LABEL: @rms_norm
  func.func @rms_norm(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // CHECK: rlx.rms_norm %{{.*}}, @gain gain one_plus eps 9.99999997E-7 : tensor
    %y = rlx.rms_norm %x, @gain gain one_plus eps 1.0e-06 : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    // CHECK: rlx.rms_norm %{{.*}}, @gain gain plain eps 9.99999974E-6 residual(%{{.*}} : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) : tensor
    %z = rlx.rms_norm %x, @gain gain plain eps 1.0e-05 residual(%y : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }

  // CHECK-LABEL: @linear
  func.func @linear(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // CHECK: rlx.linear %{{.*}}, @w : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    %y = rlx.linear %x, @w : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    // CHECK: rlx.linear %{{.*}}, @w cap 3.000000e+01 screen(@w, @norms) : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    %screened = rlx.linear %x, @w cap 30.0 screen(@w, @norms) : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    // CHECK: rlx.linear %{{.*}}, @w norm(@gain, 9.99999997E-7) geglu cap 3.000000e+01 residual(%{{.*}} : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    %z = rlx.linear %x, @w norm(@gain, 1.0e-06) geglu cap 30.0 residual(%x : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }

  // CHECK-LABEL: @elementwise
  func.func @elementwise(%x: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, %y: tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>) {
    // CHECK: rlx.add %{{.*}}, %{{.*}} : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    %0 = rlx.add %x, %y : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    // CHECK: rlx.mul %{{.*}}, %{{.*}} : tensor
    %1 = rlx.mul %x, %y : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    // CHECK: rlx.geglu %{{.*}}, %{{.*}} : tensor
    %2 = rlx.geglu %x, %y : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    // CHECK: rlx.gelu %{{.*}} : tensor
    %3 = rlx.gelu %x : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    // CHECK: rlx.scale %{{.*}} by 1.600000e+01 : tensor
    %4 = rlx.scale %x by 16.0 : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    // CHECK: rlx.softcap %{{.*}} cap 3.000000e+01 : tensor
    %5 = rlx.softcap %x cap 30.0 : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    return
  }

  // CHECK-LABEL: @views
  func.func @views(%x: tensor<?x?x384xf32, #rlx.dims<BATCH, SEQ, 384>>, %begin: index) {
    // CHECK: rlx.split %{{.*}} : tensor<?x?x384xf32, #rlx.dims<BATCH, SEQ, 384>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, tensor<?x?x128xf32, #rlx.dims<BATCH, SEQ, 128>>
    %0:2 = rlx.split %x : tensor<?x?x384xf32, #rlx.dims<BATCH, SEQ, 384>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>, tensor<?x?x128xf32, #rlx.dims<BATCH, SEQ, 128>>
    // CHECK: rlx.split_heads %{{.*}} : tensor<?x?x384xf32, #rlx.dims<BATCH, SEQ, 384>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x1x128xf32, #rlx.dims<BATCH, SEQ, 1, 128>>
    %1:2 = rlx.split_heads %x : tensor<?x?x384xf32, #rlx.dims<BATCH, SEQ, 384>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x1x128xf32, #rlx.dims<BATCH, SEQ, 1, 128>>
    // CHECK: rlx.merge_heads %{{.*}} : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    %2 = rlx.merge_heads %1#0 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>> -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    // CHECK: rlx.select_rows %{{.*}} from %{{.*}} : tensor<?x?x384xf32, #rlx.dims<BATCH, SEQ, 384>> -> tensor<?x?x384xf32, #rlx.dims<BATCH, OUT, 384>>
    %3 = rlx.select_rows %x from %begin : tensor<?x?x384xf32, #rlx.dims<BATCH, SEQ, 384>> -> tensor<?x?x384xf32, #rlx.dims<BATCH, OUT, 384>>
    return
  }

  // CHECK-LABEL: @rope
  func.func @rope(%cache: !rlx.kv_cache, %x: tensor<?x?x4x128xf32, #rlx.dims<BATCH, SEQ, 4, 128>>) {
    // CHECK: rlx.positions %{{.*}} : tensor<?x?xi64, #rlx.dims<BATCH, SEQ>>
    %pos = rlx.positions %cache : tensor<?x?xi64, #rlx.dims<BATCH, SEQ>>
    // CHECK: rlx.rope_angles %{{.*}} rope <base = 1.000000e+04 : f64, dim = 64> : tensor<?x?xi64, #rlx.dims<BATCH, SEQ>> -> tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>
    %cs = rlx.rope_angles %pos rope <base = 1.0e+04 : f64, dim = 64> : tensor<?x?xi64, #rlx.dims<BATCH, SEQ>> -> tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>
    // CHECK: rlx.rope %{{.*}}, %{{.*}} : tensor<?x?x4x128xf32, #rlx.dims<BATCH, SEQ, 4, 128>>, tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>> -> tensor<?x?x4x128xf32, #rlx.dims<BATCH, SEQ, 4, 128>>
    %y = rlx.rope %x, %cs : tensor<?x?x4x128xf32, #rlx.dims<BATCH, SEQ, 4, 128>>, tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>> -> tensor<?x?x4x128xf32, #rlx.dims<BATCH, SEQ, 4, 128>>
    return
  }

  // Static tensors need no encoding.
  // CHECK-LABEL: @static
  func.func @static(%x: tensor<1x3x256xf32>) -> tensor<1x3x512xf32> {
    // CHECK: rlx.linear %{{.*}}, @w : tensor<1x3x256xf32> -> tensor<1x3x512xf32>
    %y = rlx.linear %x, @w : tensor<1x3x256xf32> -> tensor<1x3x512xf32>
    return %y : tensor<1x3x512xf32>
  }
}
