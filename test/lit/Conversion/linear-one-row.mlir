// RUN: rlx-opt %s --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni | FileCheck %s

// A product with one token reads its weight as one stream: each thread claims ranges of
// panels, half of what is left for all threads together, and goes through them panel
// after panel, gate before up.

// CHECK-LABEL: func.func private @rlx_linear_q4_0_k512_n512{{.*}}_geglu_single
// CHECK: %[[PARTS:.*]]:2 = scf.while
// CHECK: %[[SEEN:.*]] = llvm.load %arg3 atomic monotonic
// CHECK: %[[LEFT:.*]] = arith.subi %c32,
// CHECK: arith.muli %arg6, %c2
// CHECK: %[[HALF:.*]] = arith.divui %[[LEFT]],
// CHECK: arith.maxui %[[HALF]], %c1
// CHECK: llvm.atomicrmw add %arg3, %{{.*}} monotonic
// CHECK: scf.condition
// A unit is 32 columns of 16 rows: 256 bytes of codes, 32 of scales.
// CHECK: %[[GATE:.*]] = scf.for {{.*}} to %c512{{.*}} -> (vector<16xf32>)
// CHECK: arith.constant 288 : index
// CHECK: scf.yield
// CHECK: %[[UP:.*]] = scf.for {{.*}} to %c512{{.*}} -> (vector<16xf32>)
// CHECK: scf.yield
// CHECK: arith.mulf %{{.*}}, %[[UP]]
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
