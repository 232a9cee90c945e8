//===- RLXTensorOps.td - ops on activations ----------------*- tablegen -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Embedding, norms, linear layers and element-wise ops: pure functions of f32
// tensors and of the weights they name.

#ifndef RLX_IR_RLXTENSOROPS_TD
#define RLX_IR_RLXTENSOROPS_TD

include "rlx/IR/RLXAttributes.td"
include "rlx/IR/RLXTypes.td"

class RLX_PureOp<string mnemonic, list<Trait> traits = []>
    : RLX_Op<mnemonic, !listconcat([Pure, RLX_SymbolicSizes], traits)>;

/// An op which uses `rlx.weight` symbols: they are checked when the symbol
/// table is.
class RLX_WeightUserOp<string mnemonic, list<Trait> traits = []>
    : RLX_PureOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<SymbolUserOpInterface>], traits)>;

def RLX_Activation : RankedTensorOf<[F32]>;

//===----------------------------------------------------------------------===//
// Weights in, activations out
//===----------------------------------------------------------------------===//

def RLX_EmbeddingOp : RLX_WeightUserOp<"embedding"> {
  let summary = "looks up token embeddings";
  let description = [{
    `out[b, i, :] = scale * W[ids[b, i], :]`, W of shape [vocab, hidden].

    ```mlir
    %x = rlx.embedding %ids, @embed {scale = 1.6e+01 : f32}
      : (tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>) -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    ```

    Rules:

    - embedding_c1: W is a weight of rank 2;
    - embedding_c2: the result has the sizes of the ids, then hidden.
  }];
  let arguments = (ins RankedTensorOf<[I32]>:$ids, FlatSymbolRefAttr:$weight,
                       DefaultValuedAttr<F32Attr, "1.0f">:$scale);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = "$ids `,` $weight attr-dict `:` functional-type(operands, results)";
}

