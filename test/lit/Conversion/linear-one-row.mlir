// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v3 | FileCheck %s --check-prefixes=CHECK,ONE
// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni | FileCheck %s --check-prefixes=CHECK,FOUR

// A product with one token reads its weight in long streams: each thread claims ranges of
// panels, half of what is left for all threads together.

// CHECK-LABEL: func.func private @rlx_linear_q4_0_k512_n512{{.*}}_geglu_single
// CHECK: %[[PARTS:.*]]:2 = scf.while
// CHECK: %[[SEEN:.*]] = llvm.load %arg3 atomic monotonic
// CHECK: %[[LEFT:.*]] = arith.subi %c32,
// CHECK: arith.muli %arg6, %c2
// CHECK: %[[HALF:.*]] = arith.divui %[[LEFT]],
// CHECK: arith.maxui %[[HALF]], %c1
// CHECK: llvm.atomicrmw add %arg3, %{{.*}} monotonic
// CHECK: scf.condition
// Panel after panel, gate before up. A unit is 32 columns of 16 rows: 256 bytes of codes, 32 of scales.
// ONE: %[[GATE:.*]] = scf.for {{.*}} to %c512{{.*}} -> (vector<16xf32>)
// ONE-NOT: prefetch
// ONE: arith.constant 288 : index
// ONE: scf.yield
// ONE: %[[UP:.*]] = scf.for {{.*}} to %c512{{.*}} -> (vector<16xf32>)
// ONE: scf.yield
// ONE: arith.mulf %{{.*}}, %[[UP]]
// Or two gates and two ups side by side, with the five lines of a unit prefetched in each stream.
// FOUR: %[[SUMS:.*]]:4 = scf.for {{.*}} to %c512{{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// FOUR-COUNT-20: llvm.intr.prefetch
// FOUR-NOT: llvm.intr.prefetch
// FOUR: arith.constant 288 : index
// FOUR: scf.yield
// FOUR: arith.mulf %{{.*}}, %[[SUMS]]#1
// FOUR: arith.mulf %{{.*}}, %[[SUMS]]#3
// CHECK: llvm.store

!ids = tensor<?x1xi32, #rlx.dims<BATCH, 1>>
!x = tensor<?x1x512xf32, #rlx.dims<BATCH, 1, 512>>
!h = tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>
!l = tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 1>]} {
  rlx.weight @e : tensor<512x512x!rlx.quant<"q4_0">> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<512x512x!rlx.quant<"q4_0">>>]
  rlx.weight @gu : tensor<1024x512x!rlx.quant<"q4_0">> from [#rlx.source<file = "m", tensor = "gu", offset = 0, type = tensor<1024x512x!rlx.quant<"q4_0">>>]
  func.func @decode(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!l, !h, !rlx.kv_cache)
      attributes {rlx.role = "decode"} {
    %x = rlx.embedding %ids, @e : (!ids) -> !x
    %y = rlx.linear %x, @gu geglu : !x -> !x
    %h = rlx.select_rows %y from %begin : !x -> !h
    %l = rlx.linear %h, @e : !h -> !l
    return %l, %h, %cache : !l, !h, !rlx.kv_cache
  }
}
