//===- Passes.td - Conversion passes -----------------------*- tablegen -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The passes from RLX to the LLVM dialect, in the order in which they run.

#ifndef RLX_CONVERSION_PASSES_TD
#define RLX_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def AssignWeightLayout : Pass<"rlx-assign-weight-layout", "::mlir::ModuleOp"> {
  let summary = "gives each weight its layout and its place in the packed weights";
  let description = [{
    A weight without `#rlx.pack` gets one as its last transform: `r16` for
    matrices, `row` for vectors. Weights are then placed one after another in
    module order, each on a multiple of 64 bytes; the module attribute
    `rlx.weights_bytes` holds the sum.

    ```mlir
    rlx.weight @norm : tensor<100xf32> from [#rlx.source<…>]
    rlx.weight @q : tensor<32x64xbf16> from [#rlx.source<…>]
    // becomes
    rlx.weight @norm : tensor<100xf32> from [#rlx.source<…>]
      transforms [#rlx.pack<"row">] at 0 size 400
    rlx.weight @q : tensor<32x64xbf16> from [#rlx.source<…>]
      transforms [#rlx.pack<"r16">] at 448 size 4096
    ```
  }];
  let dependentDialects = ["::rlx::RLXDialect"];
}

def ConvertToKernels : Pass<"rlx-convert-to-kernels", "::mlir::ModuleOp"> {
  let summary = "turns forward functions into step functions that call kernels";
  let description = [{
    Every function with `rlx.role` becomes a `rlx_step_fn` (rlx/runtime/abi.h): it
    reads the step's arguments, then calls one or two kernels for each op, with a
    barrier only before a kernel that touches memory which an earlier kernel since
    the last barrier wrote (or writes what one read). Values lie where memory
    planning put them; the function's results go to the step's outputs; split,
    split_heads, merge_heads, positions and kv_read are views and cost nothing.

    Before each kernel it calls `rlx_begin_stage`, which tells the step's hook, if
    the runtime gives one, which stage a thread begins. What the stages are goes to
    the variants' `rlx.stages`, loops that measure the peak of what multiplies to
    the module's `rlx.probes`.

    The functions must be planned (`rlx.offsets`, `rlx.scratch`,
    `rlx.workspace_bytes`) and the weights placed (rlx-assign-weight-layout).

    ```mlir
    func.func @decode(%ids: tensor<…>, %cache: !rlx.kv_cache, %begin: index) -> (…)
        attributes {rlx.role = "decode", rlx.workspace_bytes = 4096 : i64} {
      %x = rlx.embedding %ids, @embed {rlx.offsets = array<i64: 0>} : …
      %y = rlx.linear %x, @w {rlx.offsets = array<i64: 1024>} : …
    // becomes
    func.func @decode(%args: !llvm.ptr, %thread: i32, %threads: i32) {
      …
      call @rlx_begin_stage(%args, %c0, %thread) : …
      call @embedding_…(%embed, %x, %sequences, %batch, %seq, %t, %n) : …
      llvm.call %barrier(%context) : !llvm.ptr, (!llvm.ptr) -> ()
      call @rlx_begin_stage(%args, %c1, %thread) : …
      call @linear_…(%w, %x, %y, %rows, %t, %n) : …
    ```
  }];
  let options = [
    Option<"targetCpu", "target-cpu", "std::string", "\"native\"",
           "the CPU to generate code for, as --target-cpu of rlx-compile">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::rlx::RLXDialect",
                           "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::scf::SCFDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def EmitModelTable : Pass<"rlx-emit-model-table", "::mlir::ModuleOp"> {
  let summary = "builds the model table and the query function";
  let description = [{
    Makes the static data of rlx/runtime/abi.h out of the `rlx.kv_slot`,
    `rlx.variant` and `rlx.weight` ops, which stay, and of the module attributes
    `rlx.target`, `rlx.vocab_size`, `rlx.hidden_size`, `rlx.max_context`,
    `rlx.weights_bytes` and `rlx.probes`. Variants with equal `rlx.stages` share
    one stage table. The functions of the variants must be `llvm.func`.
    The hash of the weights is zero until the object is linked.

    ```mlir
    rlx.variant @decode_1 calls @decode role decode seq 1 to 1 past 0 to 8191
    // gives, among others,
    llvm.mlir.global internal constant @rlx_model() : !llvm.struct<(…)> {…}
    llvm.func @rlx_query(%version: i32) -> !llvm.ptr {…}
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::rlx::RLXDialect"];
}

#endif // RLX_CONVERSION_PASSES_TD
