// Slots, and every op on the KV cache, in a prefill and a decode function.
// RUN: rlx-opt %s --allow-unregistered-dialect | FileCheck %s
// RUN: rlx-opt %s --allow-unregistered-dialect | rlx-opt --allow-unregistered-dialect | FileCheck %s
// RUN: rlx-opt %s --allow-unregistered-dialect --mlir-print-op-generic | rlx-opt --allow-unregistered-dialect | FileCheck %s

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>,
                                  #rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {
  // CHECK: rlx.kv_slot @ring heads 1 head_dim 64 type f16 window 64
  rlx.kv_slot @ring heads 1 head_dim 64 type f16 window 64
  // CHECK: rlx.kv_slot @full heads 2 head_dim 64 type bf16{{$}}
  rlx.kv_slot @full heads 2 head_dim 64 type bf16
  // CHECK: rlx.kv_slot @small heads 2 head_dim 64 type q8_0{{$}}
  rlx.kv_slot @small heads 2 head_dim 64 type q8_0
  // CHECK: rlx.kv_slot @exact heads 2 head_dim 64 type f32{{$}}
  rlx.kv_slot @exact heads 2 head_dim 64 type f32

  // CHECK-LABEL: @prefill
  func.func @prefill(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %c0: !rlx.kv_cache, %begin: index)
      -> (tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>, tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>, !rlx.kv_cache)
      attributes {rlx.role = "prefill"} {
    %q, %k, %v, %cs, %h = "test.def"() : () -> (tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>, tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>)
    // CHECK: %[[C1:.*]] = rlx.kv_append %{{.*}}, @ring, %{{.*}}, %{{.*}} : tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor
    %c1 = rlx.kv_append %c0, @ring, %k, %v : tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>
    // CHECK: rlx.kv_read %[[C1]], @ring : tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, tensor
    %pk, %pv = rlx.kv_read %c1, @ring : tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ + PAST_SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>
    // CHECK: rlx.attention %{{.*}}, %{{.*}}, %{{.*}} mask causal scale 1.250000e-01 cap 5.000000e+01 window 64 : tensor
    %a = rlx.attention %q, %pk, %pv mask causal scale 0.125 cap 50.0 window 64 : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>, tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>> -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    return %h, %h, %c1 : tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>, tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>, !rlx.kv_cache
  }

  // CHECK-LABEL: @decode
  // CHECK-SAME: rlx.role = "decode", rlx.symbols = [#rlx.symbol<"PAST_SEQ", 1, 1024>]
  func.func @decode(%ids: tensor<?x1xi32, #rlx.dims<BATCH, 1>>, %c0: !rlx.kv_cache, %begin: index)
      -> (tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>, !rlx.kv_cache)
      attributes {rlx.role = "decode", rlx.symbols = [#rlx.symbol<"PAST_SEQ", 1, 1024>]} {
    %q, %k, %v, %cs, %h = "test.def"() : () -> (tensor<?x1x4x64xf32, #rlx.dims<BATCH, 1, 4, 64>>, tensor<?x1x2x64xf32, #rlx.dims<BATCH, 1, 2, 64>>, tensor<?x1x2x64xf32, #rlx.dims<BATCH, 1, 2, 64>>, tensor<?x1x2x32xf32, #rlx.dims<BATCH, 1, 2, 32>>, tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>)
    // CHECK: %[[C1:.*]] = rlx.rope_append %{{.*}}, @full, %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x1x2x64xf32, #rlx.dims<BATCH, 1, 2, 64>>, tensor<?x1x2x64xf32, #rlx.dims<BATCH, 1, 2, 64>>, tensor<?x1x2x32xf32, #rlx.dims<BATCH, 1, 2, 32>>
    %c1 = rlx.rope_append %c0, @full, %k, %v, %cs : tensor<?x1x2x64xf32, #rlx.dims<BATCH, 1, 2, 64>>, tensor<?x1x2x64xf32, #rlx.dims<BATCH, 1, 2, 64>>, tensor<?x1x2x32xf32, #rlx.dims<BATCH, 1, 2, 32>>
    // Appending does not change PAST_SEQ, so that the old state still tells the positions.
    // CHECK: rlx.positions %{{.*}} : tensor<?x1xi64, #rlx.dims<BATCH, 1>>
    %pos = rlx.positions %c0 : tensor<?x1xi64, #rlx.dims<BATCH, 1>>
    // CHECK: rlx.cached_attention %{{.*}}, %[[C1]], @full mask causal scale 1.250000e-01 : tensor<?x1x4x64xf32, #rlx.dims<BATCH, 1, 4, 64>> -> tensor
    %a = rlx.cached_attention %q, %c1, @full mask causal scale 0.125 : tensor<?x1x4x64xf32, #rlx.dims<BATCH, 1, 4, 64>> -> tensor<?x1x4x64xf32, #rlx.dims<BATCH, 1, 4, 64>>
    // CHECK: rlx.cached_attention %{{.*}}, %[[C1]], @full mask causal scale 1.250000e-01 cap 5.000000e+01 window 7 : tensor
    %b = rlx.cached_attention %q, %c1, @full mask causal scale 0.125 cap 50.0 window 7 : tensor<?x1x4x64xf32, #rlx.dims<BATCH, 1, 4, 64>> -> tensor<?x1x4x64xf32, #rlx.dims<BATCH, 1, 4, 64>>
    // CHECK: rlx.kv_read %[[C1]], @full : tensor<?x?x2x64xf32, #rlx.dims<BATCH, PAST_SEQ + 1, 2, 64>>, tensor
    %pk, %pv = rlx.kv_read %c1, @full : tensor<?x?x2x64xf32, #rlx.dims<BATCH, 1 + PAST_SEQ, 2, 64>>, tensor<?x?x2x64xf32, #rlx.dims<BATCH, PAST_SEQ + 1, 2, 64>>
    return %h, %c1 : tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>, !rlx.kv_cache
  }

  // CHECK: rlx.variant @generic calls @prefill role prefill seq 1 to 512 past 0 to 8191
  rlx.variant @generic calls @prefill role prefill seq 1 to 512 past 0 to 8191
  // CHECK: rlx.variant @decode_1024 calls @decode role decode seq 1 to 1 past 1 to 1024
  rlx.variant @decode_1024 calls @decode role decode seq 1 to 1 past 1 to 1024
}
