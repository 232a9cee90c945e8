//===- RLXTensorOps.td - ops on activations ----------------*- tablegen -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Embedding, norms, linear layers, RoPE, element-wise ops and views. All are
// pure functions of f32 tensors and of the weights they name.

#ifndef RLX_IR_RLXTENSOROPS_TD
#define RLX_IR_RLXTENSOROPS_TD

include "rlx/IR/RLXAttributes.td"
include "rlx/IR/RLXTypes.td"

class RLX_PureOp<string mnemonic, list<Trait> traits = []>
    : RLX_Op<mnemonic, !listconcat([Pure], traits)>;

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
  }];
  let arguments = (ins RankedTensorOf<[I32]>:$ids, FlatSymbolRefAttr:$weight,
                       DefaultValuedAttr<F32Attr, "1.0f">:$scale);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = "$ids `,` $weight attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def RLX_RmsNormOp : RLX_WeightUserOp<"rms_norm"> {
  let summary = "root mean square norm over the last dimension (arXiv:1910.07467)";
  let description = [{
    `out = [residual +] x * rsqrt(mean(x²) + eps) * g`, where g is the gain as
    stored (`plain`) or one more (`one_plus`, Gemma's checkpoints).

    ```mlir
    %y = rlx.rms_norm %x, @norm gain one_plus eps 1.0e-06 residual(%r : tensor<…>) : tensor<…>
    ```
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

    Decomposes into rlx.rms_norm, rlx.linear, rlx.geglu, rlx.softcap, rlx.add.

    ```mlir
    %y = rlx.linear %x, @w norm(@g, 1.0e-06) residual(%r : tensor<…>) : tensor<…> -> tensor<…>
    ```
  }];
  let arguments = (ins RLX_Activation:$input, FlatSymbolRefAttr:$weight,
                       OptionalAttr<FlatSymbolRefAttr>:$norm, OptionalAttr<F32Attr>:$eps,
                       UnitAttr:$geglu, OptionalAttr<F32Attr>:$cap,
                       Optional<RLX_Activation>:$residual);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = [{
    $input `,` $weight (`norm` `(` $norm^ `,` $eps `)`)? (`geglu` $geglu^)? (`cap` $cap^)?
    (`residual` `(` $residual^ `:` type($residual) `)`)? attr-dict
    `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Element-wise ops
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
  let description = "`out = lhs + rhs`, e.g. `%z = rlx.add %x, %y : tensor<…>`.";
}
def RLX_MulOp : RLX_BinaryOp<"mul", [Commutative]> {
  let summary = "element-wise product";
  let description = "`out = lhs * rhs`, e.g. `%z = rlx.mul %x, %y : tensor<…>`.";
}
def RLX_GegluOp : RLX_BinaryOp<"geglu"> {
  let summary = "gated GELU (arXiv:2002.05202)";
  let description = "`out = gelu(lhs) * rhs`, e.g. `%z = rlx.geglu %gate, %up : tensor<…>`.";
}
def RLX_GeluOp : RLX_UnaryOp<"gelu"> {
  let summary = "GELU in its tanh form (arXiv:1606.08415)";
  let description = [{
    `out = x/2 * (1 + tanh(√(2/π) * (x + 0.044715 x³)))`, e.g. `%y = rlx.gelu %x : tensor<…>`.
  }];
  let arguments = (ins RLX_Activation:$input);
  let assemblyFormat = "$input attr-dict `:` type($result)";
}
def RLX_ScaleOp : RLX_UnaryOp<"scale"> {
  let summary = "multiplies by a constant";
  let description = "`out = factor * x`, e.g. `%y = rlx.scale %x by 1.6e+01 : tensor<…>`.";
  let arguments = (ins RLX_Activation:$input, F32Attr:$factor);
  let assemblyFormat = "$input `by` $factor attr-dict `:` type($result)";
}
def RLX_SoftcapOp : RLX_UnaryOp<"softcap"> {
  let summary = "soft cap of logits or scores (Gemma 2, arXiv:2408.00118)";
  let description = "`out = cap * tanh(x / cap)`, e.g. `%y = rlx.softcap %x cap 3.0e+01 : tensor<…>`.";
  let arguments = (ins RLX_Activation:$input, F32Attr:$cap);
  let assemblyFormat = "$input `cap` $cap attr-dict `:` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

def RLX_SplitOp : RLX_PureOp<"split"> {
  let summary = "cuts the last dimension into consecutive pieces";
  let description = [{
    `%gate, %up = rlx.split %x : tensor<…x1024xf32> -> tensor<…x512xf32>, tensor<…x512xf32>`
  }];
  let arguments = (ins RLX_Activation:$input);
  let results = (outs Variadic<RLX_Activation>:$pieces);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($pieces)";
  let hasVerifier = 1;
}

def RLX_SplitHeadsOp : RLX_PureOp<"split_heads"> {
  let summary = "cuts the last dimension into groups of heads";
  let description = [{
    Result j has shape [BATCH, SEQ, heads_j, head_dim_j] and holds the next
    heads_j * head_dim_j columns of the input.

    ```mlir
    %q, %k, %v = rlx.split_heads %qkv : tensor<…x384xf32>
      -> tensor<…x4x64xf32>, tensor<…x1x64xf32>, tensor<…x1x64xf32>
    ```
  }];
  let arguments = (ins RLX_Activation:$input);
  let results = (outs Variadic<RLX_Activation>:$heads);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($heads)";
  let hasVerifier = 1;
}

def RLX_MergeHeadsOp : RLX_PureOp<"merge_heads"> {
  let summary = "joins the heads of a token into one row";
  let description = [{
    `out[b, i, h * head_dim + d] = x[b, i, h, d]`,
    e.g. `%y = rlx.merge_heads %x : tensor<…x4x64xf32> -> tensor<…x256xf32>`.
  }];
  let arguments = (ins RLX_Activation:$input);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def RLX_SelectRowsOp : RLX_PureOp<"select_rows"> {
  let summary = "keeps the OUT positions from `begin` on";
  let description = [{
    `out[b, j, :] = x[b, begin + j, :]` for j < OUT; begin + OUT ≤ SEQ.

    ```mlir
    %y = rlx.select_rows %x from %begin : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
      -> tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>
    ```
  }];
  let arguments = (ins RLX_Activation:$input, Index:$begin);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = "$input `from` $begin attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// RoPE
//===----------------------------------------------------------------------===//

def RLX_RopeAnglesOp : RLX_PureOp<"rope_angles"> {
  let summary = "cosines and sines of the rotations at given positions";
  let description = [{
    `out[b, i, 0, j] = cos(a)`, `out[b, i, 1, j] = sin(a)`, with
    `a = position[b, i] * inv_freq(j)`, j < dim/2, as #rlx.rope defines it.

    Precision: the product and its reduction to one turn are computed in f64,
    the cosine and sine of the reduced angle in f32: the absolute error is
    below 2⁻²² for every position below 2²⁴.

    ```mlir
    %cs = rlx.rope_angles %pos rope <base = 1.0e+04 : f64, dim = 64>
      : tensor<?x?xi64, #rlx.dims<BATCH, SEQ>> -> tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>
    ```
  }];
  let arguments = (ins RankedTensorOf<[I64]>:$positions, RLX_RopeAttr:$rope);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = "$positions `rope` $rope attr-dict `:` type($positions) `->` type($result)";
  let hasVerifier = 1;
}

def RLX_RopeOp : RLX_PureOp<"rope"> {
  let summary = "rotates pairs (i, i + dim/2) of each head";
  let description = [{
    For each head x of a token and i < h = dim/2:
    `out[i] = x[i] cos_i - x[i + h] sin_i`, `out[i + h] = x[i + h] cos_i + x[i] sin_i`;
    dim may be less than head_dim, what is beyond it is copied.

    ```mlir
    %y = rlx.rope %x, %cs : tensor<…x4x64xf32>, tensor<…x2x32xf32>
    ```
  }];
  let arguments = (ins RLX_Activation:$input, RLX_Activation:$angles);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = "$input `,` $angles attr-dict `:` type($input) `,` type($angles) `->` type($result)";
  let hasVerifier = 1;
}

#endif // RLX_IR_RLXTENSOROPS_TD
