// RUN: rlx-opt %s --rlx-pack-weights --rlx-screen-head --rlx-assign-weight-layout --rlx-plan-memory \
// RUN:   --rlx-convert-to-kernels=target-cpu=x86-64-v4+vnni | FileCheck %s

// The head of decode: a product with the coarse copy where the step asks for the greatest logits,
// the bounds of its panels, the threshold, and the product of what reaches it. A thread claims parts
// of both products.

// CHECK-LABEL: func.func @decode(
// CHECK: %[[TOP:.*]] = arith.muli
// CHECK: %[[ROWS:.*]] = arith.minui %[[TOP]], %c1
// CHECK: call @rlx_linear_q4_0_k512_n512_{{.*}}_single({{.*}}, %[[ROWS]],
// CHECK: llvm.call %{{.*}}(%{{.*}}) : !llvm.ptr
// CHECK: call @rlx_screen_bounds_k512_n512({{.*}}, %[[TOP]],
// CHECK: llvm.call %{{.*}}(%{{.*}}) : !llvm.ptr
// CHECK: call @rlx_screen_select_n512({{.*}}, %[[TOP]],
// CHECK: llvm.call %{{.*}}(%{{.*}}) : !llvm.ptr
// CHECK: call @rlx_linear_q8_0_k512_n512_{{.*}}_screened_single(

// Only those stages that the step would do without are of the greatest logits.
// CHECK: rlx.variant @one
// CHECK-SAME: {kind = "screen q4_0", name = "screen e q4_0 512x512", of_top, {{[^}]*}}}, {kind = "screen bounds", name = "screen bounds e", of_top, {{[^}]*}}}, {kind = "screen select", name = "screen select e", of_top}, {kind = "head q8_0", name = "head e q8_0 512x512", out_rows,

// CHECK-LABEL: func.func private @rlx_linear_q8_0_k512_n512{{.*}}_screened_single
// CHECK: %[[THRESHOLD:.*]] = llvm.load %arg3
// CHECK: arith.cmpi eq, %[[THRESHOLD]], %c-2147483648_i32
// CHECK: scf.if
// Everything, as if there were no screen; or panel by panel.
// CHECK: scf.while
// CHECK: } else {
// CHECK: scf.while
// CHECK: arith.cmpi sge, %{{.*}}, %[[THRESHOLD]]
// CHECK: scf.if
// CHECK: } else {
// CHECK: llvm.store %{{.*}} : vector<16xf32>

!ids = tensor<?x1xi32, #rlx.dims<BATCH, 1>>
!x = tensor<?x1x512xf32, #rlx.dims<BATCH, 1, 512>>
!h = tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>
!l = tensor<?x?x512xf32, #rlx.dims<BATCH, OUT, 512>>
module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>, #rlx.symbol<"PAST_SEQ", 0, 511>, #rlx.symbol<"OUT", 0, 1>]} {
  rlx.weight @e : tensor<512x512x!rlx.quant<"q8_0">> from [#rlx.source<file = "m", tensor = "e", offset = 0, type = tensor<512x512x!rlx.quant<"q8_0">>>]
  func.func @decode(%ids: !ids, %cache: !rlx.kv_cache, %begin: index) -> (!l, !h, !rlx.kv_cache)
      attributes {rlx.role = "decode"} {
    %x = rlx.embedding %ids, @e : (!ids) -> !x
    %h = rlx.select_rows %x from %begin : !x -> !h
    %l = rlx.linear %h, @e : !h -> !l
    return %l, %h, %cache : !l, !h, !rlx.kv_cache
  }
  rlx.variant @one calls @decode role decode seq 1 to 1 past 0 to 511
}
