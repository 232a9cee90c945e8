// RUN: rlx-opt %s --rlx-emit-model-table | FileCheck %s
// RUN: rlx-opt %s --rlx-emit-model-table | rlx-opt | FileCheck %s

// CHECK-LABEL: module
module attributes {rlx.target = "x86-64-v3", rlx.vocab_size = 50 : i64, rlx.hidden_size = 32 : i64,
                   rlx.max_context = 512 : i64, rlx.weights_bytes = 3520 : i64,
                   rlx.probes = [{name = "f32 fma", operations = 512 : i64, function = @rlx_probe_f32}]} {
  // CHECK: rlx.weight @embed
  rlx.weight @embed : tensor<50x32xbf16> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<50x32xbf16>>] transforms [#rlx.pack<"r16">] at 0 size 3456
  rlx.kv_slot @kv0 heads 1 head_dim 64 type bf16 window 128
  rlx.variant @generic calls @prefill role prefill seq 1 to 16 past 0 to 511 {rlx.batch_max = 1 : i64, rlx.out_max = 4 : i64, rlx.workspace_bytes = 8192 : i64,
      rlx.stages = [{name = "attention layer 3", kind = "attention", layer = 3 : i64, kv_slot = 0 : i64, probe = 0 : i64, key_operations = 256 : i64},
                    {name = "head f32 4x8", kind = "head f32", out_rows, weight_bytes = 77 : i64, row_bytes = 5 : i64, row_operations = 64 : i64}]}
  // The same stages: one table.
  rlx.variant @decode calls @prefill role decode seq 1 to 1 past 0 to 511 {rlx.batch_max = 1 : i64, rlx.out_max = 1 : i64, rlx.workspace_bytes = 8192 : i64,
      rlx.stages = [{name = "attention layer 3", kind = "attention", layer = 3 : i64, kv_slot = 0 : i64, probe = 0 : i64, key_operations = 256 : i64},
                    {name = "head f32 4x8", kind = "head f32", out_rows, weight_bytes = 77 : i64, row_bytes = 5 : i64, row_operations = 64 : i64}]}
  llvm.func @prefill(%args: !llvm.ptr, %thread: i32, %threads: i32) {
    llvm.return
  }
  llvm.func @rlx_probe_f32(%memory: !llvm.ptr, %rounds: i64) {
    llvm.return
  }

  // CHECK: llvm.mlir.global internal constant @rlx_model() {{.*}} : !llvm.struct<(i32, i32, ptr, i64, i64, i64, i64, array<32 x i8>, i32, i32, i32, i32, ptr, ptr, ptr, ptr)>
  // CHECK: llvm.mlir.constant(4 : i32)
  // CHECK: llvm.mlir.constant(128 : i32)
  // CHECK: llvm.mlir.addressof @[[TARGET:rlx_text_[0-9]+]]
  // CHECK: llvm.mlir.constant(50 : i64)
  // CHECK: llvm.mlir.constant(32 : i64)
  // CHECK: llvm.mlir.constant(512 : i64)
  // CHECK: llvm.mlir.constant(3520 : i64)
  // CHECK: llvm.mlir.addressof @rlx_kv_slots
  // CHECK: llvm.mlir.addressof @rlx_variants
  // CHECK: llvm.mlir.addressof @rlx_weights
  // CHECK: llvm.mlir.addressof @rlx_probes
  // CHECK: llvm.mlir.global internal constant @[[TARGET]]("x86-64-v3\00")

  // Heads, head_dim, type (bf16 is 2) and window.
  // CHECK: llvm.mlir.global internal constant @rlx_kv_slots() {{.*}} : !llvm.array<1 x struct<(i32, i32, i32, i32)>>
  // CHECK: llvm.mlir.constant(1 : i32)
  // CHECK-NEXT: llvm.mlir.constant(64 : i32)
  // CHECK-NEXT: llvm.mlir.constant(2 : i32)
  // CHECK-NEXT: llvm.mlir.constant(128 : i32)

  // CHECK: llvm.mlir.global internal constant @rlx_variants()
  // CHECK: llvm.mlir.addressof @[[NAME:rlx_text_[0-9]+]]
  // CHECK-NEXT: llvm.mlir.constant(0 : i32)
  // CHECK-NEXT: llvm.mlir.constant(1 : i32)
  // CHECK-NEXT: llvm.mlir.constant(1 : i64)
  // CHECK-NEXT: llvm.mlir.constant(16 : i64)
  // CHECK-NEXT: llvm.mlir.constant(0 : i64)
  // CHECK-NEXT: llvm.mlir.constant(511 : i64)
  // CHECK-NEXT: llvm.mlir.constant(4 : i64)
  // CHECK-NEXT: llvm.mlir.constant(8192 : i64)
  // CHECK-NEXT: llvm.mlir.addressof @prefill
  // CHECK-NEXT: llvm.mlir.addressof @rlx_stages_0
  // CHECK-NEXT: llvm.mlir.constant(2 : i64)
  // CHECK: llvm.mlir.addressof @prefill
  // CHECK-NEXT: llvm.mlir.addressof @rlx_stages_0
  // CHECK: llvm.mlir.global internal constant @[[NAME]]("generic\00")

  // Name, kind, layer, rows, slot, probe; bytes and operations.
  // CHECK: llvm.mlir.global internal constant @rlx_stages_0() {{.*}} : !llvm.array<2 x struct<(ptr, ptr, i32, i32, i32, i32, i64, i64, i64, i64)>>
  // CHECK: llvm.mlir.constant(3 : i32)
  // CHECK-NEXT: llvm.mlir.constant(0 : i32)
  // CHECK-NEXT: llvm.mlir.constant(0 : i32)
  // CHECK-NEXT: llvm.mlir.constant(0 : i32)
  // CHECK-NEXT: llvm.mlir.constant(0 : i64)
  // CHECK-NEXT: llvm.mlir.constant(0 : i64)
  // CHECK-NEXT: llvm.mlir.constant(0 : i64)
  // CHECK-NEXT: llvm.mlir.constant(256 : i64)
  // CHECK: llvm.mlir.constant(-1 : i32)
  // CHECK-NEXT: llvm.mlir.constant(1 : i32)
  // CHECK-NEXT: llvm.mlir.constant(-1 : i32)
  // CHECK-NEXT: llvm.mlir.constant(-1 : i32)
  // CHECK-NEXT: llvm.mlir.constant(77 : i64)
  // CHECK-NEXT: llvm.mlir.constant(5 : i64)
  // CHECK-NEXT: llvm.mlir.constant(64 : i64)
  // CHECK-NEXT: llvm.mlir.constant(0 : i64)

  // CHECK: llvm.mlir.global internal constant @rlx_weights()
  // CHECK: llvm.mlir.addressof @[[EMBED:rlx_text_[0-9]+]]
  // CHECK: llvm.mlir.addressof @[[BF16:rlx_text_[0-9]+]]
  // CHECK: llvm.mlir.addressof @[[R16:rlx_text_[0-9]+]]
  // CHECK-NEXT: llvm.mlir.constant(0 : i64)
  // CHECK-NEXT: llvm.mlir.constant(3456 : i64)
  // CHECK: @[[EMBED]]("embed\00")
  // CHECK: @[[BF16]]("bf16\00")
  // CHECK: @[[R16]]("r16\00")

  // CHECK: llvm.mlir.global internal constant @rlx_probes()
  // CHECK: llvm.mlir.constant(512 : i64)
  // CHECK-NEXT: llvm.mlir.addressof @rlx_probe_f32

  // CHECK-LABEL: llvm.func @rlx_query(
  // CHECK-SAME: %[[VERSION:.*]]: i32) -> !llvm.ptr
  // CHECK: llvm.icmp "eq" %[[VERSION]]
  // CHECK: llvm.mlir.addressof @rlx_model
}
