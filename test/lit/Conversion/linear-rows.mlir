// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni:tile=6x4 | FileCheck %s --check-prefixes=CHECK,AHEAD
// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni:tile=6x4:prefetch=0 | FileCheck %s --check-prefixes=CHECK,NONE

// Several tokens pass over the same panels in tiles, then in powers of two.

// CHECK-LABEL: func.func private @rlx_linear_q4_0_k512_n512{{.*}}_geglu(
// Up to eight of the passes share the prefetching of the panels that come next.
// AHEAD: %[[TWO:.*]] = arith.select %{{.*}}, %c1{{.*}}, %c2
// AHEAD: %[[FOUR:.*]] = arith.select %{{.*}}, %[[TWO]], %c4
// AHEAD: %[[SPREAD:.*]] = arith.select %{{.*}}, %[[FOUR]], %c8
// CHECK: scf.for {{.*}} step %c6
// CHECK: scf.for %[[K:.*]] = {{.*}} to %c512{{.*}} step %c32
// AHEAD: %[[TURN:.*]] = arith.andi %[[K]],
// AHEAD: %[[MINE:.*]] = arith.cmpi eq, %[[TURN]],
// AHEAD: scf.if %[[MINE]] {
// AHEAD-COUNT-20: "llvm.intr.prefetch"({{.*}}hint = 2
// AHEAD-NOT: llvm.intr.prefetch
// NONE-NOT: llvm.intr.prefetch
// CHECK: scf.for {{.*}} step %c4
// CHECK: scf.for {{.*}} to %c512{{.*}} step %c32
// CHECK: scf.for {{.*}} step %c2
// CHECK: scf.for {{.*}} to %c512{{.*}} step %c32
// CHECK: scf.for {{.*}} step %c1
// CHECK: scf.for {{.*}} to %c512{{.*}} step %c32

!ids = tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>
!x = tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
!h = tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>
!l = tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 1>]} {
  rlx.weight @e : tensor<512x512x!rlx.quant<"q4_0">> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<512x512x!rlx.quant<"q4_0">>>]
  rlx.weight @gu : tensor<1024x512x!rlx.quant<"q4_0">> from [#rlx.source<file = "m", tensor = "gu", offset = 0, type = tensor<1024x512x!rlx.quant<"q4_0">>>]
  func.func @prefill(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!l, !h, !rlx.kv_cache)
      attributes {rlx.role = "prefill"} {
    %x = rlx.embedding %ids, @e : (!ids) -> !x
    %y = rlx.linear %x, @gu geglu : !x -> !x
    %h = rlx.select_rows %y from %begin : !x -> !h
    %l = rlx.linear %h, @e : !h -> !l
    return %l, %h, %cache : !l, !h, !rlx.kv_cache
  }
}
