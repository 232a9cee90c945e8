//===- Passes.td - RLX to RLX passes -----------------------*- tablegen -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The passes that rewrite RLX modules, in the order of the phases.

#ifndef RLX_TRANSFORMS_PASSES_TD
#define RLX_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

class RLX_ModulePass<string flag> : Pass<flag, "::mlir::ModuleOp"> {
  let dependentDialects = ["::rlx::RLXDialect", "::mlir::func::FuncDialect"];
}

/// A pass over the forward functions of one role, or of all.
class RLX_FusionPass<string flag> : RLX_ModulePass<flag> {
  let options = [Option<"role", "role", "std::string", "\"\"",
                        "rewrite functions of this role only: prefill or decode">];
}

//===----------------------------------------------------------------------===//
// Fusion
//===----------------------------------------------------------------------===//

def FuseQkv : RLX_FusionPass<"rlx-fuse-qkv"> {
  let summary = "makes one linear of those that project one input to heads";
  let description = [{
    Linears of one input whose results are only split into heads become one
    linear over the concatenation of their weights, so that the input is read
    once. Weights that differ in element type or transforms are not put
    together.

    ```mlir
    %0 = rlx.linear %x, @l0.q : …
    %q = rlx.split_heads %0 : …
    %1 = rlx.linear %x, @l0.k : …
    %k = rlx.split_heads %1 : …
    // becomes
    %0 = rlx.linear %x, @l0.q_k : …
    %q, %k = rlx.split_heads %0 : …
    ```
  }];
}

def FuseGeglu : RLX_FusionPass<"rlx-fuse-geglu"> {
  let summary = "makes rlx.geglu of a product with a GELU";
  let description = [{
    ```mlir
    %0 = rlx.gelu %gate : …
    %y = rlx.mul %0, %up : …
    // becomes
    %y = rlx.geglu %gate, %up : …
    ```
  }];
}

def FuseGateUp : RLX_FusionPass<"rlx-fuse-gate-up"> {
  let summary = "computes gate, up and their gated GELU in one linear";
  let description = [{
    The two linears that feed an rlx.geglu become one whose weight interleaves
    their rows 16 by 16, with the gated GELU as its epilogue. The number of rows
    must be a multiple of 16.

    ```mlir
    %0 = rlx.linear %x, @l0.gate : …
    %1 = rlx.linear %x, @l0.up : …
    %y = rlx.geglu %0, %1 : …
    // becomes
    %y = rlx.linear %x, @l0.gate_up geglu : …
    ```
  }];
}

def FuseNormIntoLinear : RLX_FusionPass<"rlx-fuse-norm-into-linear"> {
  let summary = "lets linears normalise their input themselves";
  let description = [{
    A norm that only linears read becomes part of each of them. A `one_plus`
    gain is made plain first: `1 + g` becomes a transform of the weight.

    ```mlir
    %0 = rlx.rms_norm %x, @l0.norm gain plain eps 1.0e-06 : …
    %y = rlx.linear %0, @l0.qkv : …
    // becomes
    %y = rlx.linear %x, @l0.qkv norm(@l0.norm, 1.0e-06) : …
    ```
  }];
}

def FuseEpilogues : RLX_FusionPass<"rlx-fuse-epilogues"> {
  let summary = "moves soft caps and residual sums into linears and norms";
  let description = [{
    A soft cap or a sum whose operand is a linear (a sum also: a norm) that
    nothing else reads is computed while that operand's tile is in registers.

    ```mlir
    %0 = rlx.linear %x, @l0.o : …
    %y = rlx.add %r, %0 : …
    // becomes
    %y = rlx.linear %x, @l0.o residual(%r : …) : …
    ```
  }];
}

def FuseRopeAppend : RLX_FusionPass<"rlx-fuse-rope-append"> {
  let summary = "rotates keys on their way into the cache";
  let description = [{
    ```mlir
    %0 = rlx.rope %k, %cs : …
    %c1 = rlx.kv_append %c0, @kv0, %0, %v : …
    // becomes
    %c1 = rlx.rope_append %c0, @kv0, %k, %v, %cs : …
    ```
  }];
}