def RLX_RmsNormOp : RLX_WeightUserOp<"rms_norm"> {
  let summary = "root mean square norm over the last dimension (arXiv:1910.07467)";
  let description = [{
    `out = [residual +] x * rsqrt(mean(x²) + eps) * g`, where g is the gain as
    stored (`plain`) or one more (`one_plus`, Gemma's checkpoints).

    ```mlir
    %y = rlx.rms_norm %x, @norm gain one_plus eps 1.0e-06
      residual(%r : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>)
      : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
      -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    ```

    Rules:

    - rms_norm_c1: the gain is a weight, a vector of floats as long as a row of x;
    - rms_norm_c2: the result has the sizes of x;
    - rms_norm_c3: so has the residual;
    - rms_norm_c4: eps is positive.
  }];
  let arguments = (ins RLX_Activation:$input, FlatSymbolRefAttr:$weight, RLX_GainConvention:$gain,
                       F32Attr:$eps, Optional<RLX_Activation>:$residual);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = [{
    $input `,` $weight `gain` $gain `eps` $eps (`residual` `(` $residual^ `:` type($residual) `)`)?
    attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def RLX_LinearOp : RLX_WeightUserOp<"linear"> {
  let summary = "matrix product with a weight, with optional norm before and epilogue after";
  let description = [{
    With `x' = x`, or the plain-gain norm of x over its last dimension where
    `norm` is given, and `y[…, n] = Σ_k x'[…, k] W[n, k]`, W of shape [N, K]:

    1. `geglu`: W interleaves gate and up rows 16 by 16; y becomes
       `gelu(gate) * up` with N/2 columns;
    2. `cap`: `y = cap * tanh(y / cap)`;
    3. `residual`: `y = residual + y`.

    `screen` names a coarser copy of W and its #rlx.residual_norms. Where a step asks for
    the greatest outputs alone (rlx_step_args_t::top), products with the copy, whose error
    the norms bound, show which outputs are none of them: those may become -infinity.

    Decomposes into rlx.rms_norm, rlx.linear, rlx.geglu, rlx.softcap, rlx.add.

    ```mlir
    %y = rlx.linear %x, @w norm(@g, 1.0e-06) cap 3.0e+01
      residual(%r : tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>)
      : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
      -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    ```

    Rules:

    - linear_c1: W is a weight of rank 2 whose rows are as long as a row of x;
    - linear_c2: the result has the sizes of x but for the last, which is the
      number of rows of W, or half of it with `geglu`;
    - linear_c3: `norm` comes with its eps, which is positive;
    - linear_c4: the norm's gain is a vector of floats as long as a row of x;
    - linear_c5: with `geglu`, W has an even number of rows;
    - linear_c6: the cap is positive;
    - linear_c7: the residual has the sizes of the result;
    - linear_c8: with `screen` there is neither `geglu` nor `residual`, the copy has the
      shape of W, and the norms are two f32 for each row of W.
  }];
  let arguments = (ins RLX_Activation:$input, FlatSymbolRefAttr:$weight,
                       OptionalAttr<FlatSymbolRefAttr>:$norm, OptionalAttr<F32Attr>:$eps,
                       UnitAttr:$geglu, OptionalAttr<F32Attr>:$cap,
                       Optional<RLX_Activation>:$residual,
                       OptionalAttr<FlatSymbolRefAttr>:$coarse,
                       OptionalAttr<FlatSymbolRefAttr>:$norms);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = [{
    $input `,` $weight (`norm` `(` $norm^ `,` $eps `)`)? (`geglu` $geglu^)? (`cap` $cap^)?
    (`screen` `(` $coarse^ `,` $norms `)`)?
    (`residual` `(` $residual^ `:` type($residual) `)`)? attr-dict
    `:` type($input) `->` type($result)
  }];
  let builders = [
    // Without screen.
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$input,
                   "::mlir::FlatSymbolRefAttr":$weight, "::mlir::FlatSymbolRefAttr":$norm,
                   "::mlir::FloatAttr":$eps, "::mlir::UnitAttr":$geglu, "::mlir::FloatAttr":$cap,
                   "::mlir::Value":$residual), [{
      build($_builder, $_state, result, input, weight, norm, eps, geglu, cap, residual, {}, {});
    }]>
  ];
  let extraClassDeclaration = [{
    /// Whether the op is part of prefill and sees the row of every token, not only of those whose
    /// logits are wanted.
    bool isOfPrompt();
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Element-wise ops. Rule add_c1, mul_c1, …: all types are the same.
//===----------------------------------------------------------------------===//

class RLX_UnaryOp<string mnemonic> : RLX_PureOp<mnemonic, [SameOperandsAndResultType]> {
  let results = (outs RLX_Activation:$result);
}
class RLX_BinaryOp<string mnemonic, list<Trait> traits = []>
    : RLX_PureOp<mnemonic, !listconcat([SameOperandsAndResultType], traits)> {
  let arguments = (ins RLX_Activation:$lhs, RLX_Activation:$rhs);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

def RLX_AddOp : RLX_BinaryOp<"add", [Commutative]> {
  let summary = "element-wise sum";
  let description = [{
    `out = lhs + rhs`.

    ```mlir
    %z = rlx.add %x, %y : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    ```

    Rule add_c1: operands and result have the same type.
  }];
}

def RLX_MulOp : RLX_BinaryOp<"mul", [Commutative]> {
  let summary = "element-wise product";
  let description = [{
    `out = lhs * rhs`.

    ```mlir
    %z = rlx.mul %x, %y : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    ```

    Rule mul_c1: operands and result have the same type.
  }];
}

def RLX_GegluOp : RLX_BinaryOp<"geglu"> {
  let summary = "gated GELU (arXiv:2002.05202)";
  let description = [{
    `out = gelu(lhs) * rhs`, gelu as rlx.gelu computes it.

    ```mlir
    %z = rlx.geglu %gate, %up : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    ```

    Rule geglu_c1: operands and result have the same type.
  }];
}

def RLX_GeluOp : RLX_UnaryOp<"gelu"> {
  let summary = "GELU in its tanh form (arXiv:1606.08415)";
  let description = [{
    `out = x/2 * (1 + tanh(√(2/π) * (x + 0.044715 x³)))`.

    ```mlir
    %y = rlx.gelu %x : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    ```

    Rule gelu_c1: operand and result have the same type.
  }];
  let arguments = (ins RLX_Activation:$input);
  let assemblyFormat = "$input attr-dict `:` type($result)";
}

def RLX_ScaleOp : RLX_UnaryOp<"scale"> {
  let summary = "multiplies by a constant";
  let description = [{
    `out = factor * x`. A factor of 1 folds away.

    ```mlir
    %y = rlx.scale %x by 1.6e+01 : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    ```

    Rule scale_c1: operand and result have the same type.
  }];
  let arguments = (ins RLX_Activation:$input, F32Attr:$factor);
  let assemblyFormat = "$input `by` $factor attr-dict `:` type($result)";
  let hasFolder = 1;
}

def RLX_SoftcapOp : RLX_UnaryOp<"softcap"> {
  let summary = "soft cap of logits or scores (Gemma 2, arXiv:2408.00118)";
  let description = [{
    `out = cap * tanh(x / cap)`.

    ```mlir
    %y = rlx.softcap %x cap 3.0e+01 : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    ```

    Rules:

    - softcap_c1: operand and result have the same type;
    - softcap_c2: the cap is positive.
  }];
  let arguments = (ins RLX_Activation:$input, F32Attr:$cap);
  let assemblyFormat = "$input `cap` $cap attr-dict `:` type($result)";
  let hasVerifier = 1;
}

#endif // RLX_IR_RLXTENSOROPS_TD
