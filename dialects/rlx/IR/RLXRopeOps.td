//===- RLXRopeOps.td - rotary position embedding -----------*- tablegen -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Positions, the angles they stand for, and the rotation of heads by them.

#ifndef RLX_IR_RLXROPEOPS_TD
#define RLX_IR_RLXROPEOPS_TD

include "rlx/IR/RLXTensorOps.td"

def RLX_PositionsOp : RLX_PureOp<"positions"> {
  let summary = "absolute positions of the step's tokens";
  let description = [{
    `out[b, i] = PAST_SEQ of sequence b + i`.

    ```mlir
    %pos = rlx.positions %cache : tensor<?x?xi64, #rlx.dims<BATCH, SEQ>>
    ```

    Rules:

    - positions_c1: the result has rank 2;
    - positions_c2: in a function with a role it has the sizes of the ids.
  }];
  let arguments = (ins RLX_KVCacheType:$cache);
  let results = (outs RankedTensorOf<[I64]>:$result);
  let assemblyFormat = "$cache attr-dict `:` type($result)";
  let hasVerifier = 1;
}

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

    Rules:

    - rope_angles_c1: the positions have rank 2;
    - rope_angles_c2: the result has the sizes of the positions, then 2, dim/2.
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
    %y = rlx.rope %x, %cs
      : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>,
        tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>
      -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    ```

    Rules:

    - rope_c1: the input has rank 4 and the result its sizes;
    - rope_c2: the angles have the input's first two sizes, then 2 and dim/2;
    - rope_c3: dim is at most head_dim.
  }];
  let arguments = (ins RLX_Activation:$input, RLX_Activation:$angles);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = "$input `,` $angles attr-dict `:` type($input) `,` type($angles) `->` type($result)";
  let hasVerifier = 1;
}

#endif // RLX_IR_RLXROPEOPS_TD