def FuseAttention : RLX_FusionPass<"rlx-fuse-attention"> {
  let summary = "lets attention stream over the cache";
  let description = [{
    Attention over the keys and values that one rlx.kv_read returns becomes one
    op over the cache, unless a later state of the cache was made in between.

    ```mlir
    %k, %v = rlx.kv_read %c1, @kv0 : …
    %y = rlx.attention %q, %k, %v mask causal scale 0.125 : …
    // becomes
    %y = rlx.cached_attention %q, %c1, @kv0 mask causal scale 0.125 : …
    ```
  }];
}

def Decompose : RLX_FusionPass<"rlx-decompose"> {
  let summary = "takes every fused op apart; the inverse of the fusion passes";
  let description = [{
    Fused weights that have not been laid out become one weight for each of
    their sources again, under the names that they had.

    ```mlir
    %y = rlx.linear %x, @l0.gate_up norm(@l0.norm, 1.0e-06) geglu : …
    // becomes
    %0 = rlx.rms_norm %x, @l0.norm gain plain eps 1.0e-06 : …
    %1 = rlx.linear %0, @l0.gate : …
    %2 = rlx.linear %0, @l0.up : …
    %3 = rlx.gelu %1 : …
    %y = rlx.mul %3, %2 : …
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Constant folding
//===----------------------------------------------------------------------===//

def FoldConstants : RLX_ModulePass<"rlx-fold-constants"> {
  let summary = "computes at compile time what does not depend on the tokens";
  let description = [{
    - `one_plus` gains become `plain`: the weight gets `#rlx.add_scalar<1.0>`,
      whose result is f32;
    - an rlx.scale of an unscaled embedding becomes the embedding's scale;
    - scales by one disappear.

    ```mlir
    rlx.weight @norm : tensor<64xbf16> from […]
    %0 = rlx.embedding %ids, @embed : …
    %1 = rlx.scale %0 by 8.0 : …
    %y = rlx.rms_norm %1, @norm gain one_plus eps 1.0e-06 : …
    // becomes
    rlx.weight @norm.plain : tensor<64xf32> from […]
      transforms [#rlx.add_scalar<1.0 : f32>]
    %1 = rlx.embedding %ids, @embed {scale = 8.0 : f32} : …
    %y = rlx.rms_norm %1, @norm.plain gain plain eps 1.0e-06 : …
    ```
  }];
}

