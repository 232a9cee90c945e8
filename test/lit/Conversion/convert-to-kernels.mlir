// RUN: rlx-opt %s --rlx-convert-to-kernels=target-cpu=x86-64-v3 | FileCheck %s
// RUN: rlx-opt %s --rlx-convert-to-kernels=target-cpu=x86-64-v3 | rlx-opt | FileCheck %s

// One fused layer: views cost nothing, kernels that do not depend on each other share
// the interval between two barriers, results are written where the runtime wants them.

// CHECK-LABEL: module
// CHECK-SAME: rlx.hidden_size = 32 : i64
// CHECK-SAME: rlx.max_context = 512 : i64
// CHECK-SAME: rlx.probes = [{function = @rlx_probe_f32, name = "f32 fma", operations = {{[0-9]+}} : i64}]
// CHECK-SAME: rlx.target = "x86-64-v3"
// CHECK-SAME: rlx.vocab_size = 64 : i64
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 16>,
                                  #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @embed : tensor<64x32xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x32xf32>>] transforms [#rlx.pack<"r16">] at 0 size 8192
  rlx.weight @qkv : tensor<64x32xf32> from [#rlx.source<file = "m", tensor = "q", offset = 0, type = tensor<64x32xf32>>] transforms [#rlx.pack<"r16">] at 8192 size 8192
  rlx.weight @o : tensor<32x32xf32> from [#rlx.source<file = "m", tensor = "o", offset = 0, type = tensor<32x32xf32>>] transforms [#rlx.pack<"r16">] at 16384 size 4096
  rlx.weight @gain : tensor<16xf32> from [#rlx.source<file = "m", tensor = "g", offset = 0, type = tensor<16xf32>>] transforms [#rlx.pack<"row">] at 20480 size 64
  rlx.weight @norm : tensor<32xf32> from [#rlx.source<file = "m", tensor = "n", offset = 0, type = tensor<32xf32>>] transforms [#rlx.pack<"row">] at 20544 size 128
  rlx.kv_slot @kv0 heads 1 head_dim 16 type f32 window 0

  // CHECK: rlx.variant @generic
  // CHECK-SAME: rlx.batch_max = 1 : i64
  // CHECK-SAME: rlx.out_max = 4 : i64
  // CHECK-SAME: rlx.stages = [{kind = "embedding f32", name = "embedding embed f32", row_bytes = 128 : i64}
  // CHECK-SAME: {kind = "linear f32", name = "linear qkv f32 32x64", probe = 0 : i64, row_operations = 4096 : i64, weight_bytes = 8192 : i64}
  // CHECK-SAME: {key_operations = 128 : i64, kind = "attention", kv_slot = 0 : i64, name = "attention", probe = 0 : i64}
  // CHECK-SAME: {kind = "head f32", name = "head embed f32 32x64", out_rows, probe = 0 : i64, row_operations = 4096 : i64, weight_bytes = 8192 : i64}]
  // CHECK-SAME: rlx.workspace_bytes = 12544 : i64
  rlx.variant @generic calls @prefill role prefill seq 1 to 16 past 0 to 511

  // CHECK-LABEL: func.func @prefill(
  // CHECK-SAME: %[[ARGS:.*]]: !llvm.ptr, %[[THREAD:.*]]: i32, %[[THREADS:.*]]: i32)
  func.func @prefill(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %cache: !rlx.kv_cache, %begin: index)
      -> (tensor<?x?x64xf32, #rlx.dims<BATCH, OUT, 64>>, tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>, !rlx.kv_cache)
      attributes {rlx.role = "prefill", rlx.counters = array<i64: 12288, 4>, rlx.workspace_bytes = 12544 : i64} {
    // CHECK: llvm.mlir.constant(32 : i64)
    // CHECK: %[[SEQUENCES:.*]] = llvm.load
    // CHECK: llvm.mlir.constant(40 : i64)
    // CHECK: %[[WEIGHTS:.*]] = llvm.load
    // CHECK: llvm.mlir.constant(48 : i64)
    // CHECK: %[[WORKSPACE:.*]] = llvm.load
    // CHECK: llvm.mlir.constant(56 : i64)
    // CHECK: %[[LOGITS:.*]] = llvm.load
    // CHECK: llvm.mlir.constant(64 : i64)
    // CHECK: %[[HIDDEN:.*]] = llvm.load
    // CHECK: llvm.mlir.constant(72 : i64)
    // CHECK: %[[BARRIER:.*]] = llvm.load
    // CHECK: llvm.mlir.constant(80 : i64)
    // CHECK: %[[CONTEXT:.*]] = llvm.load
    // CHECK: %[[T:.*]] = arith.index_castui %[[THREAD]]
    // CHECK: %[[N:.*]] = arith.index_castui %[[THREADS]]

    // Embedding and angles are independent.
    // CHECK-NOT: llvm.call
    // CHECK: %[[STAGE:.*]] = llvm.mlir.constant(0 : i32)
    // CHECK: call @rlx_begin_stage(%[[ARGS]], %[[STAGE]], %[[THREAD]])
    // CHECK-NEXT: call @rlx_embedding{{.*}}(%[[WEIGHTS]], %[[WORKSPACE]], %[[SEQUENCES]], {{.*}}, %[[T]], %[[N]])
    // CHECK-NOT: llvm.call
    // CHECK: call @rlx_rope_angles
    %x = rlx.embedding %ids, @embed {scale = 2.0 : f32, rlx.offsets = array<i64: 0>} : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
    %pos = rlx.positions %cache {rlx.offsets = array<i64: -1>} : tensor<?x?xi64, #rlx.dims<BATCH, SEQ>>
    %cs = rlx.rope_angles %pos rope <base = 1.0e+04 : f64, dim = 16> {rlx.offsets = array<i64: 8192>} : tensor<?x?xi64, #rlx.dims<BATCH, SEQ>> -> tensor<?x?x2x8xf32, #rlx.dims<BATCH, SEQ, 2, 8>>
    // CHECK-NEXT: {{.*}}constant{{.*}}8192
    // CHECK: llvm.call %[[BARRIER]](%[[CONTEXT]]) : !llvm.ptr, (!llvm.ptr) -> ()
    // CHECK: call @rlx_linear
    %qkv = rlx.linear %x, @qkv {rlx.offsets = array<i64: 2048>} : tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>> -> tensor<?x?x64xf32, #rlx.dims<BATCH, SEQ, 64>>
    %q, %k, %v = rlx.split_heads %qkv {rlx.offsets = array<i64: -1, -1, -1>} : tensor<?x?x64xf32, #rlx.dims<BATCH, SEQ, 64>> -> tensor<?x?x2x16xf32, #rlx.dims<BATCH, SEQ, 2, 16>>, tensor<?x?x1x16xf32, #rlx.dims<BATCH, SEQ, 1, 16>>, tensor<?x?x1x16xf32, #rlx.dims<BATCH, SEQ, 1, 16>>
    // CHECK: llvm.call %[[BARRIER]]
    // CHECK: call @rlx_rms_norm
    // CHECK-NOT: llvm.call
    // CHECK: call @rlx_kv_append
    %qn = rlx.rms_norm %q, @gain gain plain eps 1.0e-06 {rlx.offsets = array<i64: 6144>} : tensor<?x?x2x16xf32, #rlx.dims<BATCH, SEQ, 2, 16>> -> tensor<?x?x2x16xf32, #rlx.dims<BATCH, SEQ, 2, 16>>
    %c1 = rlx.rope_append %cache, @kv0, %k, %v, %cs {rlx.offsets = array<i64: -1>} : tensor<?x?x1x16xf32, #rlx.dims<BATCH, SEQ, 1, 16>>, tensor<?x?x1x16xf32, #rlx.dims<BATCH, SEQ, 1, 16>>, tensor<?x?x2x8xf32, #rlx.dims<BATCH, SEQ, 2, 8>>
    // In place.
    // CHECK: llvm.call %[[BARRIER]]
    // CHECK: call @rlx_rope
    %qr = rlx.rope %qn, %cs {rlx.offsets = array<i64: 6144>} : tensor<?x?x2x16xf32, #rlx.dims<BATCH, SEQ, 2, 16>>, tensor<?x?x2x8xf32, #rlx.dims<BATCH, SEQ, 2, 8>> -> tensor<?x?x2x16xf32, #rlx.dims<BATCH, SEQ, 2, 16>>
    // CHECK: llvm.call %[[BARRIER]]
    // CHECK: call @rlx_attention
    %o = rlx.cached_attention %qr, %c1, @kv0 mask causal scale 2.5e-01 {rlx.offsets = array<i64: 2048>} : tensor<?x?x2x16xf32, #rlx.dims<BATCH, SEQ, 2, 16>> -> tensor<?x?x2x16xf32, #rlx.dims<BATCH, SEQ, 2, 16>>
    %m = rlx.merge_heads %o {rlx.offsets = array<i64: -1>} : tensor<?x?x2x16xf32, #rlx.dims<BATCH, SEQ, 2, 16>> -> tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
    // CHECK: llvm.call %[[BARRIER]]
    // CHECK: call @rlx_linear
    %y = rlx.linear %m, @o residual(%x : tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>) {rlx.offsets = array<i64: 0>} : tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>> -> tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>>
    // CHECK: llvm.call %[[BARRIER]]
    // CHECK: call @rlx_select_rows
    %s = rlx.select_rows %y from %begin {rlx.offsets = array<i64: 2048>} : tensor<?x?x32xf32, #rlx.dims<BATCH, SEQ, 32>> -> tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
    // CHECK: llvm.call %[[BARRIER]]
    // CHECK: call @rlx_rms_norm{{.*}}(%{{.*}}, %{{.*}}, %[[HIDDEN]],
    %h = rlx.rms_norm %s, @norm gain plain eps 1.0e-06 {rlx.offsets = array<i64: -1>} : tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>> -> tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>
    // CHECK: llvm.call %[[BARRIER]]
    // CHECK: call @rlx_linear{{.*}}(%[[WEIGHTS]], %[[HIDDEN]], %[[LOGITS]],
    // CHECK-NOT: llvm.call
    // CHECK-NOT: rlx.{{[a-z_]+}} %
    // CHECK: return
    %l = rlx.linear %h, @embed {rlx.offsets = array<i64: -1>} : tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>> -> tensor<?x?x64xf32, #rlx.dims<BATCH, OUT, 64>>
    return %l, %h, %c1 : tensor<?x?x64xf32, #rlx.dims<BATCH, OUT, 64>>, tensor<?x?x32xf32, #rlx.dims<BATCH, OUT, 32>>, !rlx.kv_cache
  }
}
