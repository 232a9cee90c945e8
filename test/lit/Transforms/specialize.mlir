// RUN: rlx-opt %s --rlx-specialize --rlx-verify-stage=stage=specialize | FileCheck %s
// RUN: rlx-opt %s --rlx-specialize="prefill-seq-min=2 prefill-seq-max=16 decode-past-min=32 decode-past-max=64" \
// RUN:   --rlx-verify-stage=stage=specialize | FileCheck %s --check-prefix=LADDER
// RUN: rlx-opt %s --rlx-specialize="decode=false prefill-seq-min=4 prefill-seq-max=4 prefill-past-min=16 prefill-past-max=16" \
// RUN:   | FileCheck %s --check-prefix=BOTH
// RUN: not rlx-opt %s --rlx-specialize="prefill-seq-min=3 prefill-seq-max=8" 2>&1 | FileCheck %s --check-prefix=POWER
// RUN: not rlx-opt %s --rlx-specialize --rlx-specialize 2>&1 | FileCheck %s --check-prefix=TWICE

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>
!y = tensor<?x?x8xf32, #rlx.dims<BATCH, OUT, 8>>

// POWER: error: expected prefill-seq-min and prefill-seq-max to be powers of two, ascending, but got 3 and 8
// TWICE: error: 'rlx.variant' op expected a module without variants
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @e : tensor<64x8xf32> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<64x8xf32>>]

  // CHECK: rlx.variant @decode calls @forward_decode role decode seq 1 to 1 past 0 to 99 {rlx.batch_max = 1 : i64, rlx.out_max = 1 : i64}
  // CHECK-NEXT: rlx.variant @generic calls @forward_generic role prefill seq 1 to 8 past 0 to 99 {rlx.batch_max = 1 : i64, rlx.out_max = 4 : i64}
  // CHECK-NEXT: func.func @forward_decode(%{{.*}}: tensor<?x1xi32, #rlx.dims<BATCH, 1>>
  // CHECK-SAME: rlx.role = "decode", rlx.symbols = [#rlx.symbol<"SEQ", 1, 1>, #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 1>]
  // CHECK-NEXT: rlx.embedding {{.*}} -> tensor<?x1x8xf32, #rlx.dims<BATCH, 1, 8>>
  // CHECK: func.func @forward_generic(%{{.*}}: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
  // CHECK-SAME: rlx.role = "prefill", rlx.symbols = [#rlx.symbol<"SEQ", 1, 8>, #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]
  // CHECK-NOT: func.func

  // The rungs 8 and 16 are not below the largest SEQ.
  // LADDER: rlx.variant @decode_past_le_32 {{.*}} role decode seq 1 to 1 past 0 to 32
  // LADDER-NEXT: rlx.variant @decode_past_le_64 {{.*}} role decode seq 1 to 1 past 0 to 64
  // LADDER-NEXT: rlx.variant @decode {{.*}} past 0 to 99
  // LADDER-NEXT: rlx.variant @prefill_seq_le_2 calls @forward_prefill_seq_le_2 role prefill seq 1 to 2 past 0 to 99 {rlx.batch_max = 1 : i64, rlx.out_max = 2 : i64}
  // LADDER-NEXT: rlx.variant @prefill_seq_le_4 {{.*}} role prefill seq 1 to 4 past 0 to 99
  // LADDER-NEXT: rlx.variant @generic {{.*}} role prefill seq 1 to 8 past 0 to 99
  // LADDER-NEXT: func.func
  // LADDER: func.func @forward_prefill_seq_le_2
  // LADDER-SAME: [#rlx.symbol<"SEQ", 1, 2>, #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 2>]

  // BOTH-NOT: role decode
  // BOTH: rlx.variant @prefill_seq_le_4_past_le_16 {{.*}} seq 1 to 4 past 0 to 16
  // BOTH-NEXT: rlx.variant @prefill_seq_le_4 {{.*}} seq 1 to 4 past 0 to 99
  // BOTH-NEXT: rlx.variant @prefill_past_le_16 {{.*}} seq 1 to 8 past 0 to 16
  // BOTH-NEXT: rlx.variant @generic
  func.func @prefill(%ids: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>, %c: !rlx.kv_cache, %b: index) -> (!y, !rlx.kv_cache) attributes {rlx.role = "prefill"} {
    %0 = rlx.embedding %ids, @e : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> !x8
    %1 = rlx.select_rows %0 from %b : !x8 -> !y
    return %1, %c : !y, !rlx.kv_cache
  }
}