def ShareRopeAngles : RLX_ModulePass<"rlx-share-rope-angles"> {
  let summary = "computes the angles of each distinct rope once per step";
  let description = [{
    PAST_SEQ does not change within a step, so positions are the same for every
    state of the cache: all rlx.rope_angles of a function with equal frequencies
    are one, at the function's start.

    ```mlir
    %p0 = rlx.positions %c0 : …
    %a0 = rlx.rope_angles %p0 rope <base = 1.0e+04 : f64, dim = 64> : …
    %p1 = rlx.positions %c1 : …
    %a1 = rlx.rope_angles %p1 rope <base = 1.0e+04 : f64, dim = 64> : …
    // becomes
    %p0 = rlx.positions %c0 : …
    %a0 = rlx.rope_angles %p0 rope <base = 1.0e+04 : f64, dim = 64> : …
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Specialisation
//===----------------------------------------------------------------------===//

def BindSymbol : RLX_ModulePass<"rlx-bind-symbol"> {
  let summary = "replaces a symbolic size by a constant";
  let description = [{
    In every type of every function (or of `function` alone); the
    symbol's range shrinks to the value, which must lie in it.

    ```mlir
    // rlx-bind-symbol{symbol=SEQ value=1}
    tensor<?x?x64xf32, #rlx.dims<BATCH, SEQ, 64>>
    // becomes
    tensor<?x1x64xf32, #rlx.dims<BATCH, 1, 64>>
    ```
  }];
  let options = [
    Option<"symbol", "symbol", "std::string", "\"\"", "the symbol to replace">,
    Option<"value", "value", "int64_t", "1", "its value">,
    Option<"function", "function", "std::string", "\"\"", "rewrite this function only">
  ];
}

def Specialize : RLX_ModulePass<"rlx-specialize"> {
  let summary = "makes the variants of the forward functions and the dispatch table";
  let description = [{
    Each variant is a clone of its role's function with narrowed symbol ranges;
    a symbol whose range is one value is replaced by it. Ladders are the powers
    of two from a minimum to a maximum (0: no ladder); a rung that does not
    narrow the range is left out. `generic` (role prefill, every SEQ and
    PAST_SEQ) always exists, and so does `decode` unless switched off; without a
    decode function it is made from the prefill function. Variants are listed
    narrowest first.

    ```mlir
    func.func @prefill(…) attributes {rlx.role = "prefill"}
    // rlx-specialize{prefill-seq-min=64 prefill-seq-max=64} gives
    rlx.variant @decode calls @forward_decode role decode seq 1 to 1 past 0 to 8191
    rlx.variant @prefill_seq_le_64 calls @forward_prefill_seq_le_64 role prefill
      seq 1 to 64 past 0 to 8191
    rlx.variant @generic calls @forward_generic role prefill seq 1 to 512 past 0 to 8191
    func.func @forward_decode(…) attributes {rlx.role = "decode", rlx.symbols = […]}
    func.func @forward_prefill_seq_le_64(…) attributes {rlx.role = "prefill", rlx.symbols = […]}
    func.func @forward_generic(…) attributes {rlx.role = "prefill", rlx.symbols = […]}
    ```
  }];
  let options = [
    Option<"decode", "decode", "bool", "true", "make variants for SEQ = 1">,
    Option<"prefillSeqMin", "prefill-seq-min", "int64_t", "0", "first SEQ rung of prefill">,
    Option<"prefillSeqMax", "prefill-seq-max", "int64_t", "0", "last SEQ rung of prefill">,
    Option<"prefillPastMin", "prefill-past-min", "int64_t", "0", "first PAST_SEQ rung of prefill">,
    Option<"prefillPastMax", "prefill-past-max", "int64_t", "0", "last PAST_SEQ rung of prefill">,
    Option<"decodePastMin", "decode-past-min", "int64_t", "0", "first PAST_SEQ rung of decode">,
    Option<"decodePastMax", "decode-past-max", "int64_t", "0", "last PAST_SEQ rung of decode">
  ];
}

//===----------------------------------------------------------------------===//
// Planning
//===----------------------------------------------------------------------===//

def MarkGeneric : RLX_ModulePass<"rlx-mark-generic"> {
  let summary = "chooses ops that the generic kernels compute";
  let description = [{
    A linear is named as its weight is, attention as its KV slot is; `*`, `?` and
    [sets] match several. The ops so named get the attribute `rlx.generic`, for
    which conversion takes scalar loops on f32 activations. A name that no op of
    the role has is an error.

    ```mlir
    %y = rlx.linear %x, @layers.0.o : …
    // rlx-mark-generic{names=layers.*.o} gives
    %y = rlx.linear %x, @layers.0.o {rlx.generic} : …
    ```
  }];
  let options = [
    ListOption<"names", "names", "std::string", "names of ops">,
    Option<"role", "role", "std::string", "\"\"",
           "mark ops of this role's functions only: prefill or decode">
  ];
}

def PackWeights : RLX_ModulePass<"rlx-pack-weights"> {
  let summary = "chooses the final element type and layout of every weight";
  let description = [{
    - Vectors (norm gains) become f32 in layout `row`.
    - Matrices get layout `r16`. Their type is `quantize` where given, else
      `dtype` where given, else as stored.
    - Stored quantised matrices are kept bit for bit unless `dtype` is given
      without `quantize`.
    - `quantize=q4_0` makes the embedding table, and a head tied to it, q8_0;
      `quantize=q4_k` makes them q6_k: `embedding` overrides that.
    - A matrix whose rows are no multiple of the quantisation block becomes q5_0
      instead of q4_k and q8_0 instead of q6_k, and stays unquantised where that
      does not fit either; with a remark.

    ```mlir
    rlx.weight @norm : tensor<64xbf16> from […]
    rlx.weight @q : tensor<64x64xbf16> from […]
    // rlx-pack-weights{quantize=q8_0} gives
    rlx.weight @norm : tensor<64xf32> from […] transforms [#rlx.convert<f32>, #rlx.pack<"row">]
    rlx.weight @q : tensor<64x64x!rlx.quant<"q8_0">> from […]
      transforms [#rlx.convert<!rlx.quant<"q8_0">>, #rlx.pack<"r16">]
    ```
  }];
  let options = [
    Option<"dtype", "dtype", "std::string", "\"\"",
           "element type of unquantised matrices: f32, f16, bf16; empty: as stored">,
    Option<"quantize", "quantize", "std::string", "\"\"",
           "quantise matrices: q8_0, q4_0, q4_k; empty: no">,
    Option<"embedding", "embedding", "std::string", "\"\"",
           "type of the embedding table: f32, f16, bf16, q8_0, q4_0, q5_0, q4_k, q6_k; "
           "empty: see above">
  ];
}

def ScreenHead : RLX_ModulePass<"rlx-screen-head"> {
  let summary = "gives the head of decode a coarse copy that shows which logits matter";
  let description = [{
    The linear op of each decode function that computes the logits gets `screen`
    with two new weights: a copy of its weight in the type `coarse`, and the
    norms of what that copy loses. Weights must be packed before. The head's
    weight has to be quantised, to more bits than the copy; a head of
    generic kernels (rlx-mark-generic) stays as it is.

    ```mlir
    %logits = rlx.linear %x, @embedding …
    // becomes
    rlx.weight @embedding.coarse : tensor<2048x256x!rlx.quant<"q4_0">> from […]
      transforms [#rlx.convert<!rlx.quant<"q4_0">>, #rlx.pack<"r16">]
    rlx.weight @embedding.norms : tensor<2048x2xf32> from […]
      transforms [#rlx.residual_norms<!rlx.quant<"q4_0">>, #rlx.pack<"row">]
    %logits = rlx.linear %x, @embedding screen(@embedding.coarse, @embedding.norms) …
    ```
  }];
  let options = [
    Option<"coarse", "coarse", "std::string", "\"q4_0\"", "type of the copy: q4_0">
  ];
}

def PlanMemory : RLX_ModulePass<"rlx-plan-memory"> {
  let summary = "places every intermediate result in one workspace";
  let description = [{
    Gives each op with tensor results `rlx.offsets`: for each result its byte
    offset in the function's workspace, a multiple of 64; -1 for views, for
    cache handles and for what the function returns. Ops that need scratch
    memory get `rlx.scratch`, the function gets `rlx.workspace_bytes`. Sizes
    are those at the largest symbol values. `rlx.counters` of a function says
    where the counters are by which threads share the work of linear and
    attention ops, 64 bytes each, and how many; nothing else ever has their
    place. Results take over the memory of an
    operand that dies where the op can work in place; the rest is placed
    largest first, each at the lowest place that is free while it lives.

    ```mlir
    %0 = rlx.gelu %x : tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>
    %1 = rlx.mul %0, %x : …
    %2 = rlx.linear %1, @w : …
    return %2 : …
    // becomes
    %0 = rlx.gelu %x {rlx.offsets = array<i64: 0>} : …
    %1 = rlx.mul %0, %x {rlx.offsets = array<i64: 0>} : …
    %2 = rlx.linear %1, @w {rlx.offsets = array<i64: -1>} : …
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Contracts
//===----------------------------------------------------------------------===//

def VerifyPlan : RLX_ModulePass<"rlx-verify-plan"> {
  let summary = "checks that no two live values share workspace";
  let description = [{
    Runs each planned function over a model of its workspace that remembers
    which value was last written where, and fails where an op would read memory
    that another value has taken, or lies outside of the workspace.
  }];
}

def VerifyStage : RLX_ModulePass<"rlx-verify-stage"> {
  let summary = "checks what a phase promises to the next";
  let description = [{
    | stage      | promises, besides those of the stages before                      |
    |------------|-------------------------------------------------------------------|
    | import     | symbols declared; forward functions of RLX ops alone              |
    | fuse       | nothing more: fusion is optional                                  |
    | fold       | gains are plain, each distinct rope has one rlx.rope_angles       |
    | specialize | a dispatch table with `generic`, ranges as the functions' symbols |
    | plan       | weights packed, every result placed                               |
  }];
  let options = [Option<"stage", "stage", "std::string", "\"import\"",
                        "import, fuse, fold, specialize or plan">];
}

#endif // RLX_TRANSFORMS_PASSES_TD
