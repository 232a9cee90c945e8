//===- RLXViewOps.td - views of activations ----------------*- tablegen -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Ops that only cut, join or select: no arithmetic.

#ifndef RLX_IR_RLXVIEWOPS_TD
#define RLX_IR_RLXVIEWOPS_TD

include "rlx/IR/RLXTensorOps.td"

def RLX_SplitOp : RLX_PureOp<"split"> {
  let summary = "cuts the last dimension into consecutive pieces";
  let description = [{
    `piece_j[b, i, c] = x[b, i, begin_j + c]`, begin_j being the columns of the
    pieces before. A single piece folds to the input.

    ```mlir
    %gate, %up = rlx.split %x : tensor<?x?x1024xf32, #rlx.dims<BATCH, SEQ, 1024>>
      -> tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>,
         tensor<?x?x512xf32, #rlx.dims<BATCH, SEQ, 512>>
    ```

    Rules:

    - split_c1: each piece has the sizes of the input but for the last;
    - split_c2: the last sizes sum to the input's.
  }];
  let arguments = (ins RLX_Activation:$input);
  let results = (outs Variadic<RLX_Activation>:$pieces);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($pieces)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def RLX_SplitHeadsOp : RLX_PureOp<"split_heads"> {
  let summary = "cuts the last dimension into groups of heads";
  let description = [{
    `out_j[b, i, h, d] = x[b, i, begin_j + h * head_dim_j + d]`, begin_j being the
    columns of the results before.

    ```mlir
    %q, %k, %v = rlx.split_heads %qkv : tensor<?x?x384xf32, #rlx.dims<BATCH, SEQ, 384>>
      -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>,
         tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>,
         tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>
    ```

    Rules:

    - split_heads_c1: the input has rank 3 and each result rank 4;
    - split_heads_c2: the first two sizes are the input's;
    - split_heads_c3: heads * head_dim sum to the input's last size.
  }];
  let arguments = (ins RLX_Activation:$input);
  let results = (outs Variadic<RLX_Activation>:$heads);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($heads)";
  let hasVerifier = 1;
}

def RLX_MergeHeadsOp : RLX_PureOp<"merge_heads"> {
  let summary = "joins the heads of a token into one row";
  let description = [{
    `out[b, i, h * head_dim + d] = x[b, i, h, d]`. Merging what rlx.split_heads
    made as its only result folds away.

    ```mlir
    %y = rlx.merge_heads %x : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
      -> tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
    ```

    Rules:

    - merge_heads_c1: the input has rank 4;
    - merge_heads_c2: the result has the input's first two sizes, then
      heads * head_dim.
  }];
  let arguments = (ins RLX_Activation:$input);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def RLX_SelectRowsOp : RLX_PureOp<"select_rows"> {
  let summary = "keeps the OUT positions from `begin` on";
  let description = [{
    `out[b, j, :] = x[b, begin + j, :]` for j < OUT; begin + OUT ≤ SEQ.

    ```mlir
    %y = rlx.select_rows %x from %begin : tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>
      -> tensor<?x?x256xf32, #rlx.dims<BATCH, OUT, 256>>
    ```

    Rules:

    - select_rows_c1: the input has rank 3;
    - select_rows_c2: the result has the sizes of the input but for the second.
  }];
  let arguments = (ins RLX_Activation:$input, Index:$begin);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = "$input `from` $begin attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

#endif // RLX_IR_RLXVIEWOPS_TD
